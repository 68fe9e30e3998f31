"""What the record knows of molds: read in a few statements, whatever process asks."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Connection, FromClause, func, or_, select, union_all

from agent import schema
from agent.molds.life import ByResin, Took
from agent.molds.mold import INSERTS, Mold, Revision, ServiceRule
from agent.molds.servicelog import Service
from agent.molds.timeline import PERSON, Timeline, Word
from agent.rows import from_ns

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All molds of a record as they stand; what stages, pages and commands share."""

    molds: Mapping[str, Mold]
    took: Mapping[str, ByResin]
    """By mold; closings of no known mold stand under the empty name."""
    services: Mapping[str, list[Service]] = field(default_factory=dict)
    """By mold, in the order in which they were entered, corrected ones included."""
    words: Mapping[str, list[Word]] = field(default_factory=dict)
    """By machine: the newest that machine and people said of what sits there."""
    audit: int = 0
    """Id of the newest change by anybody."""

    def mounted(self) -> dict[str, Word]:
        """The word in force now, by machine."""
        return mounted(self.words)

    def where(self) -> dict[str, Word]:
        """The machine that each mold sits on, by mold; the newest word where two claim it."""
        places: dict[str, Word] = {}
        for word in sorted(self.mounted().values(), key=lambda word: word.since):
            if word.mold is not None:
                places[word.mold] = word
        return places


def mounted(words: Mapping[str, Iterable[Word]]) -> dict[str, Word]:
    """The word in force now, by machine, of what was said about each."""
    now = datetime.max.replace(tzinfo=UTC)
    found = {machine: Timeline(each).at(now) for machine, each in words.items()}
    return {machine: word for machine, word in found.items() if word is not None}


def read_shelf(connection: Connection) -> Shelf:
    """Everything about molds, consistent within the connection's transaction."""
    return Shelf(
        molds=read_molds(connection),
        took=read_took(connection),
        services=read_services(connection),
        words=read_words(connection, newest=True),
        audit=newest_audit(connection),
    )


def newest_audit(connection: Connection) -> int:
    """Id of the newest change; 0 before the first."""
    return int(connection.execute(select(func.max(schema.audit.c.id))).scalar() or 0)


def agent_id(connection: Connection) -> str:
    """Who counts in this record."""
    table = schema.identity
    return str(
        connection.execute(select(table.c.value).where(table.c.name == "agent")).scalar_one()
    )


def read_molds(connection: Connection) -> dict[str, Mold]:
    """All molds by name."""
    revisions: dict[int, list[Revision]] = defaultdict(list)
    table = schema.mold_revision
    for row in connection.execute(select(table).order_by(table.c.since_ns, table.c.id)):
        # One that only the ledger knew of renews the inserts, as a re-cut does.
        entered = row.audit_id is not None
        revisions[row.mold_id].append(
            Revision(
                name=row.revision,
                since=from_ns(row.since_ns),
                restarts=tuple(json.loads(row.restarts)) if entered else (INSERTS,),
                note=row.note,
            )
        )
    rows = connection.execute(select(schema.mold).order_by(schema.mold.c.name)).mappings()
    return {row["name"]: _mold(row, revisions[row["id"]]) for row in rows}


def _mold(row: Mapping[Any, Any], revisions: list[Revision]) -> Mold:
    fields = (
        "name", "revision", "part", "description", "alloy", "resin", "cavities", "planned_shots",
        "base_shots", "expected_cycle_s", "wall_mm", "owner", "location",
    )  # fmt: skip
    return Mold(
        registered=bool(row["registered"]),
        retired=bool(row["retired"]),
        life_plan=json.loads(row["life_plan"] or "{}"),
        service_plan=tuple(ServiceRule(**rule) for rule in json.loads(row["service_plan"] or "[]")),
        links=tuple(json.loads(row["links"] or "[]")),
        revisions=tuple(revisions),
        **{name: row[name] for name in fields},
    )


def read_took(connection: Connection) -> dict[str, ByResin]:
    """What every mold took, by revision and resin."""
    table = schema.mold_day
    sums = (
        select(
            table.c.mold_id,
            table.c.revision,
            table.c.resin,
            *(func.sum(table.c[name]).label(name) for name in TOOK),
        )
        .group_by(table.c.mold_id, table.c.revision, table.c.resin)
        .subquery()
    )
    query = select(sums, schema.mold.c.name).outerjoin(
        schema.mold, schema.mold.c.id == sums.c.mold_id
    )
    found: dict[str, dict[tuple[str, str | None], Took]] = defaultdict(dict)
    for row in connection.execute(query).mappings():
        took = Took(**{name: int(row[name]) for name in TOOK})
        found[row["name"] or ""][row["revision"], row["resin"] or None] = took
    return dict(found)


TOOK = ("shots", "shots_min", "shots_max", "closings", "unobserved", "parts")


