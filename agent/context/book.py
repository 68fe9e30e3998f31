"""Entering what no machine says, and reading it: rows that are only ever added to."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from agent.archive.catalogue import NO_END, segment_with
from agent.audit import Author, note
from agent.context.entry import KINDS, Entry, Kind, Said
from agent.context.error import ContextError
from agent.rows import compact, from_ns, to_ns
from agent.schema import context, cycle, machine, mold, segment

LABEL_MOST = 120
DETAIL_MOST = 500


class Book:
    """Operations on what people say of shots, within one transaction.

    Args:
        connection: Of `agent.audit.change`.
        author: Who does it.
    """

    def __init__(self, connection: Connection, author: Author) -> None:
        self._connection = connection
        self._author = author

    def enter(self, said: Said, *, corrects: int | None = None) -> Entry:
        """Keep what somebody says.

        Args:
            said: What.
            corrects: The entry that it takes the place of, which stays to be read.

        Raises:
            ContextError: it lacks something, names what the record does not know, or corrects what
                is corrected already.
        """
        kind = KINDS.get(said.kind)
        if kind is None:
            raise ContextError(f"{said.kind!r} should be one of {', '.join(KINDS)}")
        if corrects is not None:
            self._current(corrects)
        checked = self._checked(kind, said)
        return self._add(checked, corrects=corrects, action="correct" if corrects else "enter")

    def withdraw(self, number: int, why: str) -> Entry:
        """Take an entry back; it stays to be read.

        Raises:
            ContextError: there is none, or it was corrected or withdrawn already.
        """
        if not why.strip():
            raise ContextError("say why it is withdrawn")
        found = self._current(number)
        said = Said(**{name: getattr(found, name) for name in Said.__dataclass_fields__})
        reason = replace(said, details={**said.details, "note": _text(why, DETAIL_MOST, "a note")})
        return self._add(reason, corrects=number, action="withdraw")

    def _current(self, number: int) -> Entry:
        entries = read_entries(self._connection, every=True)
        found = next((each for each in entries if each.number == number), None)
        if found is None or found.withdrawn:
            raise ContextError(f"there is no entry {number}; 'sprue context list' lists them")
        later = next((each for each in entries if each.corrects == number), None)
        if later is not None:
            word = "withdrawn" if later.withdrawn else "corrected"
            raise ContextError(f"entry {number} was {word} already, by entry {later.number}")
        return found

    def _checked(self, kind: Kind, said: Said) -> Said:
        label = _text(said.label, LABEL_MOST, kind.label)
        if kind.name == "cavities":
            label = _cavities(label)
        unknown = sorted(said.details.keys() - set(kind.details))
        if unknown:
            raise ContextError(
                f"{kind.name}: {unknown[0]!r} should be one of {', '.join(kind.details)}"
            )
        details = {
            name: _text(said.details[name], DETAIL_MOST, name)
            for name in kind.details
            if said.details.get(name)
        }
        for name in ("cavities", "cavity"):
            if name in details:
                details[name] = _cavities(details[name])
        if said.since and said.until and said.since >= said.until:
            raise ContextError(f"{kind.name} {label}: ends before it begins")
        checked = replace(said, label=label, details=details)
        return self._on_mold(checked) if kind.on_mold else self._on_machine(kind, checked)

    def _on_mold(self, said: Said) -> Said:
        where = f"{said.kind} {said.label}"
        if said.mold is None:
            raise ContextError(f"{where}: say of which mold")
        if said.machine is not None or said.first is not None:
            raise ContextError(f"{where}: is of a mold's revision, whichever machine it is on")
        row = self._connection.execute(
            select(mold.c.revision).where(mold.c.name == said.mold)
        ).first()
        if row is None:
            raise ContextError(f"the record knows no mold {said.mold!r}; 'sprue molds' lists them")
        return replace(
            said, revision=said.revision or row.revision, since=said.since or self._author.at
        )

    def _on_machine(self, kind: Kind, said: Said) -> Said:
        where = f"{said.kind} {said.label}"
        if said.machine is None:
            raise ContextError(f"{where}: say of which machine")
        if said.mold is not None or said.revision is not None:
            raise ContextError(f"{where}: is of a machine's shots, whichever mold made them")
        key = self._connection.execute(
            select(machine.c.id).where(machine.c.name == said.machine)
        ).scalar()
        if key is None:
            raise ContextError(f"the record knows no machine {said.machine!r}")
        by_shots = said.first is not None
        if by_shots and (said.since or said.until):
            raise ContextError(f"{where}: is by shots or by time, not both")
        if not by_shots and (said.last is not None or said.segment is not None):
            raise ContextError(f"{where}: say the first shot")
        if not by_shots:
            if kind.one_shot:
                raise ContextError(f"{where}: say which shot")
            if not kind.follows and (said.since is None or said.until is None):
                raise ContextError(f"{where}: say its first and last shot, or since and until when")
            return replace(said, since=said.since or self._author.at)
        first, last = said.first or 0, said.last
        if kind.one_shot:
            last = first if last is None else last
            if last != first:
                raise ContextError(f"{where}: a part is of one shot")
        if last is None and not kind.follows:
            raise ContextError(f"{where}: say its last shot")
        if last is not None and last < first:
            raise ContextError(f"{where}: shot {last} comes before shot {first}")
        number = said.segment
        if number is None:
            number = self._segment_of(int(key), said.machine, first, last)
        return replace(said, segment=number, last=last)

    def _segment_of(self, key: int, name: str, first: int, last: int | None) -> int:
        """The newest segment that has the counters; where none has, the present one."""
        inside = select(func.max(cycle.c.segment)).where(
            cycle.c.machine_id == key, cycle.c.counter >= first
        )
        if last is not None:
            inside = inside.where(cycle.c.counter <= last)
        here = self._connection.execute(inside).scalar()
        moved = segment_with(self._connection, key, first, NO_END if last is None else last)
        found = max((each for each in (here, moved) if each is not None), default=None)
        if found is None:
            newest = select(func.max(segment.c.number)).where(segment.c.machine_id == key)
            found = self._connection.execute(newest).scalar()
        if found is None:
            raise ContextError(f"{name}: nothing is known of its counter yet: enter it by time")
        return int(found)

    def _add(self, said: Said, *, corrects: int | None, action: str) -> Entry:
        values: dict[str, Any] = {
            "kind": said.kind,
            "label": said.label,
            "machine_id": self._key(machine, said.machine),
            "mold_id": self._key(mold, said.mold),
            "revision": said.revision,
            "segment": said.segment,
            "first": said.first,
            "last": said.last,
            "since_ns": to_ns(said.since) if said.since else None,
            "until_ns": to_ns(said.until) if said.until else None,
            "details": compact(said.details) if said.details else None,
            "corrects": corrects,
            "withdrawn": int(action == "withdraw"),
            "at_ns": to_ns(self._author.at),
            "who": self._author.who,
        }
        told = {
            name: getattr(said, name)
            for name in Said.__dataclass_fields__
            if getattr(said, name) and name != "label"
        }
        if corrects is not None:
            told["corrects"] = corrects
        audit_id = note(self._connection, self._author, action, "context", said.label, new=told)
        statement = insert(context).values(**values, audit_id=audit_id)
        key = self._connection.execute(statement).inserted_primary_key
        assert key is not None
        entries = read_entries(self._connection, every=True, number=int(key[0]))
        return entries[0]

    def _key(self, table: Any, name: str | None) -> int | None:
        if name is None:
            return None
        found = self._connection.execute(select(table.c.id).where(table.c.name == name)).scalar()
        return None if found is None else int(found)


def read_entries(
    connection: Connection,
    *,
    kinds: Collection[str] = (),
    label: str | None = None,
    machine_name: str | None = None,
    mold_name: str | None = None,
    machines: Collection[str] | None = None,
    every: bool = False,
    number: int | None = None,
) -> list[Entry]:
    """What stands in the record, in the order in which it was entered.

    Args:
        connection: To the record.
        kinds: Of these only; none for all.
        label: With this one.
        machine_name: Of this machine.
        mold_name: Of this mold.
        machines: Of these machines, and of all molds.
        every: Also what was corrected or withdrawn, and withdrawals themselves.
        number: This one only.
    """
    query = (
        select(context, machine.c.name.label("machine"), mold.c.name.label("mold"))
        .outerjoin(machine, machine.c.id == context.c.machine_id)
        .outerjoin(mold, mold.c.id == context.c.mold_id)
        .order_by(context.c.id)
    )
    if not every:
        later = context.alias("later")
        corrected = select(later.c.corrects).where(later.c.corrects.is_not(None))
        query = query.where(context.c.id.not_in(corrected), context.c.withdrawn == 0)
    if kinds:
        query = query.where(context.c.kind.in_(kinds))
    if machines is not None:
        query = query.where(machine.c.name.in_(machines) | context.c.machine_id.is_(None))
    for column, value in (
        (context.c.label, label), (machine.c.name, machine_name), (mold.c.name, mold_name),
        (context.c.id, number),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    return [_entry(row) for row in connection.execute(query).mappings()]


def _entry(row: Mapping[Any, Any]) -> Entry:
    return Entry(
        number=row["id"],
        kind=row["kind"],
        label=row["label"],
        machine=row["machine"],
        mold=row["mold"],
        revision=row["revision"],
        segment=row["segment"],
        first=row["first"],
        last=row["last"],
        since=from_ns(row["since_ns"]) if row["since_ns"] is not None else None,
        until=from_ns(row["until_ns"]) if row["until_ns"] is not None else None,
        details=json.loads(row["details"] or "{}"),
        corrects=row["corrects"],
        withdrawn=bool(row["withdrawn"]),
        at=from_ns(row["at_ns"]),
        who=row["who"],
    )


def _text(text: str, most: int, what: str) -> str:
    text = text.strip()
    if not text:
        raise ContextError(f"say the {what}")
    if len(text) > most:
        raise ContextError(f"{what}: {text[:20]!r}... has more than {most} characters")
    if not text.isprintable():
        raise ContextError(f"{what}: {text!r} has characters that can't be printed")
    return text


def _cavities(text: str) -> str:
    """Numbers of cavities, sorted: `1,2,4`."""
    words = text.replace(";", ",").replace(" ", ",").split(",")
    numbers = [word for word in words if word]
    if not all(word.isascii() and word.isdigit() and 0 < int(word) < 1000 for word in numbers):
        raise ContextError(f"{text!r} should be numbers of cavities, as 1,2,4")
    return ",".join(map(str, sorted({int(word) for word in numbers})))
