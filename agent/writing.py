"""Batches turned into statements: all that is ever written to the record, in one place.

Every statement is idempotent on the natural key of what it writes, so that the same batch twice
changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DatabaseError

from agent import curves, schema
from agent.anomaly import Anomaly
from agent.anomalyrows import RAISED, anomaly_row
from agent.audit import Author
from agent.batch import Batch, Blind, MachineRow, MoldRow, Saved
from agent.chain import cover, curves_digest
from agent.copying import is_damaged
from agent.cycle import Booked
from agent.files import LOG_PAGES, SCARCE_LOG_PAGES, RecordError, curves_path, set_aside, writer
from agent.ledger import Mount, Run, Segment
from agent.molds.seed import ORIGIN, seed
from agent.rows import compact, cycle_row, to_ns
from agent.slow import Stretch
from agent.standing import STAGE, to_body
from drivers import Notice
from drivers.condition import Condition

RUN_KEY = ("machine_id", "segment", "kind", "first")
"""What a row of the ledger is known by."""

GROWN = (
    "last", "closings", "shots", "unobserved", "parts", "until_ns", "shots_min", "shots_max",
)  # fmt: skip
"""What changes in it while it grows."""

CHANGING = (schema.run, schema.blind, schema.anomaly)
"""Tables whose rows grow or close; forwarders follow their changes in order."""

Change = Callable[[Connection], None]
"""Something else to write in the same transaction, such as how far a sink has come."""

OPEN_MONTHS = 2
"""Around midnight of a month's last day, cycles of both months come in."""


