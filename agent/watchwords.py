"""What people tell the watch: limits of the set-up sheet, and what a mold should be like.

Each word is a row that is only ever added to, with who said it and when. The running agent takes in
new ones within a second; what it has taken in, its memory of the watch says.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from typing import Any, Literal

from sqlalchemy import Connection, Table, insert, select

from agent.audit import Author, note
from agent.cycle import Booked, Cycle
from agent.ending import CommandError
from agent.history import Filter, History
from agent.rows import from_ns, to_ns
from agent.schema import VALUE_COLUMNS, cycle, golden, machine, mold, sheet_limit
from agent.watch import Facts, Limit
from agent.watch.envelope import Envelope
from agent.watch.shapes import CHOSEN_LEAST, chosen_curves
from drivers.signals import SIGNALS, Kind


class WatchError(CommandError):
    """What was asked for can't be done; the message says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """A person's word on what a mold should be like on a machine."""

    number: int
    action: Literal["approve", "carry"]
    """As it stands, or as the chosen cycles were; or as the revision before."""
    machine: str
    mold: str
    revision: str
    from_revision: str | None
    cycles: tuple[int, int, int] | None
    """Segment, first and last counter of the chosen ones."""
    levels: Mapping[str, float]
    curves: Mapping[str, Mapping[str, Any]]
    """Golden curves of the chosen ones, by signal, as `agent.watch.envelope` keeps them."""
    at: datetime
    who: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLimit:
    """A limit as it was entered; one without low and high lifts those before it."""

    number: int
    mold: str
    revision: str
    signal: str
    low: float | None
    high: float | None
    since: datetime
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything that people told the watch."""

    facts: Mapping[tuple[str, str], Facts] = field(default_factory=dict)
    """By mold and revision."""
    golden: Sequence[Golden] = ()
    """In the order in which they were said."""

    def of(self, mold_name: str, revision: str) -> Facts | None:
        """What is known of one mold revision; None where nothing is."""
        return self.facts.get((mold_name, revision)) or self.facts.get((mold_name, ""))


def read_words(connection: Connection) -> Words:
    """All of it, as the record has it now."""
    known = {
        row.name: (row.wall_mm, row.resin)
        for row in connection.execute(select(mold.c.name, mold.c.wall_mm, mold.c.resin))
    }
    limits: dict[tuple[str, str], list[Limit]] = {}
    for each in read_limits(connection):
        limits.setdefault((each.mold, each.revision), []).append(_limit(each))
    facts = {
        (name, ""): Facts(wall_mm=wall_mm, resin=resin)
        for name, (wall_mm, resin) in known.items()
        if wall_mm is not None or resin is not None
    }
    for (name, revision), found in limits.items():
        wall_mm, resin = known[name]
        facts[name, revision] = Facts(wall_mm=wall_mm, resin=resin, limits=tuple(found))
    return Words(facts=facts, golden=tuple(read_golden(connection)))


def read_limits(connection: Connection, mold_name: str | None = None) -> list[SheetLimit]:
    """Limits as they were entered, in that order."""
    query = (
        select(sheet_limit, mold.c.name.label("mold"))
        .join(mold, mold.c.id == sheet_limit.c.mold_id)
        .order_by(sheet_limit.c.id)
    )
    if mold_name is not None:
        query = query.where(mold.c.name == mold_name)
    return [
        SheetLimit(
            number=row["id"],
            mold=row["mold"],
            revision=row["revision"],
            signal=row["signal"],
            low=row["low"],
            high=row["high"],
            since=from_ns(row["since_ns"]),
            who=row["who"],
        )
        for row in connection.execute(query).mappings()
    ]


