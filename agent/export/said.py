"""Columns of what people said of shots, and of which shots each entry was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.context.entry import Entry
from agent.context.inforce import InForce
from agent.context.stretch import Stretch
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
        found: dict[str, Sequence[str]] = {}
        nothing = [""] * len(page.rows)
        held = {kind: self.known.held(page, kind) for kind in dict.fromkeys(COLUMNS.values())}
        for name, kind in COLUMNS.items():
            found[name] = _cells(name, held[kind], nothing) if held[kind] else nothing
        if counted:
            for kind in held:
                for stretch, rows in held[kind]:
                    self._use(page, stretch.entry, rows)
        return found

    def _use(self, page: Page, entry: Entry, rows: Sequence[int]) -> None:
        machines, segments, counters = page["machine"], page["segment"], page["counter"]
        for machine in {machines[n] for n in rows}:
            shots = [(segments[n], counters[n]) for n in rows if machines[n] == machine]
            key = (entry.number, machine)
            use = self.uses.get(key)
            if use is None:
                use = self.uses[key] = Use(entry, machine, shots[0], shots[0])
            use.first, use.last = min(use.first, *shots), max(use.last, *shots)
            use.rows += len(shots)


def _cells(
    column: str, held: Sequence[tuple[Stretch, Sequence[int]]], nothing: Sequence[str]
) -> list[str]:
    cells = list(nothing)
    for stretch, rows in held:
        entry = stretch.entry
        word = entry.details.get(column, "") if column == "part_revision" else entry.label
        if word:
            for n in rows:
                cells[n] = f"{cells[n]}{BETWEEN}{word}" if cells[n] else word
    return cells
