"""What people do to molds: every operation, whoever calls it: a command or a page.

Each checks what it is told, writes what is new beside what was, and leaves an audit row with who,
when, from where, old and new. Nothing is overwritten that a sum rests on.

    with change(url) as connection:
        desk = Desk(connection, Author(who="M. Ortiz", at=now()))
        desk.mount("IMM-07", "A-2101", since=at)
"""

import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Table, func, insert, select

from agent import schema
from agent.archive.catalogue import closings_of
from agent.audit import Author, note
from agent.ending import CommandError
from agent.molds.attributing import attribute, took_row
from agent.molds.fields import JSON_FIELDS, SHOTS_MOST, MoldFields
from agent.molds.life import Took, sum_of
from agent.molds.mold import COMPONENTS, INSERTS, Mold
from agent.molds.servicelog import KINDS, LEVEL_OF, Service
from agent.molds.shelf import read_molds, read_services, read_shelf, read_took
from agent.rows import from_ns, to_ns
from drivers.checked import complaints


class MoldError(CommandError):
    """What was asked for can't be done; the message says why, and what would be right."""


class Desk:
    """Operations on the molds of a record, within one transaction.

    Args:
        connection: Of `agent.audit.change`.
        author: Who does it.
    """

    def __init__(self, connection: Connection, author: Author) -> None:
        self._connection = connection
        self._author = author

    # Molds

    def add(
        self, name: str, fields: Mapping[str, Any], *, revision: str = "A", registered: bool = True
    ) -> Mold:
        """Register a mold; one that only a machine has named so far keeps its shots.

        Raises:
            MoldError: it is registered already, or a field is not right.
        """
        name, revision = _name(name, "mold id", 64), _name(revision, "revision", 16)
        known = read_molds(self._connection).get(name)
        if known is not None and known.registered:
            raise MoldError(f"mold {name} is registered already; 'edit' changes it")
        said = checked(fields, f"mold {name}")
        table = schema.mold
        audit = self._note("add", name, new={"revision": revision} | said)
        if known is None:
            row = {"name": name, "revision": revision, "registered": int(registered)}
            self._insert(table, row | _columns(said))
        else:
            self._connection.execute(
                table.update()
                .where(table.c.name == name)
                .values(registered=1, revision=revision, **_columns(said))
            )
        self._first_revision(name, revision, audit, renamed=known is not None)
        return self.mold(name)

    def edit(self, name: str, fields: Mapping[str, Any]) -> Mold:
        """Change what is known of a mold; fields that are not named stay, None empties one.

        Raises:
            MoldError: there is no such mold, or a field is not right.
        """
        mold = self.mold(name)
        said = checked(fields, f"mold {name}")
        table = schema.mold
        row = self._connection.execute(select(table).where(table.c.name == name)).mappings().one()
        old = {key: _plain(key, row[key]) for key in said}
        changed = {key: value for key, value in said.items() if (old[key] or None) != value}
        if not changed:
            return mold
        self._note("edit", name, old={key: old[key] for key in changed}, new=changed)
        self._connection.execute(
            table.update().where(table.c.name == name).values(**_columns(changed))
        )
        return self.mold(name)

    def retire(self, name: str, reason: str, *, back: bool = False) -> Mold:
        """Take a mold out of lists and alerts, or take it back; its record stays.

        Raises:
            MoldError: there is no such mold.
        """
        mold = self.mold(name)
        if mold.retired != (not back):
            new = {"retired": not back, "reason": reason}
            self._note("retire", name, old={"retired": mold.retired}, new=new)
            table = schema.mold
            self._connection.execute(
                table.update().where(table.c.name == name).values(retired=int(not back))
            )
        return self.mold(name)

    def revise(
        self,
        name: str,
        *,
        revision: str | None = None,
        since: datetime | None = None,
        restarts: Sequence[str] = (INSERTS,),
        reason: str = "",
    ) -> Mold:
        """Begin a new revision: a re-cut, or other inserts.

        Args:
            name: The mold.
            revision: The new one's name; None: the next letter or number.
            since: From when its shots are the new one's; None: now.
            restarts: Components whose life begins anew; the others' goes on.
            reason: What was done.

        Raises:
            MoldError: no such mold, a revision that it has had, or a component it has not.
        """
        mold = self.mold(name)
        since = since or self._author.at
        revision = _name(revision or following(mold.revision), "revision", 16)
        if since > self._author.at:
            raise MoldError(f"revision {revision} of {name} can't begin in the future")
        if revision in {each.name for each in mold.revisions}:
            raise MoldError(
                f"mold {name} has had a revision {revision}; the next would be "
                f"{following(mold.revision)}"
            )
        for component in restarts:
            if component not in COMPONENTS:
                raise MoldError(f"{component!r} should be one of {', '.join(COMPONENTS)}")
        new = {
            "revision": revision,
            "since": since.isoformat(),
            "restarts": list(restarts),
            "reason": reason,
        }
        audit = self._note("revise", name, old={"revision": mold.revision}, new=new)
        self._insert(
            schema.mold_revision,
            {
                "mold_id": self._mold_id(name),
                "revision": revision,
                "since_ns": to_ns(since),
                "restarts": json.dumps(list(restarts)),
                "note": reason,
                "audit_id": audit,
            },
        )
        newest = max(mold.revisions, key=lambda each: each.since, default=None)
        if newest is None or newest.since <= since:
            table = schema.mold
            self._connection.execute(
                table.update().where(table.c.name == name).values(revision=revision)
            )
        attribute(self._connection, self._author, audit - 1)
        return self.mold(name)

    # Where it sits

    def mount(
        self,
        machine: str,
        mold: str | None,
        *,
        since: datetime | None = None,
        revision: str | None = None,
        resin: str | None = None,
        cavities_open: int | None = None,
        reason: str = "",
    ) -> int:
        """Say what sits on a machine since when; shots since then are attributed to it.

        Args:
            machine: Its name.
            mold: None: nothing, it was taken off.
            since: None: now.
            revision: None: the one that the mold had at the time.
            resin: None: what the machine says, or the mold's usual one.
            cavities_open: None: all.
            reason: For the record.

        Returns:
            Number of the entry, by which it can be withdrawn.

        Raises:
            MoldError: no such machine, mold or revision, or a time to come.
        """
        since = since or self._author.at
        key = self._machine_id(machine)
        if since > self._author.at:
            raise MoldError(f"{machine}: a mount can't begin in the future; say it when it is done")
        if mold is not None:
            known = self.mold(mold)
            if revision is not None and revision not in {each.name for each in known.revisions}:
                names = ", ".join(each.name for each in known.revisions)
                raise MoldError(f"mold {mold} has no revision {revision}; it has {names}")
            most = known.cavities or 1024
            if cavities_open is not None and not 1 <= cavities_open <= most:
                raise MoldError(f"mold {mold}: open cavities should be from 1 to {most}")
        new = {
            "mold": mold,
            "revision": revision,
            "since": since.isoformat(),
            "resin": resin,
            "cavities_open": cavities_open,
            "reason": reason,
        }
        action = "mount" if mold is not None else "unmount"
        audit = self._note(action, machine, kind="machine", new=new)
        entry = self._insert(
            schema.mount_entry,
            {
                "machine_id": key,
                "mold_id": self._mold_id(mold) if mold is not None else None,
                "revision": revision,
                "resin": resin,
                "cavities_open": cavities_open,
                "since_ns": to_ns(since),
                "note": reason,
                "audit_id": audit,
            },
        )
        attribute(self._connection, self._author, audit - 1)
        return entry

    def unmount(
        self, machine: str, mold: str, *, since: datetime | None = None, reason: str = ""
    ) -> int:
        """Say that a mold was taken off a machine; the number of the entry.

        Raises:
            MoldError: no such mold, or it does not sit there by now.
        """
        on = read_shelf(self._connection).where().get(self.mold(mold).name)
        if on is None or on.machine != machine:
            raise MoldError(f"{mold} is not on {machine or 'a press'} any more")
        return self.mount(machine, None, since=since, reason=reason)

    def withdraw(self, entry: int, reason: str) -> None:
        """Take back a mount that was entered by mistake; shots go back where they were.

        Raises:
            MoldError: there is no such entry, or it is withdrawn already.
        """
        table = schema.mount_entry
        row = self._connection.execute(
            select(table, schema.machine.c.name.label("machine"))
            .join(schema.machine)
            .where(table.c.id == entry, table.c.withdraws.is_(None))
        ).first()
        if row is None:
            raise MoldError(f"there is no mount entry {entry}; 'timeline' shows their numbers")
        if self._connection.execute(select(table.c.id).where(table.c.withdraws == entry)).first():
            raise MoldError(f"mount entry {entry} is withdrawn already")
        new = {"entry": entry, "reason": reason}
        audit = self._note("withdraw", row.machine, kind="machine", new=new)
        self._insert(
            table,
            {
                "machine_id": row.machine_id,
                "since_ns": row.since_ns,
                "note": reason,
                "withdraws": entry,
                "audit_id": audit,
            },
        )
        attribute(self._connection, self._author, audit - 1)

    # What was done to it, and its count

    def service(self, entry: Service) -> Service:
        """Write an entry into the service log; with `corrects`, in place of another.

        Raises:
            MoldError: no such mold, kind, level or corrected entry, or a time to come.
        """
        mold = self.mold(entry.mold)
        if entry.kind not in KINDS:
            raise MoldError(f"{entry.kind!r} should be one of {', '.join(KINDS)}")
        level = entry.level if entry.level is not None else LEVEL_OF.get(entry.kind)
        if level is not None and not 1 <= level <= 5:
            raise MoldError(f"level {level} should be from 1 to 5")
        if entry.at > self._author.at:
            raise MoldError("a service can't be entered before it is done")
        for word, number in (("hours", entry.hours), ("cost", entry.cost)):
            if number is not None and not 0 <= number < math.inf:
                raise MoldError(f"{word}: found {number}; it should be 0 or more")
        if (entry.shots or 0) > SHOTS_MOST:
            raise MoldError(f"shots: found {entry.shots}; it should be at most {SHOTS_MOST:,}")
        log = read_services(self._connection, mold.name).get(mold.name, [])
        old: Service | None = None
        if entry.corrects is not None:
            old = next((each for each in log if each.id == entry.corrects), None)
            if old is None:
                raise MoldError(f"mold {mold.name} has no service entry {entry.corrects}")
            if any(each.corrects == entry.corrects for each in log):
                raise MoldError(f"service entry {entry.corrects} is corrected already")
        shots = entry.shots if entry.shots is not None else self.shots_at(mold.name, entry.at)
        row = {
            "revision": entry.revision or mold.revision_at(entry.at),
            "at_ns": to_ns(entry.at),
            "kind": entry.kind,
            "level": level,
            "what": entry.what,
            "done_by": entry.done_by or self._author.who,
            "shots": shots,
            "defect": entry.defect,
            "cavity": entry.cavity,
            "action": entry.action,
            "replaced": entry.replaced,
            "hours": entry.hours,
            "cost": entry.cost,
            "links": json.dumps(list(entry.links)) if entry.links else None,
            "checklist": json.dumps(dict(entry.checklist)) if entry.checklist else None,
            "corrects": entry.corrects,
        }
        new = {key: value for key, value in row.items() if value not in (None, "")}
        kept = {"entry": old.id, "what": old.what, "shots": old.shots} if old else None
        audit = self._note("service", mold.name, old=kept, new=new)
        ident = {"mold_id": self._mold_id(mold.name), "audit_id": audit}
        key = self._insert(schema.service, row | ident)
        entries = read_services(self._connection, mold.name)[mold.name]
        return next(each for each in entries if each.id == key)

    def correct(
        self,
        name: str,
        shots: int,
        reason: str,
        *,
        revision: str | None = None,
        resin: str | None = None,
        closings: int | None = None,
        kind: str = "correction",
    ) -> int:
        """Add a signed row to a mold's count; nothing is overwritten.

        Args:
            name: The mold.
            shots: To add; below 0 to take away.
            reason: Why; it must be said.
            revision: None: the present one.
            resin: That they were made of; None: not known.
            closings: None: as many as shots.
            kind: `correction`, or `start` for what the mold took before Sprue counted.

        Returns:
            The mold's shots of all revisions from now on.

        Raises:
            MoldError: no such mold or revision, no reason, or less than nothing would be left.
        """
        mold = self.mold(name)
        revision = revision or mold.revision
        if not reason.strip():
            raise MoldError(f"mold {name}: a correction needs a reason")
        if revision not in {each.name for each in mold.revisions}:
            names = ", ".join(each.name for each in mold.revisions)
            raise MoldError(f"mold {name} has no revision {revision}; it has {names}")
        took = read_took(self._connection).get(name, {})
        before = sum_of(took).shots
        if before + shots > SHOTS_MOST:
            raise MoldError(f"mold {name}: with {shots} more it would have over {SHOTS_MOST:,}")
        of_revision = sum_of(took, frozenset({revision})).shots
        if of_revision + shots < 0:
            raise MoldError(
                f"mold {name} {revision} has {of_revision} shots; can't take {-shots} away"
            )
        new = {"shots": shots, "revision": revision, "resin": resin, "reason": reason}
        audit = self._note(kind, name, old={"shots": before}, new=new)
        total = Took(
            shots=shots,
            shots_min=shots,
            shots_max=shots,
            closings=shots if closings is None else closings,
        )
        self._insert(
            schema.adjustment,
            {
                "kind": kind,
                "mold_id": self._mold_id(name),
                "revision": revision,
                "resin": resin,
                "at_ns": to_ns(self._author.at),
                "reason": reason,
                "audit_id": audit,
                **took_row(total),
            },
        )
        return before + shots

    # Looking up

    def mold(self, name: str) -> Mold:
        """A mold by its name.

        Raises:
            MoldError: there is none; the message names near ones.
        """
        molds = read_molds(self._connection)
        if name not in molds:
            raise MoldError(f"there is no mold {name}{_near(name, molds)}; 'add' registers one")
        return molds[name]

    def shots_at(self, name: str, at: datetime) -> int:
        """Shots of all revisions that a mold had taken at a time."""
        total = sum_of(read_took(self._connection).get(name, {})).shots
        run, cycle, adjustment = schema.run, schema.cycle, schema.adjustment
        key, ns = self._mold_id(name), to_ns(at)
        later = 0
        for row in self._connection.execute(
            select(run).where(run.c.mold_id == key, run.c.until_ns > ns)
        ).all():
            if row.since_ns > ns or row.kind != "seen":
                later += row.shots
                continue
            seen = select(func.count()).where(
                cycle.c.machine_id == row.machine_id,
                cycle.c.segment == row.segment,
                cycle.c.counter.between(row.first, row.last),
                cycle.c.time_ns > ns,
                cycle.c.closing == "shot",
            )
            later += int(self._connection.execute(seen).scalar_one())
            gone = closings_of(self._connection, row.machine_id, row.segment, row.first, row.last)
            later += int(gone.shots[gone.times_ns > ns].sum())
        moved = select(func.coalesce(func.sum(adjustment.c.shots), 0)).where(
            adjustment.c.mold_id == key, adjustment.c.at_ns > ns
        )
        return total - later - int(self._connection.execute(moved).scalar_one())

    def _first_revision(self, name: str, revision: str, audit: int, *, renamed: bool) -> None:
        table = schema.mold_revision
        key = self._mold_id(name)
        known = self._connection.execute(
            select(table.c.revision).where(table.c.mold_id == key)
        ).scalars()
        if revision in set(known):
            return
        # One that a machine named first has shots already, on the revision that we gave it.
        since = self._author.at if renamed else from_ns(0)
        self._insert(
            table,
            {
                "mold_id": key,
                "revision": revision,
                "since_ns": to_ns(since),
                "restarts": json.dumps([INSERTS]),
                "note": "",
                "audit_id": audit,
            },
        )

    def _mold_id(self, name: str) -> int:
        table = schema.mold
        return int(
            self._connection.execute(select(table.c.id).where(table.c.name == name)).scalar_one()
        )

    def _machine_id(self, name: str) -> int:
        table = schema.machine
        ids = {row.name: row.id for row in self._connection.execute(select(table))}
        if name not in ids:
            raise MoldError(f"there is no machine {name}{_near(name, ids)}")
        return int(ids[name])

    def _note(
        self,
        action: str,
        subject: str,
        *,
        kind: str = "mold",
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> int:
        return note(self._connection, self._author, action, kind, subject, old=old, new=new)

    def _insert(self, table: Table, row: Mapping[str, Any]) -> int:
        key = self._connection.execute(insert(table).values(**row)).inserted_primary_key
        assert key is not None
        return int(key[0])


def checked(fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Fields as plain JSON values.

    Raises:
        MoldError: one sentence per mistake.
    """
    try:
        return MoldFields.model_validate(dict(fields)).said()
    except ValidationError as error:
        raise MoldError("\n".join(complaints(error, where, MoldFields))) from error


def following(revision: str) -> str:
    """The revision after a re-cut.

    >>> following("A"), following("Z"), following("AZ"), following("9"), following("R09")
    ('B', 'AA', 'BA', '10', 'R10')
    """
    digits = len(revision) - len(revision.rstrip("0123456789"))
    if digits:
        head, number = revision[:-digits], revision[-digits:]
        return f"{head}{int(number) + 1:0{digits}d}"
    head, last = revision[:-1], revision[-1:]
    if last.isascii() and last.isalpha() and last.upper() != "Z":
        return head + chr(ord(last) + 1)
    return (following(head) if head else "A") + "A"


def _columns(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: (json.dumps(value) if value else None) if key in JSON_FIELDS else value
        for key, value in said.items()
    }


def _plain(key: str, value: Any) -> Any:
    return json.loads(value) if key in JSON_FIELDS and value is not None else value


def _name(text: str, what: str, longest: int) -> str:
    name = text.strip()
    if not name or len(name) > longest or not name.isprintable():
        raise MoldError(f"{what} {text!r} should be 1 to {longest} printable letters")
    return name


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


__all__ = ["Desk", "MoldError", "checked", "following"]