def read_golden(connection: Connection, mold_name: str | None = None) -> list[Golden]:
    """Approvals and carried revisions, in the order in which they were said."""
    query = (
        select(golden, machine.c.name.label("machine"), mold.c.name.label("mold"))
        .join(machine, machine.c.id == golden.c.machine_id)
        .join(mold, mold.c.id == golden.c.mold_id)
        .order_by(golden.c.id)
    )
    if mold_name is not None:
        query = query.where(mold.c.name == mold_name)
    return [
        Golden(
            number=row["id"],
            action=row["action"],
            machine=row["machine"],
            mold=row["mold"],
            revision=row["revision"],
            from_revision=row["from_revision"],
            cycles=_cycles(row),
            levels=json.loads(row["levels"] or "{}"),
            curves=json.loads(row["curves"] or "{}"),
            at=from_ns(row["at_ns"]),
            who=row["who"],
            note=row["note"],
        )
        for row in connection.execute(query).mappings()
    ]


def set_limit(
    connection: Connection,
    author: Author,
    mold_name: str,
    signal: str,
    *,
    revision: str | None = None,
    low: float | None = None,
    high: float | None = None,
    since: datetime | None = None,
) -> SheetLimit:
    """Set a limit of a mold revision's set-up sheet; without low and high, lift it.

    Args:
        connection: Of `agent.audit.change`.
        author: Who.
        mold_name: The mold.
        signal: A signal that a cycle has.
        revision: Of the mold; None for the present one.
        low: Least value that is right.
        high: Largest value that is right.
        since: From when on; None for now.

    Raises:
        WatchError: no such mold or signal, or the low limit is above the high one.
    """
    row = _mold(connection, mold_name)
    known = SIGNALS.get(signal)
    if known is None or known.kind not in (Kind.CYCLE, Kind.LEVEL):
        raise WatchError(f"no cycle has a signal {signal!r}; docs/reference/signals.md lists them")
    if low is not None and high is not None and low > high:
        raise WatchError(f"{signal}: the low limit {low:g} is above the high one, {high:g}")
    of = revision or row.revision
    begins = since or author.at
    said = {"mold": mold_name, "revision": of, "signal": signal, "low": low, "high": high}
    action = "limit" if (low, high) != (None, None) else "lift"
    audit_id = note(
        connection, author, action, "watch", mold_name, new=said | {"since": begins.isoformat()}
    )
    number = _insert(
        connection, sheet_limit, mold_id=row.id, revision=of, signal=signal, low=low, high=high,
        since_ns=to_ns(begins), who=author.who, audit_id=audit_id,
    )  # fmt: skip
    return next(each for each in read_limits(connection, mold_name) if each.number == number)


def approve(
    connection: Connection,
    author: Author,
    machine_name: str,
    *,
    cycles: tuple[int, int] | None = None,
    history: History | None = None,
    words: str = "",
) -> Golden:
    """Approve what the mold on a machine is like: as it stands, or as some cycles of it were.

    Args:
        connection: Of `agent.audit.change`.
        author: Who.
        machine_name: The machine.
        cycles: First and last counter of the chosen ones, in the machine's present segment.
        history: Where they are read from, with their curves; where some are chosen, it is needed.
        words: A note.

    Raises:
        WatchError: no such machine, no mold on it, or too few of the chosen cycles.
    """
    on = _mounted(connection, machine_name)
    levels: dict[str, float] = {}
    curves: dict[str, Envelope] = {}
    segment: int | None = None
    if cycles is not None:
        segment = on.segment
        assert history is not None
        chosen = _chosen(history, on, machine_name, cycles)
        levels = _levels([each.cycle for each in chosen])
        curves = chosen_curves(replace(each.cycle, curves=history.curves(each)) for each in chosen)
    first, last = cycles or (None, None)
    said = {"machine": machine_name, "revision": on.revision, "first": first, "last": last}
    audit_id = note(connection, author, "approve", "watch", on.name, new=said)
    return _add_golden(
        connection, action="approve", machine_id=on.machine_id, mold_id=on.mold_id,
        revision=on.revision, segment=segment, first=first, last=last,
        levels=json.dumps(levels) if levels else None,
        curves=json.dumps({name: each.save() for name, each in curves.items()}) if curves else None,
        at_ns=to_ns(author.at), who=author.who,
        note=words, audit_id=audit_id,
    )  # fmt: skip


