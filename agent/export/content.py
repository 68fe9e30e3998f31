"""What a process record says beside its rows: of what, within which limits, with which gaps.

All of it is found in the record and the rows; no clock, and nobody who asks, has a part in it, so
that the same selection says the same next year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from agent.context.entry import Entry
from agent.export.events import Event, events, in_order
from agent.export.manifest import query, software
from agent.export.said import Use
from agent.export.stops import stops_as_events
from agent.export.summary import METHOD, OUTSIDE_COUNT, Line, counts, summarize
from agent.export.table import Table
from agent.export.tally import Tally
from agent.identified import identified
from agent.rows import from_ns, to_ns
from agent.schema import VERSION, golden, identity, machine, mold
from agent.watchwords import SheetLimit, read_limits

CLOCK = (
    "ends of cycles by the machine's stamp where it gives one, else as this agent's computer saw "
    "them; UTC inside, shown in the zone named"
)
EVENTS_IN_MANIFEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A process record without its rows."""

    header: Sequence[tuple[str, str]]
    """Words and what they say, in the order in which they are read."""
    counts: Sequence[tuple[str, int]]
    lines: Sequence[Line]
    """The summary, by signal."""
    limits: Sequence[SheetLimit]
    """Of the set-up sheets that matter, as they were entered."""
    uses: Sequence[Use]
    """What people said, and of which shots."""
    events: Sequence[Event]
    rows_sha256: str

    def to_json(self) -> dict[str, Any]:
        """For a manifest."""
        return {
            "rows_outside_limits": dict(self.counts)[OUTSIDE_COUNT],
            "header": dict(self.header),
            "counts": dict(self.counts),
            "summary": {"method": METHOD, "signals": [_rounded(each) for each in self.lines]},
            "limits": [
                {
                    "mold": each.mold, "revision": each.revision, "signal": each.signal,
                    "low": each.low, "high": each.high, "since": each.since.isoformat(),
                    "by": each.who,
                }
                for each in self.limits
            ],
            "said": [
                {
                    "kind": use.entry.kind, "label": use.entry.label, "machine": use.machine,
                    "first": list(use.first), "last": list(use.last), "rows": use.rows,
                    "details": dict(use.entry.details), "entry": use.entry.number,
                }
                for use in self.uses
            ],
            "events": [each.to_json() for each in self.events[:EVENTS_IN_MANIFEST]],
            "events_in_all": len(self.events),
        }  # fmt: skip


def content(table: Table, zone: ZoneInfo, site: str = "") -> Content:
    """What is beside the rows of a table that were written.

    Args:
        table: After its rows.
        zone: That people's times are in.
        site: Where the presses are, by the configuration.
    """
    survey, tally = table.survey, table.tally
    molds = {(owner[1], owner[2]) for owner in tally.owners}
    ends = max((each.until for each in survey.coverage), default=None)
    with table.history.connect() as connection:
        limits = [
            each
            for each in read_limits(connection)
            if (each.mold, each.revision) in molds and (ends is None or each.since <= ends)
        ]
        happened = events(connection, survey.coverage)
        agent = connection.execute(
            select(identity.c.value).where(identity.c.name == "agent")
        ).scalar()
        approvals = _approvals(connection, table, ends)
        begins = min((each.since for each in survey.coverage), default=None)
        names = {each.machine for each in survey.coverage}
        presses = identified(connection, names, begins, ends) if begins and ends else []
    stops = stops_as_events(tally.stops, survey.coverage, happened)
    uses = sorted(
        table.said.uses.values(), key=lambda use: (use.machine, use.first, use.entry.number)
    )
    unobserved = sum(each.unobserved for each in survey.coverage)
    edges = sum(each.unobserved_at_edges for each in survey.coverage)
    lines = [
        ("Asked for", _words(query(survey.wanted)) or "everything"),
        ("Site", site),
        ("Machine", ", ".join(sorted({each.machine for each in survey.coverage}))),
        ("Makers and serial numbers", "; ".join(presses)),
        ("Mold", ", ".join(sorted({f"{m} {r}" for m, r in molds if m}))),
        ("Part", _of(uses, "part", "part_revision")),
        ("Job", _counted(tally.words.get("job", {}))),
        ("Resin, as the machine says", _counted(tally.words.get("resin", {}))),
        ("Lots of the resin", _of(uses, "lot", "resin")),
        ("Boxes", _of(uses, "box")),
        ("Open cavities", _of(uses, "cavities")),
        ("Operators", _of(uses, "operator")),
        ("Set-up sheet", _of(uses, "sheet")),
        ("Golden reference", approvals),
        ("Flags", ", ".join(f"{flag}: {n}" for flag, n in sorted(tally.flags.items())) or "none"),
        ("Clock", f"{CLOCK}; a time is at most {tally.uncertainty_s:g} s too late{_late(tally)}"),
        ("Time zone", zone.key),
        ("Record", f"{agent or ''}, schema {VERSION}"),
        ("Software", software()),
        ("SHA-256 of its rows", tally.sha256),
    ]
    return Content(
        header=[(name, text or "not known") for name, text in lines],
        counts=counts(tally, unobserved, edges, len(stops)),
        lines=summarize(tally, table.limits.facts),
        limits=limits,
        uses=uses,
        events=in_order([*happened, *stops]),
        rows_sha256=tally.sha256,
    )


