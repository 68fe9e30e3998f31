"""Paper: pages of a PDF with a cursor that moves down, texts, tables and charts in our colors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

INK, INK_2, INK_3 = HexColor("#12181e"), HexColor("#3a4550"), HexColor("#55606b")
LINE, PANEL, TRACK = HexColor("#ccd2d8"), HexColor("#f3f4f6"), HexColor("#d6dade")
ALARM, ALARM_SOFT = HexColor("#a8111d"), HexColor("#f8dfdf")
PLAIN, BOLD, MONO = "Helvetica", "Helvetica-Bold", "Courier"
MARGIN, FOOT = 42.0, 48.0
"""Points, of 1/72 inch."""
PAGES, ROOM_FOR_PAGES = "pages", 18.0
"""A drawing of how many pages there are, and the points that it may take."""
LONGEST = 400
"""Characters of a cell; more is cut, and says so."""


@dataclass(frozen=True, slots=True)
class Head:
    """One column of a table."""

    text: str
    width: float
    """As a share of the table's."""
    right: bool = False
    """Numbers stand at the right."""


class Sheet:
    """A PDF while it is drawn; the same drawing is the same file, whenever and wherever.

    Args:
        path: Where to.
        title: Of the document, and of every page's foot.
    """

    def __init__(self, path: Path, title: str) -> None:
        self._canvas: Any = Canvas(str(path), pagesize=A4, invariant=1, pageCompression=1)
        self._canvas.setTitle(printable(title))
        self._canvas.setAuthor("")
        self._title = title
        self._number = 0
        self._wide = False
        self.width, self._height = A4
        self.y = 0.0
        self.page()

    def page(self, *, wide: bool = False) -> None:
        """Begin another page; a wide one lies on its side."""
        if self._number:
            self._end_page()
        self._number += 1
        self._wide = wide
        size = landscape(A4) if wide else A4
        self._canvas.setPageSize(size)
        self.width, self._height = size
        self.y = self._height - MARGIN

    def save(self) -> None:
        """End the last page, and the file.

        Raises:
            OSError: it can't be written.
        """
        self._end_page()
        self._canvas.beginForm(PAGES)
        self.text(0, 0, str(self._number), 7, PLAIN, INK_3)
        self._canvas.endForm()
        self._canvas.save()

    def room(self, points: float) -> bool:
        """Begin another page where there is less than this left; whether that was so."""
        if self.y - points >= FOOT:
            return False
        self.page(wide=self._wide)
        return True

    def gap(self, points: float) -> None:
        """Leave some room."""
        self.y -= points

    def heading(self, text: str, size: float = 11) -> None:
        """Above what comes next, on the same page as that."""
        self.room(size + 40)
        self.y -= size + 6
        self.text(MARGIN, self.y, text, size, BOLD, INK)
        self.y -= 6

    def text(
        self, x: float, y: float, text: str, size: float = 8, font: str = PLAIN, ink: Any = INK_2,
        *, right: bool = False,
    ) -> None:  # fmt: skip
        """One line, at a place."""
        self._canvas.setFillColor(ink)
        self._canvas.setFont(font, size)
        draw = self._canvas.drawRightString if right else self._canvas.drawString
        draw(x, y, printable(text))

    def paragraph(self, text: str, size: float = 8, ink: Any = INK_3) -> None:
        """As many lines as it takes."""
        for line in simpleSplit(printable(text), PLAIN, size, self.width - 2 * MARGIN):
            self.room(size + 3)
            self.y -= size + 3
            self.text(MARGIN, self.y, line, size, PLAIN, ink)

    def pairs(
        self, lines: Iterable[tuple[str, str]], size: float = 8, *, indent: float = 120
    ) -> None:
        """Words and what they say, which begins so many points from the left."""
        left = MARGIN + indent
        for name, value in lines:
            font = MONO if len(value) == 64 and value.isalnum() else PLAIN
            split = simpleSplit(printable(value), font, size, self.width - MARGIN - left) or [""]
            self.room(len(split) * (size + 3) + 2)
            self.text(MARGIN, self.y - size, name, size, PLAIN, INK_3)
            for line in split:
                self.y -= size + 3
                self.text(left, self.y + 3, line, size, font, INK)
            self.y -= 2

    def table(
        self,
        heads: Sequence[Head],
        rows: Iterable[Sequence[str]],
        *,
        size: float = 7,
        red: Iterable[Sequence[bool]] | None = None,
    ) -> None:
        """A table that goes on with its heads on the next page.

        Args:
            heads: Columns.
            rows: Cells, long ones on several lines.
            size: Of letters.
            red: By row and column, what is outside something.
        """
        wide = self.width - 2 * MARGIN
        edges = [MARGIN]
        whole = sum(head.width for head in heads)
        for head in heads:
            edges.append(edges[-1] + wide * head.width / whole)
        self._heads(heads, edges, size)
        marks = iter(red) if red is not None else None
        for row in rows:
            marked = next(marks) if marks else [False] * len(heads)
            cells = [
                _wrapped(text, size, edges[n + 1] - edges[n] - 5) for n, text in enumerate(row)
            ]
            high = max(map(len, cells)) * (size + 2) + 3
            if self.room(high):
                self._heads(heads, edges, size)
            for n, (head, lines) in enumerate(zip(heads, cells, strict=True)):
                self._cell(lines, head, edges[n], edges[n + 1], size, high, red=marked[n])
            self.y -= high
            self._canvas.setStrokeColor(LINE)
            self._canvas.setLineWidth(0.3)
            self._canvas.line(MARGIN, self.y, self.width - MARGIN, self.y)
        self.y -= 6

    def _heads(self, heads: Sequence[Head], edges: Sequence[float], size: float) -> None:
        lines = [_wrapped(h.text, size, edges[n + 1] - edges[n] - 5) for n, h in enumerate(heads)]
        high = max(map(len, lines)) * (size + 2) + 4
        self.room(high + 3 * size)
        self._canvas.setFillColor(PANEL)
        self._canvas.rect(MARGIN, self.y - high, edges[-1] - MARGIN, high, stroke=0, fill=1)
        for n, (head, cell) in enumerate(zip(heads, lines, strict=True)):
            self._cell(cell, head, edges[n], edges[n + 1], size, high, font=BOLD)
        self.y -= high

    def _cell(
        self, lines: Sequence[str], head: Head, left: float, right: float, size: float,
        high: float, *, red: bool = False, font: str = PLAIN,
    ) -> None:  # fmt: skip
        if red:
            self._canvas.setFillColor(ALARM_SOFT)
            self._canvas.rect(left, self.y - high, right - left, high, stroke=0, fill=1)
        y = self.y - size - 1
        for line in lines:
            ink = ALARM if red else INK
            if head.right:
                self.text(right - 3, y, line, size, font, ink, right=True)
            else:
                self.text(left + 3, y, line, size, font, ink)
            y -= size + 2

    def figures(self, figures: Sequence[tuple[str, str, bool]]) -> None:
        """Key figures beside each other: number, words, and whether it is to be looked at."""
        wide = (self.width - 2 * MARGIN) / len(figures)
        self.room(44)
        self.y -= 40
        for n, (number, words, bad) in enumerate(figures):
            left = MARGIN + n * wide
            self._canvas.setFillColor(ALARM_SOFT if bad else PANEL)
            self._canvas.roundRect(left, self.y, wide - 6, 38, 4, stroke=0, fill=1)
            self.text(left + 8, self.y + 17, number, 15, BOLD, ALARM if bad else INK)
            self.text(left + 8, self.y + 6, words, 7, PLAIN, INK_3)
        self.y -= 6

    def lines_to_sign(self, roles: Sequence[str]) -> None:
        """Where people sign, by hand."""
        wide = (self.width - 2 * MARGIN) / len(roles)
        self.room(50)
        self.y -= 40
        for n, role in enumerate(roles):
            left = MARGIN + n * wide
            self._canvas.setStrokeColor(INK_3)
            self._canvas.setLineWidth(0.6)
            self._canvas.line(left, self.y + 10, left + wide - 14, self.y + 10)
            self.text(left, self.y, role, 7, PLAIN, INK_3)
        self.y -= 8

    @property
    def canvas(self) -> Any:
        """For drawings of other kinds."""
        return self._canvas

    def _end_page(self) -> None:
        self._canvas.setStrokeColor(LINE)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(MARGIN, 34, self.width - MARGIN, 34)
        self.text(MARGIN, 24, self._title, 7, PLAIN, INK_3)
        right = self.width - MARGIN - ROOM_FOR_PAGES
        self.text(right, 24, f"page {self._number} of ", 7, PLAIN, INK_3, right=True)
        self._canvas.saveState()
        self._canvas.translate(right, 24)
        self._canvas.doForm(PAGES)  # drawn when it is known
        self._canvas.restoreState()
        self._canvas.showPage()


def printable(text: str) -> str:
    """A text as the fonts have it: what they lack is written as its number.

    >>> printable("12 °C \\u6a21")
    '12 °C \\\\u6a21'
    """
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} (cut)"
    plain = "".join(each if each.isprintable() else " " for each in cut)
    return plain.encode("cp1252", "backslashreplace").decode("cp1252")


def _wrapped(text: str, size: float, width: float) -> list[str]:
    text = printable(text)
    if stringWidth(text, PLAIN, size) <= width:
        return [text]
    lines = []
    for line in simpleSplit(text, PLAIN, size, width) or [""]:
        while stringWidth(line, PLAIN, size) > width and len(line) > 1:  # one long word
            n = max(1, int(len(line) * width / stringWidth(line, PLAIN, size)))
            lines.append(line[:n])
            line = line[n:]
        lines.append(line)
    return lines
