"""Which shots an entry is about: its stretch of counters or of time, by what stands beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from agent.archive.catalogue import first_ns
from agent.context.entry import KINDS, Entry
from agent.history import Span
from agent.rows import to_ns
from agent.schema import cycle, machine

if TYPE_CHECKING:  # takes longer to load than a command that only chooses cycles to run
    import numpy as np
    from numpy.typing import NDArray

FAR_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """An entry with the shots that it is about."""

    entry: Entry
    segment: int | None = None
    first: int | None = None
    last: int | None = None
    """Counters of a machine's segment, both included; None: by time."""
    since_ns: int = 0
    until_ns: int = FAR_NS
    """Ends of cycles: at or after, and before."""

    def holds(
        self,
        times_ns: "NDArray[np.int64]",
        segments: "NDArray[np.int64]",
        counters: "NDArray[np.int64]",
    ) -> "NDArray[np.bool_]":
        """Which shots are of them."""
        held: NDArray[np.bool_]
        if self.first is not None and self.last is not None:
            held = (counters >= self.first) & (counters <= self.last) & (segments == self.segment)
        else:
            held = (times_ns >= self.since_ns) & (times_ns < self.until_ns)
        return held

    def near(self, ends: tuple[int, int], shots: tuple[int, int]) -> bool:
        """Whether some of the shots between two times and two counters may be of them."""
        if self.first is not None and self.last is not None:
            return self.first <= shots[1] and self.last >= shots[0]
        return self.since_ns <= ends[1] and self.until_ns > ends[0]

    @property
    def span(self) -> Span:
        """As cycles are chosen by it; of a machine's entry."""
        assert self.entry.machine is not None
        return Span(
            machine=self.entry.machine,
            segment=self.segment,
            first=self.first,
            last=self.last,
            since_ns=self.since_ns if self.first is None else None,
            until_ns=self.until_ns if self.first is None and self.until_ns < FAR_NS else None,
        )


def stretches(connection: Connection, entries: Iterable[Entry]) -> list[Stretch]:
    """Every entry with its shots.

    Of a kind that follows, one without an end holds until the next without an end begins; one that
    says its end holds beside it.

    Args:
        connection: To the record.
        entries: All current ones of their kinds and places: an end may be another's beginning.
    """
    found: list[Stretch] = []
    lines: dict[tuple[str, str | None, str | None, str | None], list[tuple[int, Entry]]] = {}
    for entry in entries:
        place = (entry.kind, entry.machine, entry.mold, entry.revision)
        if KINDS[entry.kind].follows:
            begins = _begins(connection, entry)
            if begins is not None:
                lines.setdefault(place, []).append((begins, entry))
        else:
            found.append(_given(entry))
    for line in lines.values():
        line.sort(key=lambda each: (each[0], each[1].number))
        for n, (begins, entry) in enumerate(line):
            if entry.last is not None or entry.until is not None:
                found.append(_given(entry))
                continue
            later = next(
                (at for at, other in line[n + 1 :] if other.last is None and other.until is None),
                FAR_NS,
            )
            found.append(Stretch(entry=entry, since_ns=begins, until_ns=later))
    return sorted(found, key=lambda each: each.entry.number)


def _given(entry: Entry) -> Stretch:
    if entry.first is not None:
        return Stretch(entry=entry, segment=entry.segment, first=entry.first, last=entry.last)
    return Stretch(
        entry=entry,
        since_ns=to_ns(entry.since) if entry.since else 0,
        until_ns=to_ns(entry.until) if entry.until else FAR_NS,
    )


def _begins(connection: Connection, entry: Entry) -> int | None:
    """When the first shot of an entry ended; None where there is none yet."""
    if entry.first is None:
        return to_ns(entry.since) if entry.since else 0
    query = (
        select(cycle.c.time_ns)
        .join(machine, machine.c.id == cycle.c.machine_id)
        .where(
            machine.c.name == entry.machine,
            cycle.c.segment == entry.segment,
            cycle.c.counter >= entry.first,
        )
        .order_by(cycle.c.counter)
        .limit(1)
    )
    here = connection.execute(query).scalar()
    moved = None
    if entry.machine is not None and entry.segment is not None:
        moved = first_ns(connection, entry.machine, entry.segment, entry.first)
    return min((int(each) for each in (here, moved) if each is not None), default=None)
