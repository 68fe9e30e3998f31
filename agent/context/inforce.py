"""What people said that holds for the shots of a page of cycles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from agent.context.book import read_entries
from agent.context.entry import KINDS
from agent.context.stretch import Stretch, stretches


@dataclass(slots=True)
class InForce:
    """What holds for a shot; `in_force` makes one."""

    _wide: Mapping[tuple[str, str | tuple[str, str]], Sequence[Stretch]]
    """By kind, and machine or mold and revision."""
    _single: Mapping[tuple[str, str, int, int], Sequence[Stretch]]
    """Of one shot alone: by kind, machine, segment and counter."""

    def held(self, page: Any, kind: str) -> list[tuple[Stretch, list[int]]]:
        """What holds for rows of a page of cycles, each with the numbers of those rows.

        Args:
            page: An `agent.export.page.Page`.
            kind: Of `KINDS`.
        """
        on_mold = KINDS[kind].on_mold
        found: list[tuple[Stretch, list[int]]] = []
        names = ("mold", "revision") if on_mold else ("machine",)
        for owner, rows in page.places(*names).items():
            wide = self._wide.get((kind, owner if on_mold else owner[0]))
            if wide is None:
                continue
            times = page.wholes("time_ns")[rows]
            segments, counters = page.wholes("segment")[rows], page.wholes("counter")[rows]
            ends = int(times.min()), int(times.max())
            shots = int(counters.min()), int(counters.max())
            for each in wide:
                if not each.near(ends, shots):
                    continue
                hits = rows[each.holds(times, segments, counters)]
                if len(hits):
                    found.append((each, hits.tolist()))
        if self._single:
            every = zip(page["machine"], page["segment"], page["counter"], strict=True)
            for n, shot in enumerate(every):
                found += ((each, [n]) for each in self._single.get((kind, *shot), ()))
        return sorted(found, key=lambda each: each[0].entry.number)


def in_force(connection: Connection, machines: Collection[str]) -> InForce:
    """What people said of shots of some machines, and of all molds."""
    entries = read_entries(connection, machines=machines)
    wide: dict[tuple[str, str | tuple[str, str]], list[Stretch]] = {}
    single: dict[tuple[str, str, int, int], list[Stretch]] = {}
    for each in stretches(connection, entries):
        entry = each.entry
        if entry.machine is None:
            place: str | tuple[str, str] = (str(entry.mold), str(entry.revision))
        else:
            place = entry.machine
            if each.first is not None and each.first == each.last:
                key = (entry.kind, entry.machine, each.segment or 0, each.first)
                single.setdefault(key, []).append(each)
                continue
        wide.setdefault((entry.kind, place), []).append(each)
    return InForce(wide, single)