def carry(
    connection: Connection,
    author: Author,
    machine_name: str,
    mold_name: str,
    from_revision: str,
    to_revision: str,
    *,
    words: str = "",
) -> Golden:
    """Let a new revision of a mold begin on a machine with what the old one was like there.

    Raises:
        WatchError: no such machine or mold, or both revisions are the same.
    """
    if from_revision == to_revision:
        raise WatchError(f"to carry {from_revision} over to itself changes nothing")
    row = _mold(connection, mold_name)
    machine_id = connection.execute(
        select(machine.c.id).where(machine.c.name == machine_name)
    ).scalar()
    if machine_id is None:
        raise WatchError(f"the record knows no machine {machine_name!r}")
    said = {"machine": machine_name, "from": from_revision, "to": to_revision}
    audit_id = note(connection, author, "carry", "watch", mold_name, new=said)
    return _add_golden(
        connection, action="carry", machine_id=machine_id, mold_id=row.id, revision=to_revision,
        from_revision=from_revision, at_ns=to_ns(author.at), who=author.who, note=words,
        audit_id=audit_id,
    )  # fmt: skip


def _limit(each: SheetLimit) -> Limit:
    low = each.low
    if low is None and each.high is None:
        low = float("-inf")  # in force like any other, and crossed by nothing
    return Limit(signal=each.signal, low=low, high=each.high, since=each.since, author=each.who)


def _cycles(row: Mapping[Any, Any]) -> tuple[int, int, int] | None:
    return None if row["segment"] is None else (row["segment"], row["first"], row["last"])


def _mold(connection: Connection, name: str) -> Any:
    query = select(mold.c.id, mold.c.revision).where(mold.c.name == name)
    row = connection.execute(query).first()
    if row is None:
        raise WatchError(f"the record knows no mold {name!r}; 'sprue molds list' lists them")
    return row


def _mounted(connection: Connection, machine_name: str) -> Any:
    """The newest cycle's mold: that is what the watch has a baseline of."""
    query = (
        select(
            machine.c.id.label("machine_id"), mold.c.id.label("mold_id"), mold.c.name,
            cycle.c.revision, cycle.c.segment,
        )
        .select_from(cycle.join(machine, machine.c.id == cycle.c.machine_id))
        .join(mold, mold.c.id == cycle.c.mold_id)
        .where(machine.c.name == machine_name)
        .order_by(cycle.c.id.desc())
        .limit(1)
    )  # fmt: skip
    row = connection.execute(query).first()
    if row is None:
        raise WatchError(f"the record has no cycle of a known mold on a machine {machine_name!r}")
    return row


def _chosen(history: History, on: Any, machine_name: str, cycles: tuple[int, int]) -> list[Booked]:
    """The chosen good cycles, without their curves; where they lie does not matter."""
    first, last = cycles
    wanted = Filter(
        machine=machine_name, mold=on.name, revision=on.revision, segment=on.segment,
        counters=cycles, state="production",
    )  # fmt: skip
    found = [each for each in history.cycles(wanted) if each.cycle.closing == "shot"]
    if len(found) < CHOSEN_LEAST:
        raise WatchError(
            f"{machine_name}: shots {first} to {last} of mold {on.name} are {len(found)} good "
            f"cycles in the record; it takes at least {CHOSEN_LEAST}"
        )
    return found


def _levels(chosen: Sequence[Cycle]) -> dict[str, float]:
    """The middle of every signal over the chosen cycles."""
    levels = {}
    for name in VALUE_COLUMNS:
        if SIGNALS[name].kind in (Kind.CYCLE, Kind.LEVEL):
            values = [
                float(value)
                for each in chosen
                if isinstance(value := each.values.get(name), int | float)
            ]
            if len(values) >= CHOSEN_LEAST:
                levels[name] = median(values)
    return levels


def _add_golden(connection: Connection, **row: Any) -> Golden:
    number = _insert(connection, golden, **row)
    return next(each for each in read_golden(connection) if each.number == number)


def _insert(connection: Connection, table: Table, **row: Any) -> int:
    key = connection.execute(insert(table).values(**row)).inserted_primary_key
    assert key is not None
    return int(key[0])
