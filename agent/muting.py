"""What people do not want to be called for: muted with a reason and an end.

A muted anomaly is found and kept like any other; it only does not ask for anyone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from agent.anomaly import CAUSES, Anomaly, AnomalyError
from agent.audit import Author, note
from agent.rows import from_ns, to_ns
from agent.schema import machine, mold, mute, unmute


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """What people do not want to be called for, and until when; what is None does not matter."""

    number: int
    machine: str | None
    mold: str | None
    kind: str | None
    cause: str | None
    signal: str | None
    since: datetime
    until: datetime
    """As planned, or when it was ended early."""
    who: str
    reason: str

    def covers(self, found: Anomaly) -> bool:
        """Whether it is about such an anomaly; its end is not looked at."""
        return all(
            wanted is None or wanted == is_
            for wanted, is_ in (
                (self.machine, found.machine),
                (self.mold, found.mold),
                (self.kind, found.kind),
                (self.cause, found.cause),
                (self.signal, found.signal),
            )
        )


def mute_like(
    connection: Connection, author: Author, like: Anomaly, *, until: datetime, reason: str
) -> Mute:
    """Mute whatever is like an anomaly: of the same machine, mold, kind, cause and signal.

    Raises:
        AnomalyError: there is no reason, or the end is past.
    """
    return mute_all(
        connection,
        author,
        machine_name=like.machine,
        mold_name=like.mold,
        kind=like.kind,
        cause=like.cause,
        signal=like.signal,
        until=until,
        reason=reason,
    )


def mute_all(
    connection: Connection,
    author: Author,
    *,
    machine_name: str | None = None,
    mold_name: str | None = None,
    kind: str | None = None,
    cause: str | None = None,
    signal: str | None = None,
    until: datetime,
    reason: str,
) -> Mute:
    """Mute a machine, a mold, a kind of anomaly, or what is all of these.

    Raises:
        AnomalyError: nothing says what to mute, there is no reason, an end that is past, or a
            machine, mold or kind that nobody knows.
    """
    if not reason.strip():
        raise AnomalyError("to mute takes a reason")
    if until <= author.at:
        raise AnomalyError(f"the end of a mute should lie ahead; found {until.isoformat()}")
    if machine_name is None and mold_name is None and kind is None:
        raise AnomalyError("say what to mute: an anomaly, a machine, a mold or a kind")
    refuse_unknown_kind(kind, cause)
    row = {
        "machine_id": _id_of(connection, machine, machine_name, "machine"),
        "mold_id": _id_of(connection, mold, mold_name, "mold"),
        "kind": kind,
        "cause": cause,
        "signal": signal,
        "since_ns": to_ns(author.at),
        "until_ns": to_ns(until),
        "who": author.who,
        "reason": reason,
    }
    scope = {
        "machine": machine_name, "mold": mold_name, "kind": kind, "cause": cause, "signal": signal
    }  # fmt: skip
    subject = " ".join(str(word) for word in scope.values() if word)
    new = scope | {"until": until.isoformat(), "reason": reason}
    audit_id = note(connection, author, "mute", "anomaly", subject, new=new)
    key = connection.execute(insert(mute).values(**row, audit_id=audit_id)).inserted_primary_key
    assert key is not None
    return next(each for each in mutes(connection) if each.number == key[0])


def end_mute(connection: Connection, author: Author, number: int) -> Mute:
    """End a mute before its time.

    Raises:
        AnomalyError: there is no such mute, or it has ended.
    """
    found = next((each for each in mutes(connection) if each.number == number), None)
    if found is None:
        raise AnomalyError(f"there is no mute {number}; 'sprue anomalies mutes' lists them")
    if found.until <= author.at:
        raise AnomalyError(f"mute {number} ended at {found.until.isoformat()}")
    audit_id = note(connection, author, "unmute", "anomaly", f"mute {number}")
    connection.execute(
        insert(unmute).values(
            mute_id=number, at_ns=to_ns(author.at), who=author.who, audit_id=audit_id
        )
    )
    return next(each for each in mutes(connection) if each.number == number)


def mutes(connection: Connection) -> list[Mute]:
    """Every mute there was, oldest first."""
    query = (
        select(
            mute,
            machine.c.name.label("machine"),
            mold.c.name.label("mold"),
            unmute.c.at_ns.label("ended_ns"),
        )
        .outerjoin(machine, machine.c.id == mute.c.machine_id)
        .outerjoin(mold, mold.c.id == mute.c.mold_id)
        .outerjoin(unmute, unmute.c.mute_id == mute.c.id)
        .order_by(mute.c.id)
    )
    return [
        Mute(
            number=row["id"],
            machine=row["machine"],
            mold=row["mold"],
            kind=row["kind"],
            cause=row["cause"],
            signal=row["signal"],
            since=from_ns(row["since_ns"]),
            until=from_ns(row["until_ns"] if row["ended_ns"] is None else row["ended_ns"]),
            who=row["who"],
            reason=row["reason"],
        )
        for row in connection.execute(query).mappings()
    ]


def refuse_unknown_kind(kind: str | None, cause: str | None) -> None:
    """Refuse words that no anomaly is called by.

    Raises:
        AnomalyError: with the words that there are.
    """
    if kind is not None and kind not in CAUSES:
        raise AnomalyError(f"no kind is called {kind!r}; there are {', '.join(CAUSES)}")
    if kind is not None and cause is not None and cause not in CAUSES[kind]:
        raise AnomalyError(f"{kind} has no cause {cause!r}; it has {', '.join(CAUSES[kind])}")


def _id_of(connection: Connection, table: Any, name: str | None, what: str) -> int | None:
    if name is None:
        return None
    found: int | None = connection.execute(select(table.c.id).where(table.c.name == name)).scalar()
    if found is None:
        raise AnomalyError(f"the record knows no {what} {name!r}")
    return found