def read_days(
    connection: Connection, today: date, weeks: int, mold: str | None = None
) -> dict[str, dict[date, int]]:
    """Shots by mold and day of the last weeks; all of them, or those of one."""
    since = (today - timedelta(weeks=weeks) - date(1970, 1, 1)).days
    table = schema.mold_day
    query = (
        select(schema.mold.c.name, table.c.day, func.sum(table.c.shots).label("shots"))
        .join(schema.mold, schema.mold.c.id == table.c.mold_id)
        .where(table.c.day >= since)
        .group_by(schema.mold.c.name, table.c.day)
    )
    if mold is not None:
        query = query.where(schema.mold.c.name == mold)
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.name][date(1970, 1, 1) + timedelta(days=row.day)] = int(row.shots)
    return dict(found)


def read_services(connection: Connection, mold: str | None = None) -> dict[str, list[Service]]:
    """The service log, by mold, in the order of entry."""
    table, audit = schema.service, schema.audit
    query = (
        select(table, schema.mold.c.name, audit.c.who, audit.c.at_ns.label("entered_ns"))
        .select_from(table.join(schema.mold).join(audit))
        .order_by(table.c.id)
    )
    if mold is not None:
        query = query.where(schema.mold.c.name == mold)
    found: dict[str, list[Service]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["name"]].append(
            Service(
                mold=row["name"],
                at=from_ns(row["at_ns"]),
                links=tuple(json.loads(row["links"] or "[]")),
                checklist=json.loads(row["checklist"] or "{}"),
                entered_by=row["who"],
                entered_at=from_ns(row["entered_ns"]),
                **{name: row[name] for name in SERVICE_COLUMNS},
            )
        )
    return dict(found)


SERVICE_COLUMNS = (
    "id", "revision", "kind", "level", "what", "done_by", "shots", "defect", "cavity", "action",
    "replaced", "hours", "cost", "corrects",
)  # fmt: skip


def read_words(
    connection: Connection, machines: Iterable[str] = (), *, newest: bool = False
) -> dict[str, list[Word]]:
    """What machines and people said, by machine; withdrawn words are left out.

    Args:
        connection: To the record.
        machines: Only of these.
        newest: Only what decides which is in force now: the last word of each machine and of
            people, and what shows whether the machine has named another mold since then.
    """
    machine, mold, mount, entry = schema.machine, schema.mold, schema.mount, schema.mount_entry
    own = select(
        machine.c.name.label("machine"),
        mold.c.name.label("mold"),
        mount.c.revision,
        mount.c.since_ns,
        mount.c.source,
    ).select_from(mount.join(machine).join(mold))
    withdrawn = select(entry.c.withdraws).where(entry.c.withdraws.is_not(None))
    entered = (
        select(
            machine.c.name.label("machine"),
            mold.c.name.label("mold"),
            entry,
            schema.audit.c.who,
        )
        .select_from(entry.join(machine).join(schema.audit).outerjoin(mold))
        .where(entry.c.withdraws.is_(None), entry.c.id.not_in(withdrawn))
        .order_by(entry.c.id)
    )
    names = list(machines)
    if newest:
        last = (
            select(entry.c.machine_id, func.max(entry.c.since_ns).label("since_ns"))
            .where(entry.c.withdraws.is_(None), entry.c.id.not_in(withdrawn))
            .group_by(entry.c.machine_id)
            .subquery()
        )
        entered = entered.where(
            entry.c.machine_id == last.c.machine_id, entry.c.since_ns == last.c.since_ns
        )
        own = own.where(or_(mount.c.until_ns.is_(None), mount.c.id.in_(_around(last))))
    if names:
        own, entered = (query.where(machine.c.name.in_(names)) for query in (own, entered))
    found: dict[str, list[Word]] = defaultdict(list)
    for row in connection.execute(own):
        if row.source == PERSON:  # an echo of the entry, which says more
            continue
        found[row.machine].append(
            Word(
                machine=row.machine,
                mold=row.mold,
                revision=row.revision,
                since=from_ns(row.since_ns),
                source=row.source,
            )
        )
    for row in connection.execute(entered):
        found[row.machine].append(
            Word(
                machine=row.machine,
                mold=row.mold,
                revision=row.revision,
                resin=row.resin,
                cavities_open=row.cavities_open,
                since=from_ns(row.since_ns),
                source=PERSON,
                who=row.who,
                entry=row.id,
            )
        )
    return dict(found)


def _around(last: FromClause) -> CompoundSelect[tuple[int]]:
    """Ids of the machines' own mounts that decide whether people's last words still hold.

    The one before the word tells what is no news; of those after it, one of another mold than the
    present is enough to tell that the present one was named anew.
    """
    mount, now = schema.mount, schema.mount.alias("now")
    before, other = mount.alias("before"), mount.alias("other")
    newest_before = (
        select(before.c.id)
        .where(before.c.machine_id == last.c.machine_id, before.c.since_ns <= last.c.since_ns)
        .order_by(before.c.since_ns.desc())
        .limit(1)
        .scalar_subquery()
    )
    newest_other = (
        select(other.c.id)
        .where(
            other.c.machine_id == last.c.machine_id,
            other.c.since_ns > last.c.since_ns,
            other.c.mold_id != now.c.mold_id,
        )
        .order_by(other.c.since_ns.desc())
        .limit(1)
        .scalar_subquery()
    )
    present = last.join(now, (now.c.machine_id == last.c.machine_id) & now.c.until_ns.is_(None))
    return union_all(
        select(newest_before.label("id")).select_from(last),
        select(newest_other.label("id")).select_from(present),
    )
