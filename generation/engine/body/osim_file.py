"""Reads an `.osim` file that somebody sent, looked through before OpenSim, which trusts what it reads, sees it."""

import re
import tempfile
from pathlib import Path
from xml.parsers import expat

from generation.engine.formats.errors import FormatError, read_text

# All E: a full-body model has about 1 MB, 25,000 elements and a depth of 15.
MAX_BYTES = 20 * 1024 * 1024
MAX_ELEMENTS = 300_000
MAX_DEPTH = 60
MAX_ATTRIBUTES = 50

_FOLDER_OF_MESH = re.compile(r"(<mesh_file>)[^<]*[/\\]([^<]*</mesh_file>)")


def read_osim(source: Path | str | bytes) -> bytes:
    """The file as UTF-8, folders taken off the names of its meshes. Raises FormatError, in one sentence, for what is no
    OpenSim model, is too large, or defines XML entities or includes other files."""
    text = read_text(source)
    if len(text) > MAX_BYTES:
        raise FormatError(f"The model file has {len(text)} characters; at most {MAX_BYTES} are read.")
    _look_through(text)
    return _FOLDER_OF_MESH.sub(r"\1\2", text).encode()


def open_osim(osim: bytes):
    """The `opensim.Model` of a file that `read_osim` gave, initialised. Raises FormatError when OpenSim refuses it."""
    import opensim

    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.osim"
        path.write_bytes(osim)
        try:
            model = opensim.Model(str(path))
            model.initSystem()
        except (RuntimeError, OverflowError, ValueError) as error:
            reason = " ".join(str(error).split()).replace(str(folder), "")[:300].rstrip(".")
            raise FormatError(f"OpenSim cannot open the model: {reason}.") from None
    return model


def _look_through(text: str) -> None:
    parser = expat.ParserCreate(encoding="utf-8")
    path: list[str] = []
    count = 0

    def refuse(what: str):
        raise FormatError(f"Line {parser.CurrentLineNumber}: {what}")

    def start(name, attributes):
        nonlocal count
        count += 1
        path.append(name)
        if len(path) == 1 and name != "OpenSimDocument":
            refuse(f"<{name[:40]}> is no OpenSim model: the file must begin with <OpenSimDocument>.")
        if len(path) == 2 and name != "Model":
            refuse(f"the document holds a <{name[:40]}>, not a <Model>.")
        if len(path) > MAX_DEPTH:
            refuse(f"elements are nested more than {MAX_DEPTH} deep.")
        if count > MAX_ELEMENTS:
            refuse(f"there are more than {MAX_ELEMENTS} elements.")
        if len(attributes) > MAX_ATTRIBUTES:
            refuse(f"<{name[:40]}> has more than {MAX_ATTRIBUTES} attributes.")
        if "file" in attributes:
            refuse(f"<{name[:40]}> includes another file; send the model as one file.")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: path.pop()
    parser.StartDoctypeDeclHandler = lambda *_: refuse("document type declarations (<!DOCTYPE) are not accepted.")
    parser.EntityDeclHandler = lambda *_: refuse("XML entities are not accepted.")
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise FormatError(f"Line {error.lineno}: the file is not whole XML ({reason}).") from None
    if count < 3:
        raise FormatError("The document holds no model.")
