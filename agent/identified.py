"""Who a machine said it is, and since when: kept in the audit log, and so in the hash chain.

A name of the configuration goes to another press when one is replaced; which press made a part is
what it showed then: maker, model, serial number, control.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from agent.audit import Author, note
from agent.rows import from_ns, to_ns
from agent.schema import audit

KIND, ACTION, ORIGIN = "machine", "identified", "machine"
WORDS = {
    "manufacturer": "", "model": "", "serial": "serial number", "identity": "known by",
    "controller": "control", "software": "software",
}  # fmt: skip
"""What is kept of what machines say of themselves, in the order in which it is told."""


def identify(connection: Connection, machine: str, shown: Mapping[str, str], at: datetime) -> None:
    """Write down what a machine shows of itself, where that is news.

    Args:
        connection: Within a transaction that may write.
        machine: Its name.
        shown: `Press.identity`.
        at: When it was shown.
    """
    from drivers.certificate import printable  # with all that reads certificates

    told = {key: printable(shown[key]) for key in WORDS if shown.get(key)}
    newest = (
        select(audit.c.new)
        .where(audit.c.kind == KIND, audit.c.action == ACTION, audit.c.subject == machine)
        .order_by(audit.c.id.desc())
        .limit(1)
    )
    before = connection.execute(newest).scalar()
    known = json.loads(before) if before else None
    if told and told != known:
        author = Author(who=machine, origin=ORIGIN, at=at)
        note(connection, author, ACTION, KIND, machine, old=known, new=told)


def identified(
    connection: Connection, machines: Collection[str], since: datetime, until: datetime
) -> list[str]:
    """What machines showed of themselves from one time to another, a sentence each.

    What one showed last before the first time held then, too.
    """
    query = (
        select(audit.c.subject, audit.c.at_ns, audit.c.new)
        .where(audit.c.kind == KIND, audit.c.action == ACTION, audit.c.at_ns <= to_ns(until))
        .order_by(audit.c.id)
    )
    found: dict[str, list[tuple[datetime, str]]] = {}
    for row in connection.execute(query):
        if row.subject in machines:
            at, known = from_ns(row.at_ns), found.setdefault(row.subject, [])
            if at <= since:
                known.clear()
            known.append((at, _worded(json.loads(row.new))))
    return [
        f"{name}: {words} (since {at:%Y-%m-%d %H:%M} UTC)"
        for name in sorted(found)
        for at, words in found[name]
    ]


def _worded(shown: Mapping[str, str]) -> str:
    return ", ".join(f"{word} {shown[key]}".strip() for key, word in WORDS.items() if key in shown)
