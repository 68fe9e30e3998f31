"""Columns of what people said of shots, and of which shots each entry was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.context.entry import Entry
from agent.context.inforce import InForce, Stretch
from agent.export.page import Page

COLUMNS: Mapping[str, str] = {
    "resin_lot": "lot",
    "operator": "operator",
    "open_cavities": "cavities",
    "box": "box",
    "part_ids": "id",
    "part_number": "part",
    "part_revision": "part",
    "sheet_version": "sheet",
}
"""Kind of entry by name of column."""
BETWEEN = " + "
"""Where two hold at once: a blend of lots, say."""


@dataclass(slots=True)
class Use:
    """The shots of an export for which an entry holds."""

    entry: Entry
    machine: str
    first: tuple[int, int]
    """Segment and counter."""
    last: tuple[int, int]
    rows: int = 0


@dataclass(slots=True)
class Said:
    """Fills the columns; what was used is known after all rows."""

    known: InForce
    uses: dict[tuple[int, str], Use] = field(default_factory=dict)
    """By number of the entry, and machine."""

    def columns(self, page: Page, *, counted: bool) -> Mapping[str, Sequence[str]]:
        """Cells by column; empty where nobody said anything.

        Args:
            page: Rows.
            counted: They are counted as what entries were used for.
        """
        held = {kind: self.known.cells(page, kind) for kind in dict.fromkeys(COLUMNS.values())}
        found: dict[str, Sequence[str]] = {}
        nothing = [""] * len(page.rows)
        for name, kind in COLUMNS.items():
            if any(held[kind]):
                found[name] = [_cell(name, each) for each in held[kind]]
            else:
                found[name] = nothing
        for cells in held.values():
            if counted and any(cells):
                self._use(page, cells)
        return found

    def _use(self, page: Page, cells: Sequence[Sequence[Stretch]]) -> None:
        places = zip(page["machine"], page["segment"], page["counter"], cells, strict=True)
        for machine, segment, counter, held in places:
            for each in held:
                key = (each.entry.number, machine)
                at = (segment, counter)
                use = self.uses.get(key)
                if use is None:
                    use = self.uses[key] = Use(each.entry, machine, at, at)
                use.first, use.last = min(use.first, at), max(use.last, at)
                use.rows += 1


def _cell(column: str, held: Sequence[Stretch]) -> str:
    if not held:
        return ""
    if column == "part_revision":
        words = [each.entry.details.get("part_revision", "") for each in held]
    else:
        words = [each.entry.label for each in held]
    return BETWEEN.join(word for word in words if word)