class Writing:
    """Writes batches through the writer's own connections; for the writer's thread only.

    Args:
        main: Connection to the main file.
        path: The main file; the months' curves lie beside it.
        files: Closes what is opened here.
    """

    def __init__(self, main: Connection, path: Path, files: ExitStack) -> None:
        self._main = main
        self._path = path
        self._files = files
        self._months: dict[Path, tuple[Connection, ExitStack]] = {}
        self._machines = self._ids(schema.machine)
        self._molds = self._ids(schema.mold)
        self._provenances: dict[str, int] = {}
        self.on_gap: Callable[[int, int], None] = lambda machine, since_ns: None
        """Told of closings of a time gone by: the machine's id, and since when they were made."""
        self._others = -1
        self._curves: dict[tuple[str, int, int], str] = {}
        self._grown: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._cycles: list[dict[str, Any]] = []
        self._changes = {table: count(self._last(table) + 1) for table in CHANGING}

    def register(
        self, machines: Iterable[MachineRow], molds: Iterable[MoldRow], now: datetime
    ) -> None:
        """Make the configured machines and molds known; what people changed since stays."""
        with self._main.begin():
            cover(self._main, found=True)
            for machine in machines:
                introduce(self._main, machine)
            seed(self._main, list(molds), Author(who="sprue.toml", origin=ORIGIN, at=now))
            cover(self._main)
            self._others = self._commits_of_others()
        self._machines = self._ids(schema.machine)
        self._molds = self._ids(schema.mold)

    def write(
        self,
        batches: Sequence[Batch],
        seen: Mapping[str, datetime],
        conditions: Mapping[str, Condition] = MappingProxyType({}),
        changes: Sequence[Change] = (),
        slow: Iterable[Stretch] = (),
    ) -> None:
        """Write batches in their order, and what machines are like now; durable on return.

        Curves are committed before the cycles that they belong to: a curve without a cycle is
        harmless and is written over on the next try, a cycle without its curves can't happen.
        """
        self._write_slow(slow)
        self._curves = self._write_curves(batches)
        self._grown, self._cycles = {}, []
        with self._main.begin():
            others = self._commits_of_others()
            if others != self._others:
                cover(self._main, found=True)
            for batch in batches:
                self._write_batch(batch)
            self._write_rows()
            self._standings(batches)
            for machine, at in seen.items():
                self._main.execute(
                    schema.machine.update()
                    .where(schema.machine.c.id == self._machine(machine))
                    .values(seen_ns=to_ns(at))
                )
            for machine, condition in conditions.items():
                self._main.execute(
                    schema.machine.update()
                    .where(schema.machine.c.id == self._machine(machine))
                    .values(condition=compact(asdict(condition)))
                )
            for change in changes:
                change(self._main)
            cover(self._main)
        self._others = others

    def forget(self) -> None:
        """What was written in a transaction that failed is not there: ids are asked for anew."""
        self._machines = self._ids(schema.machine)
        self._molds = self._ids(schema.mold)
        self._provenances = {}

    def spare(self, *, room: bool) -> None:
        """Keep the main file's log short where there is no room for it, or as long as usual."""
        raw = self._main.connection.driver_connection  # outside of any transaction
        assert raw is not None
        raw.execute(f"PRAGMA wal_autocheckpoint={SCARCE_LOG_PAGES if room else LOG_PAGES}")
        if room:
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _commits_of_others(self) -> int:
        """Another number whenever another connection has committed anything."""
        return int(self._main.exec_driver_sql("PRAGMA data_version").scalar_one())

    def _write_curves(self, batches: Sequence[Batch]) -> dict[tuple[str, int, int], str]:
        """Write them; what the rows of their cycles are to say of them."""
        rows: dict[Path, list[dict[str, Any]]] = {}
        digests = {}
        for booked in _cycles(batches):
            cycle = booked.cycle
            found = []
            for signal, curve in cycle.curves.items():
                started_ns, data = to_ns(curve.started_at), curves.encode(curve)
                row = {
                    "machine": cycle.machine,
                    "segment": booked.segment,
                    "counter": cycle.counter,
                    "signal": signal,
                    "samples": len(curve.values),
                    "started_ns": started_ns,
                    "data": data,
                }
                rows.setdefault(curves_path(self._path, cycle.time), []).append(row)
                found.append((signal, started_ns, data))
            if found:
                digests[cycle.machine, booked.segment, cycle.counter] = curves_digest(found)
        self._write_months(schema.curve, ["samples", "started_ns", "data"], rows)
        return digests

    def _write_slow(self, stretches: Iterable[Stretch]) -> None:
        """Write stretches of slow samples, each over itself as it was when it was shorter."""
        rows: dict[Path, list[dict[str, Any]]] = {}
        for each in stretches:
            row = {
                "started_ns": to_ns(each.curve.started_at),
                "machine": each.machine,
                "signal": each.signal,
                "samples": len(each.curve.values),
                "data": curves.encode(each.curve),
            }
            rows.setdefault(curves_path(self._path, each.curve.started_at), []).append(row)
        self._write_months(schema.slow, ["samples", "data"], rows)

    def _write_months(
        self, table: Table, new: Sequence[str], rows: Mapping[Path, Sequence[dict[str, Any]]]
    ) -> None:
        """Write rows into the months' files; `new` is what is written over."""
        statement = insert(table)
        statement = statement.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key],
            set_={name: statement.excluded[name] for name in new},
        )
        for path, month in rows.items():
            for attempt in range(2):
                try:
                    connection = self._month(path)
                    with connection.begin():
                        connection.execute(statement, month)
                    break
                except (DatabaseError, RecordError) as error:
                    if attempt or not is_damaged(error):
                        raise
                    # Curves are the lesser loss: shots go on, and so do new curves.
                    self._close_month(path)
                    set_aside(path, error)

    def _month(self, path: Path) -> Connection:
        if path not in self._months:
            while len(self._months) >= OPEN_MONTHS:
                _connection, files = self._months.pop(next(iter(self._months)))
                files.close()
            files = self._files.enter_context(ExitStack())
            self._months[path] = (files.enter_context(writer(path, "curves")), files)
        return self._months[path][0]

    def _close_month(self, path: Path) -> None:
        if path in self._months:
            _connection, files = self._months.pop(path)
            with suppress(DatabaseError, RecordError):
                files.close()

    def _write_batch(self, batch: Batch) -> None:
        machine = self._machine(batch.machine)
        for entry in batch.entries:
            self._segments(machine, entry.segments)
            self._mounts(machine, entry.mounts)
            self._runs(machine, entry.runs)
            if entry.booked:
                self._cycle(machine, entry.booked)
        reasons = Counter(entry.refused for entry in batch.entries if entry.refused)
        for reason, n in reasons.items():
            statement = insert(schema.refused).values(machine_id=machine, reason=reason, n=n)
            self._main.execute(
                statement.on_conflict_do_update(
                    index_elements=["machine_id", "reason"],
                    set_={"n": schema.refused.c.n + statement.excluded.n},
                )
            )
        self._blinds(machine, batch.blinds)
        self._notices(machine, batch.notices)
        self._anomalies(batch.anomalies)
        self._saved(machine, batch.saved)

    def _write_rows(self) -> None:
        """Write what every shot has, of all batches at once: a run that grew as it is in the end.

        In the order in which they began, so that what corrects a row still comes after it.
        """
        self._upsert(schema.run, [*RUN_KEY], [*self._grown.values()], [*GROWN])
        self._upsert(schema.cycle, ["machine_id", "segment", "counter"], self._cycles, [])

    def _segments(self, machine: int, segments: Sequence[Segment]) -> None:
        rows = [
            {
                "machine_id": machine,
                "number": segment.number,
                "first": segment.first,
                "opened_ns": to_ns(segment.opened_at),
                "reason": segment.reason,
            }
            for segment in segments
        ]
        self._upsert(schema.segment, ["machine_id", "number"], rows, [])

    def _mounts(self, machine: int, mounts: Sequence[Mount]) -> None:
        for mount in mounts:
            table = schema.mount
            self._main.execute(
                table.update()
                .where(table.c.machine_id == machine, table.c.until_ns.is_(None))
                .values(until_ns=to_ns(mount.since))
            )
            row = {
                "machine_id": machine,
                "mold_id": self._mold(mount.mold),
                "revision": mount.revision,
                "since_ns": to_ns(mount.since),
                "until_ns": None,
                "source": mount.source,
            }
            changing = ["mold_id", "revision", "until_ns", "source"]
            self._upsert(table, ["machine_id", "since_ns"], [row], changing)

    def _runs(self, machine: int, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.kind != "seen":
                self.on_gap(machine, to_ns(run.since))
            row = {
                "machine_id": machine,
                "segment": run.segment,
                "kind": run.kind,
                "first": run.first,
                "last": run.last,
                "mold_id": self._mold(run.mold),
                "revision": run.revision,
                "closings": run.closings,
                "shots": run.shots,
                "unobserved": run.unobserved,
                "resin": run.resin,
                "cavities": run.cavities,
                "parts": run.parts,
                "shots_min": run.shots_min,
                "shots_max": run.shots_max,
                "since_ns": to_ns(run.since),
                "until_ns": to_ns(run.until),
                "reason": run.reason,
                "evidence": run.evidence,
            }
            key = tuple(row[name] for name in RUN_KEY)
            began = self._grown.get(key)
            self._grown[key] = began | {name: row[name] for name in GROWN} if began else row

    def _cycle(self, machine: int, booked: Booked) -> None:
        row = cycle_row(booked) | {
            "machine_id": machine,
            "mold_id": self._mold(booked.mold),
            "provenance_id": self._provenance(compact(booked.cycle.provenance)),
            "curves": self._curves.get(
                (booked.cycle.machine, booked.segment, booked.cycle.counter)
            ),
        }
        self._cycles.append(row)

    def _blinds(self, machine: int, blinds: Sequence[Blind]) -> None:
        rows = [
            {
                "machine_id": machine,
                "since_ns": to_ns(blind.since),
                "until_ns": to_ns(blind.until) if blind.until else None,
                "cause": blind.cause,
                "why": blind.why,
            }
            for blind in blinds
        ]
        self._upsert(schema.blind, ["machine_id", "since_ns"], rows, ["until_ns", "cause", "why"])

    def _notices(self, machine: int, notices: Sequence[Notice]) -> None:
        for notice in notices:
            row = {
                "machine_id": machine,
                "time_ns": to_ns(notice.at),
                "received_ns": to_ns(notice.received_at),
                "change": notice.change.value,
                "name": notice.name,
                "old": json.dumps(notice.old, default=str),
                "new": json.dumps(notice.new, default=str),
                "who": notice.who,
                "unit": notice.unit,
                "originator": notice.originator,
                "text": notice.text,
                "job_counter": notice.job_counter,
            }
            self._main.execute(insert(schema.notice).values(**row))

    def _anomalies(self, anomalies: Sequence[Anomaly]) -> None:
        for anomaly in anomalies:
            row = anomaly_row(anomaly) | {
                "machine_id": self._machine(anomaly.machine) if anomaly.machine else None,
                "mold_id": self._mold(anomaly.mold),
            }
            changing = [name for name in row if name not in (*RAISED, "key")]
            self._upsert(schema.anomaly, ["key"], [row], changing)

    def _saved(self, machine: int, saved: Sequence[Saved]) -> None:
        for each in saved:
            row = {
                "machine_id": machine,
                "stage": each.stage,
                "segment": each.segment,
                "counter": each.counter,
                "body": each.body,
            }
            changing = ["segment", "counter", "body"]
            self._upsert(schema.saved, ["machine_id", "stage"], [row], changing)

    def _standings(self, batches: Sequence[Batch]) -> None:
        """Where every machine's ledger stands after the last of its entries."""
        newest = {batch.machine: batch.entries[-1] for batch in batches if batch.entries}
        for machine, entry in newest.items():
            if entry.standing is not None:
                body = Saved(stage=STAGE, body=to_body(entry.standing))
                self._saved(self._machine(machine), [body])

    def _upsert(
        self, table: Table, keys: list[str], rows: list[dict[str, Any]], changing: list[str]
    ) -> None:
        if not rows:
            return
        if table in self._changes:
            rows = [row | {"changed": next(self._changes[table])} for row in rows]
            changing = [*changing, "changed"]
        statement = _upserting(table, tuple(keys), tuple(changing))
        self._main.execute(statement, rows)

    def _last(self, table: Table) -> int:
        with self._main.begin():
            return self._main.execute(select(func.max(table.c.changed))).scalar() or 0

    def _ids(self, table: Table) -> dict[str, int]:
        with self._main.begin():
            rows = self._main.execute(select(table.c.name, table.c.id))
            return {str(row.name): int(row.id) for row in rows}

    def _machine(self, name: str) -> int:
        if name not in self._machines:
            table = schema.machine
            known = self._main.execute(select(table.c.id).where(table.c.name == name)).scalar()
            self._machines[name] = int(known) if known else self._new(table, name=name)
        return self._machines[name]

    def _mold(self, name: str | None) -> int | None:
        """A mold's id; one that only a machine named is kept as not registered."""
        if name is None:
            return None
        if name not in self._molds:
            table = schema.mold
            known = self._main.execute(select(table.c.id).where(table.c.name == name)).scalar()
            self._molds[name] = int(known) if known else self._unregistered(name)
        return self._molds[name]

    def _unregistered(self, name: str) -> int:
        key = self._new(schema.mold, name=name, revision="A", registered=0)
        first = {"revision": "A", "since_ns": 0, "restarts": "[]", "note": ""}
        self._new(schema.mold_revision, mold_id=key, **first)
        return key

    def _provenance(self, body: str) -> int:
        if body not in self._provenances:
            table = schema.provenance
            found = self._main.execute(select(table.c.id).where(table.c.body == body)).scalar()
            self._provenances[body] = found or self._new(table, body=body)
        return self._provenances[body]

    def _new(self, table: Table, **row: Any) -> int:
        key = self._main.execute(insert(table).values(**row)).inserted_primary_key
        assert key is not None
        return int(key[0])


def introduce(connection: Connection, machine: MachineRow) -> None:
    """Make a configured machine known; by which driver it is read may have changed."""
    known = {"name": machine.name, "driver": machine.driver}
    connection.execute(_upserting(schema.machine, ("name",), ("driver",)), [known])


@lru_cache(maxsize=64)
def _upserting(table: Table, keys: tuple[str, ...], changing: tuple[str, ...]) -> Insert:
    """Made once a table: to make it costs several times what to execute it does."""
    statement = insert(table)
    if not changing:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in changing}
    )


def _cycles(batches: Sequence[Batch]) -> Iterable[Booked]:
    return (
        entry.booked
        for batch in batches
        for entry in batch.entries
        if entry.booked and entry.booked.cycle.curves
    )
