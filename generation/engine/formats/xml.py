"""A small, guarded reader of XML: no document types, no entities, bounded size and depth."""

from dataclasses import dataclass, field
from xml.parsers import expat

from generation.engine.formats.errors import FormatError

MAX_DEPTH = 100  # ours; an OpenSim model has about 15
MAX_ELEMENTS = 300_000  # ours; a full-body model has 25,000


@dataclass(slots=True)
class Element:
    """One element: tag, attributes, the text directly inside it, and its children."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def find(self, tag: str) -> "Element | None":
        """The first child with this tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def iter(self, tag: str | None = None):
        """Every element inside, or every one with this tag, in the order of the file."""
        waiting = list(reversed(self.children))
        while waiting:
            element = waiting.pop()
            if tag is None or element.tag == tag:
                yield element
            waiting.extend(reversed(element.children))


def parse_xml(text: str, max_bytes: int) -> Element:
    """The root element. Raises FormatError with the line where the file is broken or does what no data file needs."""
    size = len(text.encode())
    if size > max_bytes:
        raise FormatError(f"The XML has {size} bytes; at most {max_bytes} are read.")
    reader = _Reader()
    try:
        reader.parser.Parse(text, True)
    except expat.ExpatError as error:
        raise FormatError(f"Line {error.lineno}, column {error.offset + 1}: this is not well-formed XML "
                          f"({expat.errors.messages[error.code]}).") from None
    return reader.root


class _Reader:
    def __init__(self):
        self.parser = expat.ParserCreate(encoding="UTF-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def _refuse(self, *_):
        raise FormatError(f"Line {self.parser.CurrentLineNumber}: document types and entities (<!DOCTYPE, <!ENTITY) "
                          "are not read; a data file needs none.")

    def _start(self, tag, attributes):
        self._count += 1
        line = self.parser.CurrentLineNumber
        if len(self._open) >= MAX_DEPTH:
            raise FormatError(f"Line {line}: the XML is nested deeper than {MAX_DEPTH}.")
        if self._count > MAX_ELEMENTS:
            raise FormatError(f"Line {line}: the XML has more than {MAX_ELEMENTS} elements.")
        element = Element(tag, attributes, line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _):
        self._open.pop()

    def _text(self, text):
        self._open[-1].text += text
