"""Tagged PDF (ISO 32000-1, 14.8) with ReportLab, whose open edition draws but does not tag.

Every paragraph is marked content that belongs to a structure element: headings, paragraphs, list items, and the header
and data cells of tables. What is decoration (lines, page numbers, repeated table heads) is an artifact. The document
has a title and a language, and its fonts are embedded. Nobody has certified it as PDF/UA;
`tests/fall_risk/test_files.py` says what is checked.
"""
from __future__ import annotations

import io
import unicodedata
from functools import cache, partial
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Spacer, Table

_DEJAVU = Path("/usr/share/fonts/truetype/dejavu")          # more languages, where the system has it
_VERA = Path(reportlab.__file__).parent / "fonts"           # Latin letters, always there
_INK, _MUTED, _LINE = colors.HexColor("#14211e"), colors.HexColor("#54635f"), colors.HexColor("#8b9994")
_MARGIN = 18 * mm


@cache
def _fonts() -> tuple[str, str]:
    """Names of the plain and the bold font, registered for embedding."""
    dejavu = (_DEJAVU / "DejaVuSans.ttf", _DEJAVU / "DejaVuSans-Bold.ttf")
    files = dejavu if all(path.is_file() for path in dejavu) else (_VERA / "Vera.ttf", _VERA / "VeraBd.ttf")
    for name, path in zip(("Body", "Body-Bold"), files, strict=True):
        pdfmetrics.registerFont(TTFont(name, str(path)))
    return "Body", "Body-Bold"


def _style(name: str, **changes) -> ParagraphStyle:
    plain, bold = _fonts()
    font = bold if changes.pop("bold", False) else plain
    return ParagraphStyle(name, **{"fontName": font, "fontSize": 9.5, "leading": 13, "textColor": _INK, **changes})


def _drawable(text: str) -> str:
    """The text with letters that the font has: else the letter without its accent, else a question mark."""
    glyphs = pdfmetrics.getFont(_fonts()[0]).face.charToGlyph

    def letter(char: str) -> str:
        if ord(char) in glyphs or char.isspace():
            return char
        bare = unicodedata.normalize("NFKD", char)[0]
        return bare if ord(bare) in glyphs else "?"

    return "".join(letter(char) for char in unicodedata.normalize("NFC", text))


class Node:
    """A structure element: its role, its children, and the marked contents that belong to it."""

    def __init__(self, role: str, parent: Node | None = None, scope: str = "") -> None:
        self.role, self.parent, self.scope = role, parent, scope
        self.children: list[Node] = []
        self.contents: list[tuple[int, int]] = []       # (page, marked content)
        self.once = False                               # a table's head is drawn again on every page
        if parent is not None:
            parent.children.append(self)


class _TaggedParagraph(Paragraph):
    node: Node

    def draw(self) -> None:
        self.canv.begin(self.node)
        super().draw()
        self.canv.end()

    def split(self, width, height):
        parts = super().split(width, height)
        for part in parts:
            part.node = self.node
        return parts


class _TaggedTable(Table):
    """Lines and backgrounds are decoration."""

    def _drawLines(self):
        self.canv.begin(None)
        super()._drawLines()
        self.canv.end()

    def _drawBkgrnd(self):
        self.canv.begin(None)
        super()._drawBkgrnd()
        self.canv.end()


class _TaggedCanvas(Canvas):
    def __init__(self, *args, root: Node, **kwargs) -> None:
        super().__init__(*args, **{**kwargs, "initialFontName": _fonts()[0]})
        self._root = root
        self._pages: list[list[Node]] = [[]]

    def begin(self, node: Node | None) -> None:
        page = len(self._pages) - 1
        if node is None or (node.once and any(p != page for p, _ in node.contents)):
            self._code.append("/Artifact BMC")
            return
        number = len(self._pages[page])
        node.contents.append((page, number))
        self._pages[page].append(node)
        self._code.append(f"/{node.role} <</MCID {number}>> BDC")

    def end(self) -> None:
        self._code.append("EMC")

    def showPage(self) -> None:
        super().showPage()
        page = self._doc.Pages.pages[-1]
        page.__NoDefault__ = [*type(page).__NoDefault__, "StructParents", "Tabs"]
        page.StructParents, page.Tabs = len(self._pages) - 1, pdfdoc.PDFName("S")
        self._pages.append([])

    def save(self) -> None:
        if self._code:
            self.showPage()
        self._write_tree()
        super().save()

    def _write_tree(self) -> None:
        doc, pages = self._doc, self._doc.Pages.pages
        made: dict[Node, pdfdoc.PDFObjectReference] = {}

        def element(node: Node, parent) -> pdfdoc.PDFObjectReference:
            entry = pdfdoc.PDFDictionary({
                "Type": pdfdoc.PDFName("StructElem"), "S": pdfdoc.PDFName(node.role), "P": parent,
            })
            entry.__RefOnly__ = 1
            made[node] = reference = doc.Reference(entry)
            kids: list = [pdfdoc.PDFDictionary({
                "Type": pdfdoc.PDFName("MCR"), "Pg": doc.Reference(pages[page]), "MCID": number,
            }) for page, number in node.contents]
            kids += [element(child, reference) for child in node.children]
            entry["K"] = pdfdoc.PDFArray(kids)
            if node.scope:
                entry["A"] = pdfdoc.PDFDictionary({
                    "O": pdfdoc.PDFName("Table"), "Scope": pdfdoc.PDFName(node.scope),
                })
            return reference

        tree = pdfdoc.PDFDictionary({"Type": pdfdoc.PDFName("StructTreeRoot")})
        tree.__RefOnly__ = 1
        top = doc.Reference(tree)
        tree["K"] = element(self._root, top)
        numbers: list = []
        for number, nodes in enumerate(self._pages[:len(pages)]):
            numbers += [number, pdfdoc.PDFArray([made[node] for node in nodes])]
        tree["ParentTree"] = pdfdoc.PDFDictionary({"Nums": pdfdoc.PDFArray(numbers)})
        tree["ParentTreeNextKey"] = len(pages)
        catalog = doc.Catalog
        catalog.StructTreeRoot = tree
        catalog.MarkInfo = pdfdoc.PDFDictionary({"Marked": "true"})
        catalog.Lang = pdfdoc.PDFString("en")
        self.setViewerPreference("DisplayDocTitle", "true")


