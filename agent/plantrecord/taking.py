"""Takes agents' rows into the plant record, by natural keys: the same again changes nothing.

A row without a key of its own is known by its agent and its number there (table `origin`). What
sums rest on is written by one agent at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects.postgresql import insert

from agent import schema
from agent.anomalyrows import RAISED
from agent.files import RecordError
from agent.forward.topics import CURVES, Row
from agent.plantrecord import bulk
from agent.plantrecord.moldwords import take_mold
from agent.plantrecord.reading import hold
from agent.plantrecord.sharing import COVERING, seen_after_all, trimmed
from agent.plantrecord.tables import changes, lease, origin
from agent.plantrecord.topics import AUDIT, TABLES

ALONE = ("audit", "revisions", "mounts", "entries", "ledger", "adjustments", "services")
"""What sums rest on, or what says whose they are."""

GROWN = (
    "last", "closings", "shots", "unobserved", "parts", "until_ns", "shots_min", "shots_max",
)  # fmt: skip


class MissingError(Exception):
    """A row refers to one that has not come yet."""


@dataclass(slots=True)
class Ids:
    """Names that are known to have these ids; of what is committed only."""

    machines: dict[str, int] = field(default_factory=dict)
    molds: dict[str, int] = field(default_factory=dict)
    provenances: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Ids":
        """For one transaction, which may fail."""
        return Ids(dict(self.machines), dict(self.molds), dict(self.provenances))


@dataclass(slots=True)
class Touched:
    """What may have to be counted anew, and from when on (ns)."""

    machines: dict[int, int] = field(default_factory=dict)
    molds: dict[int, int] = field(default_factory=dict)

    def machine(self, key: int, since_ns: int) -> None:
        """Note that whose closings a machine's are may have changed."""
        self.machines[key] = min(since_ns, self.machines.get(key, since_ns))

    def mold(self, key: int | None, since_ns: int) -> None:
        """Note that a mold's count may have changed."""
        if key is not None:
            self.molds[key] = min(since_ns, self.molds.get(key, since_ns))


