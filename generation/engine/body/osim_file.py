"""Reads an `.osim` file that somebody sent, looked through before OpenSim, which trusts what it reads, sees it."""

import re
import tempfile
from pathlib import Path

from generation.engine.formats.errors import FormatError, read_text
from generation.engine.formats.xml import parse_xml

MAX_BYTES = 20 * 1024 * 1024  # E: a full-body model has about 1 MB

_FOLDER_OF_MESH = re.compile(r"(<mesh_file>)[^<]*[/\\]([^<]*</mesh_file>)")


def read_osim(source: Path | str | bytes) -> bytes:
    """The file as UTF-8, folders taken off the names of its meshes. Raises FormatError, in one sentence, for what is no
    OpenSim model, is too large, or defines XML entities or includes other files."""
    text = read_text(source)
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
    root = parse_xml(text, MAX_BYTES)
    if root.tag != "OpenSimDocument":
        raise FormatError(f"Line {root.line}: <{root.tag[:40]}> is no OpenSim model: the file must begin with "
                          "<OpenSimDocument>.")
    for part in root.children:
        if part.tag != "Model":
            raise FormatError(f"Line {part.line}: the document holds a <{part.tag[:40]}>, not a <Model>.")
    if not any(part.children for part in root.children):
        raise FormatError("The document holds no model.")
    for element in root.iter():
        if "file" in element.attributes:
            raise FormatError(f"Line {element.line}: <{element.tag[:40]}> includes another file; send the model as one "
                              "file.")