def _approvals(connection: Any, table: Table, ends: datetime | None) -> str:
    query_ = (
        select(golden, machine.c.name.label("machine"), mold.c.name.label("mold"))
        .join(machine, machine.c.id == golden.c.machine_id)
        .join(mold, mold.c.id == golden.c.mold_id)
        .order_by(golden.c.id)
    )
    if ends is not None:
        query_ = query_.where(golden.c.at_ns <= to_ns(ends))
    newest = {
        (row.machine, row.mold, row.revision): f"no. {row.id} of {row.mold} {row.revision} on "
        f"{row.machine}, {from_ns(row.at_ns):%Y-%m-%d} by {row.who}"
        for row in connection.execute(query_)
    }
    return "; ".join(newest[each] for each in sorted(newest) if each in table.tally.owners)


def _late(tally: Tally) -> str:
    if tally.late_s is None:
        return ""
    least, most = tally.late_s
    return f"; cycles were received {least:.3f} to {most:.3f} s after they ended"


def _of(uses: Sequence[Use], kind: str, detail: str = "") -> str:
    """Entries of a kind with their shots: `26-0815 (ABS): IMM-07 1200 to 1449`."""
    by_entry: dict[tuple[str, str], list[str]] = {}
    for use in uses:
        if use.entry.kind == kind:
            more = _detail(use.entry, detail)
            by_entry.setdefault((use.entry.label, more), []).append(_shots(use))
    return "; ".join(f"{label}{more}: {', '.join(s)}" for (label, more), s in by_entry.items())


def _detail(entry: Entry, name: str) -> str:
    return f" ({entry.details[name]})" if entry.details.get(name) else ""


def _shots(use: Use) -> str:
    (segment, first), (other, last) = use.first, use.last
    if segment == other:
        return f"{use.machine} {first} to {last}"
    return f"{use.machine} {first} (segment {segment}) to {last} (segment {other})"


def _words(asked: Mapping[str, Any]) -> str:
    def text(value: Any) -> str:
        return f"{value[0]} to {value[1]}" if isinstance(value, list) else str(value)

    return ", ".join(f"{name.replace('_', ' ')} {text(value)}" for name, value in asked.items())


def _counted(words: Mapping[str | None, int]) -> str:
    known = sorted((word, n) for word, n in words.items() if word)
    return ", ".join(f"{word} ({n} cycles)" if len(words) > 1 else word for word, n in known)


def _rounded(line: Line) -> dict[str, Any]:
    """Nine digits: the last ones of a sum depend on the processor."""
    return {
        name: float(f"{value:.9g}") if isinstance(value, float) else value
        for name, value in line.to_json().items()
    }