class Taking:
    """Takes rows of one agent within one transaction.

    Args:
        connection: To the plant record.
        ids: What is known of it; added to.
        agent: Whose rows they are.
        machines: The agent's configured ones, and whether it shares each with others.
    """

    def __init__(
        self, connection: Connection, ids: Ids, agent: str, machines: Mapping[str, bool]
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._agent = agent
        self._machines = machines
        self._shared: set[int] = set()
        self._looked_at: set[int] = set()
        self.touched = Touched()

    def take(self, topic: str, rows: Sequence[Row]) -> None:
        """Take rows of one topic, in their order.

        Raises:
            MissingError: one refers to a row that has not come yet.
            RecordError: a machine is another agent's.
        """
        if topic in ALONE:
            hold(self._connection)
        self._take(topic, rows)
        if topic in ("cycles", "ledger"):
            for key in {self._ids.machines[row["machine"]] for row in rows} & self._shared:
                hold(self._connection)
                seen_after_all(self._connection, key)

    def _take(self, topic: str, rows: Sequence[Row]) -> None:
        match topic:
            case "audit":
                self._audit(rows)
            case "revisions":
                self._revisions(rows)
            case "segments":
                self._keyed(schema.segment, ("machine_id", "number"), rows, ())
            case "mounts":
                self._mounts(rows)
            case "cycles":
                self._cycles(rows)
            case "ledger":
                self._ledger(rows)
            case "blinds":
                ended = ("until_ns", "cause", "why")
                self._keyed(schema.blind, ("machine_id", "since_ns"), rows, ended)
            case "anomalies":
                kept = ("id", "key", "changed", *RAISED)
                changing = tuple(c.name for c in schema.anomaly.c if c.name not in kept)
                self._keyed(schema.anomaly, ("key",), rows, changing)
            case "unmutes":
                self._unmutes(rows)
            case _ if topic == CURVES:
                bulk.curves(self._connection, rows)
            case _:
                self._numbered(topic, rows)

    # Rows with a key of their own

    def _keyed(
        self, table: Table, keys: Sequence[str], rows: Sequence[Row], changing: Sequence[str]
    ) -> None:
        for values in self._values(table, rows):
            statement = insert(table).values(**values, **_risen(table))
            if changing:
                new = {name: statement.excluded[name] for name in changing} | _risen(table)
                self._connection.execute(
                    statement.on_conflict_do_update(index_elements=list(keys), set_=new)
                )
            else:
                self._connection.execute(
                    statement.on_conflict_do_nothing(index_elements=list(keys))
                )

    def _cycles(self, rows: Sequence[Row]) -> None:
        self._provenances({row["provenance"] for row in rows})
        bulk.cycles(
            self._connection,
            [
                {
                    **values,
                    "provenance_id": self._ids.provenances[row["provenance"]],
                }
                for row, values in zip(rows, self._values(schema.cycle, rows), strict=True)
            ],
        )

    def _ledger(self, rows: Sequence[Row]) -> None:
        table = schema.run
        for row, values in zip(rows, self._values(table, rows), strict=True):
            wanted: Mapping[str, Any] | None = values
            if values["machine_id"] in self._shared:
                wanted = trimmed(self._connection, self._agent, values)
            if wanted is not None:
                self._run(row["id"], wanted)
                self.touched.mold(values["mold_id"], values["since_ns"])
        self._owners(rows)

    def _run(self, row_id: int, values: Mapping[str, Any]) -> None:
        table = schema.run
        if values["machine_id"] in self._shared and values["kind"] in COVERING:
            known = self._known(table, [row_id]).get(row_id)
            if known is None:
                made = insert(table).values(**values, **_risen(table)).returning(table.c.id)
                number = self._connection.execute(made).scalar_one()
                self._remember(table, {row_id: int(number)})
            else:
                new = {name: values[name] for name in GROWN} | _risen(table)
                self._connection.execute(table.update().where(table.c.id == known).values(**new))
            return
        statement = insert(table).values(**values, **_risen(table))
        new = {name: statement.excluded[name] for name in GROWN} | _risen(table)
        keys = ["machine_id", "segment", "kind", "first"]
        self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new))

    def _owners(self, rows: Sequence[Row]) -> None:
        """Note machines whose closings may be others' than they were booked on.

        An agent books on what it knows; what others know of its machine or mold is here.
        """
        entry, revision = schema.mount_entry, schema.mold_revision
        keys = {self._ids.machines[row["machine"]] for row in rows}
        with_words = set(
            self._connection.execute(
                select(entry.c.machine_id).where(entry.c.machine_id.in_(keys)).distinct()
            ).scalars()
        )
        molds = {self._ids.molds[row["mold"]] for row in rows if row["mold"]}
        begun: dict[int, list[tuple[int, str]]] = defaultdict(list)
        query = (
            select(revision.c.mold_id, revision.c.since_ns, revision.c.revision)
            .where(revision.c.mold_id.in_(molds))
            .order_by(revision.c.since_ns, revision.c.id)
        )
        for each in self._connection.execute(query):
            begun[each.mold_id].append((each.since_ns, each.revision))
        for row in rows:
            key = self._ids.machines[row["machine"]]
            had = begun.get(self._ids.molds.get(row["mold"] or "", 0), ())
            at_end = [name for since_ns, name in had if since_ns <= row["until_ns"]]
            if key in with_words or (at_end and at_end[-1] != row["revision"]):
                self.touched.machine(key, row["since_ns"])

    def _mounts(self, rows: Sequence[Row]) -> None:
        """What machines themselves said, which may come late where several agents count one."""
        table = schema.mount
        for values in self._values(table, rows):
            since = values["since_ns"]
            of_machine = table.c.machine_id == values["machine_id"]
            self._connection.execute(
                table.update()
                .where(of_machine, table.c.until_ns.is_(None), table.c.since_ns < since)
                .values(until_ns=since)
            )
            later = select(func.min(table.c.since_ns)).where(of_machine, table.c.since_ns > since)
            ended = self._connection.execute(later).scalar()
            ends = [ns for ns in (values["until_ns"], ended) if ns is not None]
            statement = insert(table).values(**{**values, "until_ns": min(ends) if ends else None})
            new = {
                name: statement.excluded[name]
                for name in ("mold_id", "revision", "until_ns", "source")
            }
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["machine_id", "since_ns"], set_=new)
            )
            self._said(values["machine_id"], since)

    def _said(self, machine: int, since_ns: int) -> None:
        entry = schema.mount_entry
        had = select(func.count()).where(entry.c.machine_id == machine)
        if self._connection.execute(had).scalar():
            self.touched.machine(machine, since_ns)

    # Rows that are known by their number

    def _audit(self, rows: Sequence[Row]) -> None:
        self._once(schema.audit, {row["id"]: _of(row, AUDIT) for row in rows})
        for row in rows:
            if row["kind"] == "mold" and row["mold_name"] is not None:
                take_mold(self._connection, row)

    def _revisions(self, rows: Sequence[Row]) -> None:
        table, run, piece = schema.mold_revision, schema.run, schema.attribution
        for values in self._values(table, rows):
            key, since = values["mold_id"], values["since_ns"]
            statement = insert(table).values(**values)
            self._connection.execute(
                statement.on_conflict_do_nothing(index_elements=["mold_id", "revision"])
            )
            newest = select(table.c.revision).where(table.c.mold_id == key)
            newest = newest.order_by(table.c.since_ns.desc(), table.c.id.desc()).limit(1)
            self._connection.execute(
                schema.mold.update()
                .where(schema.mold.c.id == key)
                .values(revision=newest.scalar_subquery())
            )
            if values["audit_id"] is None:
                continue
            booked = select(run.c.machine_id).where(run.c.mold_id == key, run.c.until_ns >= since)
            moved = select(piece.c.machine_id).where(piece.c.mold_id == key)
            for machine in self._connection.execute(booked.union(moved)).scalars().all():
                self.touched.machine(machine, since)

    def _unmutes(self, rows: Sequence[Row]) -> None:
        known = self._known(schema.mute, [row["mute_id"] for row in rows])
        for row in rows:
            if row["mute_id"] not in known:
                raise MissingError("a mute that was ended has not come yet")
            values = {
                "mute_id": known[row["mute_id"]],
                "at_ns": row["at_ns"],
                "who": row["who"],
                "audit_id": self._audit_of(row),
            }
            self._connection.execute(
                insert(schema.unmute).values(**values).on_conflict_do_nothing()
            )

    def _numbered(self, topic: str, rows: Sequence[Row]) -> None:
        table = TABLES[topic]
        values = self._values(table, rows)
        for row, each in zip(rows, values, strict=True):
            for name in ("corrects", "withdraws"):
                if each.get(name) is not None:
                    each[name] = self._of_same(table, each[name])
            if "anomaly_id" in each:
                each["anomaly_id"] = self._anomaly(row["anomaly"])
            if "attribution_id" in each:
                each["attribution_id"] = None
            if any(each.get(name) for name in ("corrects", "withdraws")) or topic == "entries":
                self._once(table, {row["id"]: each})
            if topic == "entries":
                self.touched.machine(each["machine_id"], each["since_ns"])
            if topic in ("services", "adjustments"):
                self.touched.mold(each["mold_id"], each["at_ns"])
        self._once(table, {row["id"]: each for row, each in zip(rows, values, strict=True)})

    def _of_same(self, table: Table, row_id: int) -> int:
        found = self._known(table, [row_id])
        if row_id not in found:
            raise MissingError(f"{table.name}: what a row corrects has not come yet")
        return found[row_id]

    def _anomaly(self, key: str) -> int:
        query = select(schema.anomaly.c.id).where(schema.anomaly.c.key == key)
        found = self._connection.execute(query).scalar()
        if found is None:
            raise MissingError(f"anomaly {key} has not come yet")
        return int(found)

    def _once(self, table: Table, rows: Mapping[int, Mapping[str, Any]]) -> None:
        known = self._known(table, rows)
        new = [number for number in rows if number not in known]
        if not new:
            return
        statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        ids = self._connection.execute(statement, [dict(rows[number]) for number in new]).scalars()
        self._remember(table, dict(zip(new, ids, strict=True)))

    def _known(self, table: Table, numbers: Iterable[int]) -> dict[int, int]:
        query = select(origin.c.row_id, origin.c.plant_id).where(
            origin.c.agent == self._agent,
            origin.c.kind == table.name,
            origin.c.row_id.in_(list(numbers)),
        )
        return {row.row_id: row.plant_id for row in self._connection.execute(query)}

    def _remember(self, table: Table, found: Mapping[int, int]) -> None:
        rows = [
            {"agent": self._agent, "kind": table.name, "row_id": number, "plant_id": plant_id}
            for number, plant_id in found.items()
        ]
        self._connection.execute(insert(origin), rows)

    # Names and ids

    def _values(self, table: Table, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Columns of rows, with this record's ids in place of the agent's."""
        names = [column.name for column in table.c if column.name not in ("id", "changed")]
        found = []
        for row in rows:
            values = {name: row.get(name) for name in names}
            if "machine_id" in values:
                values["machine_id"] = self.machine(row["machine"]) if row["machine"] else None
            if "mold_id" in values:
                values["mold_id"] = self.mold(row["mold"]) if row["mold"] else None
            if "audit_id" in values:
                values["audit_id"] = self._audit_of(row) if row["audit_id"] else None
            found.append(values)
        return found

    def _audit_of(self, row: Row) -> int:
        number = row["audit_id"]
        known = self._known(schema.audit, [number])
        if not known:
            values = {column.name: row[f"audit_{column.name}"] for column in AUDIT}
            self._once(schema.audit, {number: values})
            known = self._known(schema.audit, [number])
        return known[number]

    def machine(self, name: str) -> int:
        """Its id here; one that nobody has named yet is this agent's from now on.

        Raises:
            RecordError: it is another agent's.
        """
        if name not in self._ids.machines:
            table = schema.machine
            made = insert(table).values(name=name).on_conflict_do_nothing()
            self._connection.execute(made)
            query = select(table.c.id).where(table.c.name == name)
            self._ids.machines[name] = int(self._connection.execute(query).scalar_one())
        key = self._ids.machines[name]
        if key not in self._looked_at:
            self._belongs(key, name)
            self._looked_at.add(key)
        return key

    def _belongs(self, key: int, name: str) -> None:
        shares = self._machines.get(name, False)
        values = {
            "machine_id": key, "agent": self._agent, "shared": int(shares), "term": 0,
            "until_ns": 0,
        }  # fmt: skip
        self._connection.execute(insert(lease).values(**values).on_conflict_do_nothing())
        query = select(lease.c.agent, lease.c.shared).where(lease.c.machine_id == key)
        row = self._connection.execute(query).one()
        if shares and not row.shared and row.agent == self._agent:
            update = lease.update().where(lease.c.machine_id == key).values(shared=1)
            self._connection.execute(update)
        elif row.shared and name in self._machines and not shares:
            raise RecordError(
                f"machine {name} is shared by agents in this plant record; set shared = true, or "
                "give it another name"
            )
        elif not row.shared and row.agent != self._agent:
            raise RecordError(
                f"machine {name} is agent {row.agent}'s in this plant record; give it another "
                f"name, or let both share it (shared = true, and 'sprue plant release {name}' if "
                "that agent is gone)"
            )
        if row.shared or shares:
            self._shared.add(key)

    def mold(self, name: str) -> int:
        """Its id here; one that only a machine named so far is kept as not registered."""
        if name not in self._ids.molds:
            table = schema.mold
            query = select(table.c.id).where(table.c.name == name)
            found = self._connection.execute(query).scalar()
            if found is None:
                values = {"name": name, "revision": "A", "registered": 0}
                made = insert(table).values(**values).on_conflict_do_nothing()
                self._connection.execute(made)
                found = self._connection.execute(query).scalar_one()
                first = {
                    "mold_id": found, "revision": "A", "since_ns": 0, "restarts": "[]", "note": "",
                }  # fmt: skip
                revision = insert(schema.mold_revision).values(**first)
                self._connection.execute(revision.on_conflict_do_nothing())
            self._ids.molds[name] = int(found)
        return self._ids.molds[name]

    def _provenances(self, bodies: set[str]) -> None:
        table = schema.provenance
        if new := sorted(bodies - self._ids.provenances.keys()):
            self._connection.execute(
                insert(table).on_conflict_do_nothing(), [{"body": body} for body in new]
            )
            query = select(table.c.body, table.c.id).where(table.c.body.in_(new))
            found = self._connection.execute(query)
            self._ids.provenances.update({row.body: int(row.id) for row in found})


def _risen(table: Table) -> dict[str, Any]:
    """What tells whoever looks that a row has changed."""
    return {"changed": changes.next_value()} if "changed" in table.c else {}


def _of(row: Row, columns: Iterable[Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in columns}