class _Template(BaseDocTemplate):
    def __init__(self, file, title: str, foot: str) -> None:
        super().__init__(file, pagesize=A4, title=title, author="Genuflex", lang="en", leftMargin=_MARGIN,
                         rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN)
        self._foot = _drawable(foot)
        frame = Frame(_MARGIN, _MARGIN, A4[0] - 2 * _MARGIN, A4[1] - 2 * _MARGIN, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate(frames=[frame], onPage=self._footer))

    def _footer(self, canvas: _TaggedCanvas, _) -> None:
        canvas.begin(None)
        canvas.setFont(_fonts()[0], 7.5)
        canvas.setFillColor(_MUTED)
        canvas.drawString(_MARGIN, 10 * mm, self._foot)
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"Page {canvas.getPageNumber()}")
        canvas.end()


class Document:
    """A PDF built from top to bottom: `heading`, `text`, `bullets`, `table`, then `bytes`."""

    def __init__(self, title: str, foot: str) -> None:
        self._title, self._foot = _drawable(title), foot
        self._root = Node("Document")
        self._story: list = []
        self.heading(title, 1)

    def heading(self, text: str, level: int = 2) -> None:
        size = {1: 18, 2: 13, 3: 10.5}[level]
        style = _style(f"h{level}", bold=True, fontSize=size, leading=size * 1.3, spaceBefore=11 if level > 1 else 0,
                       spaceAfter=4, keepWithNext=1)
        self._story.append(self._paragraph(text, style, Node(f"H{level}", self._root)))

    def text(self, text: str, muted: bool = False) -> None:
        style = _style("p", spaceAfter=4, **({"textColor": _MUTED, "fontSize": 8.5, "leading": 11.5} if muted else {}))
        self._story.append(self._paragraph(text, style, Node("P", self._root)))

    def bullets(self, texts: list[str]) -> None:
        style = _style("li", leftIndent=10, spaceAfter=2)
        parent = Node("L", self._root)
        for text in texts:
            item = Node("LI", parent)
            self._story.append(self._paragraph(f"\u2022 {text}", style, Node("LBody", item)))

    def table(self, head: list[str], rows: list[list[str]], widths: list[float], numbers: int = 0) -> None:
        """`widths` are shares of the page's width; the last `numbers` columns stand right. The first column names its
        row."""
        parent = Node("Table", self._root)
        lines = [self._row(parent, head, ["TH"] * len(head), "Column", numbers)]
        lines += [self._row(parent, row, ["TH", *["TD"] * (len(row) - 1)], "Row", numbers) for row in rows]
        whole = A4[0] - 2 * _MARGIN
        self._story.append(_TaggedTable(
            lines, colWidths=[whole * share / sum(widths) for share in widths], repeatRows=1, splitInRow=1, style=[
                ("FONTNAME", (0, 0), (-1, -1), _fonts()[0]),
                ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, 0), 0.8, _LINE),
                ("LINEBELOW", (0, 1), (-1, -1), 0.3, _LINE), ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ],
        ))
        self._story.append(Spacer(1, 6))

    def bytes(self) -> bytes:
        file = io.BytesIO()
        template = _Template(file, self._title, self._foot)
        template.build(self._story, canvasmaker=partial(_TaggedCanvas, root=self._root))
        return file.getvalue()

    def _row(self, table: Node, cells: list[str], roles: list[str], scope: str, numbers: int) -> list[Paragraph]:
        row = Node("TR", table)
        made = []
        for place, (text, role) in enumerate(zip(cells, roles, strict=True)):
            right = place >= len(cells) - numbers
            style = _style("cell", fontSize=8.5, leading=11, bold=role == "TH", alignment=2 if right else 0)
            node = Node(role, row, scope if role == "TH" else "")
            node.once = scope == "Column"
            made.append(self._paragraph(text, style, node))
        return made

    def _paragraph(self, text: str, style: ParagraphStyle, node: Node) -> Paragraph:
        lines = "<br/>".join(escape(line) for line in _drawable(text).split("\n"))
        paragraph = _TaggedParagraph(lines, style)
        paragraph.node = node
        return paragraph
