"""What Prometheus asks for: links, cycles, the loss identity, anomalies, sinks, latencies."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import Connection, func, select

from agent.anomalies import Wanted, active_mutes, narrowed
from agent.archive.catalogue import rows_of
from agent.files import is_plant, main_path
from agent.forward.standing import Standing, standings
from agent.history import History, condition_of
from agent.latency import BOUNDS_S, Latency
from agent.live import Plant
from agent.rows import from_ns
from agent.schema import anomaly, blind, cycle, machine, mold, refused, run
from drivers.condition import Condition

STATES = {
    "open": Wanted(states=("open",), muted=False),
    "acknowledged": Wanted(states=("acknowledged",), muted=False),
    "muted": Wanted(states=("open", "acknowledged"), muted=True),
}
"""Of anomalies that are not closed."""


@dataclass(slots=True)
class Read:
    """What the record says at one scrape, by machine where it is of one."""

    kept: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    unobserved: Counter[str] = field(default_factory=Counter)
    blind_s: dict[str, float] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)
    """Machines without a link, and why: `unreachable`, `refused`, `garbled`, `stale`."""
    conditions: dict[str, Condition] = field(default_factory=dict)
    seen_at: dict[str, datetime] = field(default_factory=dict)
    raised: Counter[tuple[str, str]] = field(default_factory=Counter)
    open: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By kind, severity and state."""
    sinks: list[Standing] = field(default_factory=list)
    free_bytes: int | None = None
    """Where the record lies; None where that is another computer's business."""


class Metrics:
    """Answers scrapes; counts only what came since the one before.

    Args:
        plant: What is live.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._kept: Counter[int] = Counter()
        self._counted = 0
        self._raised: Counter[tuple[str, str]] = Counter()
        self._raised_up_to = 0
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def read(self, history: History, url: str, now: datetime) -> Read:
        """Ask the record; in a thread, and never twice at once."""
        found = Read(sinks=standings(url), free_bytes=_free(url))
        with history.connect() as connection:
            names = self._machines(connection, found)
            self._cycles(connection, found, names)
            self._losses(connection, found, names, now)
            self._anomalies(connection, found, now)
        return found

    def text(self, found: Read | None, trouble: str) -> bytes:
        """One scrape, as Prometheus reads it.

        Args:
            found: None where the record can't be read.
            trouble: Why it can't be written.
        """
        registry = CollectorRegistry(auto_describe=False)
        families = [*self._live(), *_gauges(found, trouble)]
        if found is not None:
            families += [*_machines(found), *_found(found)]
        registry.register(_Families(families))
        return generate_latest(registry) + generate_latest(self._process)

    def _machines(self, connection: Connection, found: Read) -> dict[int, str]:
        names = {}
        for row in connection.execute(select(machine)).mappings():
            names[row["id"]] = name = row["name"]
            found.kept[name] = 0
            found.unobserved[name] = 0
            found.blind_s[name] = 0.0
            found.conditions[name] = condition_of(row["condition"])
            if row["seen_ns"] is not None:
                found.seen_at[name] = from_ns(row["seen_ns"])
        return names

    def _cycles(self, connection: Connection, found: Read, names: dict[int, str]) -> None:
        newest = connection.execute(select(func.max(cycle.c.id))).scalar() or 0
        if not self._counted:
            moved = rows_of(connection)
            self._kept.update({key: moved[name] for key, name in names.items() if name in moved})
        query = (
            select(cycle.c.machine_id, func.count())
            .where(cycle.c.id > self._counted, cycle.c.id <= newest)
            .group_by(cycle.c.machine_id)
        )
        for key, n in connection.execute(query):
            self._kept[key] += n
        self._counted = newest
        for key, n in self._kept.items():
            found.kept[names[key]] = n

    def _losses(
        self, connection: Connection, found: Read, names: dict[int, str], now: datetime
    ) -> None:
        for row in connection.execute(select(refused)):
            found.refused[names[row.machine_id], row.reason] = row.n
        sums = select(run.c.machine_id, func.sum(run.c.unobserved)).group_by(run.c.machine_id)
        for key, n in connection.execute(sums):
            found.unobserved[names[key]] = int(n or 0)
        for row in connection.execute(select(blind)):
            name = names[row.machine_id]
            until = from_ns(row.until_ns) if row.until_ns is not None else now
            found.blind_s[name] += max(0.0, (until - from_ns(row.since_ns)).total_seconds())
            if row.until_ns is None:
                found.down[name] = row.cause

    def _anomalies(self, connection: Connection, found: Read, now: datetime) -> None:
        newest = connection.execute(select(func.max(anomaly.c.id))).scalar() or 0
        query = (
            select(anomaly.c.kind, anomaly.c.cause, func.count())
            .where(anomaly.c.id > self._raised_up_to, anomaly.c.id <= newest)
            .group_by(anomaly.c.kind, anomaly.c.cause)
        )
        for kind, cause, n in connection.execute(query):
            self._raised[kind, cause] += n
        self._raised_up_to = newest
        found.raised = self._raised
        active = active_mutes(connection, now)
        for state, wanted in STATES.items():
            which = (anomaly.c.kind, anomaly.c.severity)
            counted = (
                select(*which, func.count())
                .select_from(anomaly)
                .outerjoin(machine, machine.c.id == anomaly.c.machine_id)
                .outerjoin(mold, mold.c.id == anomaly.c.mold_id)
                .group_by(*which)
            )
            for kind, severity, n in connection.execute(narrowed(counted, wanted, active)):
                found.open[kind, severity, state] = n

    def _live(self) -> Iterator[Metric]:
        yield _gauge("sprue_info", "What runs.", {("version",): {(version("sprue"),): 1}})
        yield _gauge("sprue_viewers", "Pages that are open.", {(): {(): self._plant.viewers}})
        yield _histogram(
            "sprue_cycle_durable_seconds",
            "From the end of a shot until it was on the disk.",
            self._plant.durable,
        )
        yield _histogram(
            "sprue_cycle_written_seconds",
            "From when all of a shot had come until it was on the disk.",
            self._plant.written,
        )
        answers = {(name,): n for name, n in self._plant.answers.items()}
        yield _counter(
            "sprue_polls_answered", "Since the start; of a subscription: what it published.",
            {("machine",): answers},
        )  # fmt: skip


class _Families:
    """Hands its families to a registry once."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """What was read."""
        yield from self._families

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering asks for nothing."""
        yield from ()


Labelled = Mapping[tuple[str, ...], Mapping[Any, float]]
"""Values by labels' values, by the labels' names."""


def _gauge(name: str, text: str, values: Labelled) -> Metric:
    ((labels, found),) = values.items()
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in found.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, values: Labelled) -> Metric:
    ((labels, found),) = values.items()
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in found.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, text: str, latency: Latency) -> Metric:
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(latency.counts), strict=True))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=latency.sum_s)


def _gauges(found: Read | None, trouble: str) -> Iterator[Metric]:
    readable, writable = float(found is not None), float(not trouble)
    yield _gauge("sprue_record_readable", "1 where the record answers.", {(): {(): readable}})
    yield _gauge(
        "sprue_record_writable", "0 where the disk takes nothing; all is in memory then.",
        {(): {(): writable}},
    )  # fmt: skip
    if found is not None and found.free_bytes is not None:
        yield _gauge(
            "sprue_disk_free_bytes", "Where the record lies.", {(): {(): found.free_bytes}}
        )


def _machines(found: Read) -> Iterator[Metric]:
    one = ("machine",)
    seen = {(name,): at.timestamp() for name, at in found.seen_at.items()}
    up = {(name,): float(name in found.seen_at and name not in found.down) for name in found.kept}
    yield _gauge("sprue_link_up", "1 where the link to a machine stands.", {one: up})
    yield _gauge(
        "sprue_link_down", "1 for the cause of a link that does not.",
        {("machine", "cause"): dict.fromkeys(found.down.items(), 1)},
    )  # fmt: skip
    yield _gauge("sprue_seen_timestamp_seconds", "Last sign of life.", {one: seen})
    yield _counter("sprue_cycles_kept", "Cycles in the record.", {one: _by(found.kept)})
    yield _counter(
        "sprue_cycles_refused", "Cycles that came and were not kept: seen = kept + refused.",
        {("machine", "reason"): found.refused},
    )  # fmt: skip
    yield _gauge(
        "sprue_closings_unobserved", "Closings that the counter proves and no cycle came for.",
        {one: _by(found.unobserved)},
    )  # fmt: skip
    yield _counter(
        "sprue_blind_seconds", "How long a machine could not be seen.",
        {one: {(name,): each for name, each in found.blind_s.items()}},
    )  # fmt: skip
    conditions = found.conditions.items()
    yield _gauge(
        "sprue_polls_left_out", "In this connection, because one before took too long.",
        {one: {(name,): each.missed for name, each in conditions}},
    )  # fmt: skip
    yield _gauge(
        "sprue_notifications_lost", "In this connection, as far as they were counted.",
        {one: {(name,): each.lost for name, each in conditions}},
    )  # fmt: skip
    yield _gauge(
        "sprue_signals_unavailable", "Configured signals that a machine does not give now.",
        {one: {(name,): len(each.unavailable) for name, each in conditions}},
    )  # fmt: skip
    yield _gauge(
        "sprue_clock_ahead_seconds", "Of the clock that stamps a machine's values, before ours.",
        {one: {(name,): each.clock.ahead_s for name, each in conditions if each.clock}},
    )  # fmt: skip


def _found(found: Read) -> Iterator[Metric]:
    yield _counter(
        "sprue_anomalies_raised", "Anomalies of the record.",
        {("kind", "cause"): found.raised},
    )  # fmt: skip
    yield _gauge(
        "sprue_anomalies_open", "Anomalies that are not closed; `muted` ones call nobody.",
        {("kind", "severity", "state"): found.open},
    )  # fmt: skip
    sinks, one = found.sinks, ("sink",)
    yield _gauge(
        "sprue_outbox_rows", "Rows that wait for a sink.",
        {one: {(each.name,): each.rows for each in sinks}},
    )  # fmt: skip
    yield _gauge(
        "sprue_outbox_oldest_timestamp_seconds", "Of when what waits longest is.",
        {one: {(each.name,): each.oldest_at.timestamp() for each in sinks if each.oldest_at}},
    )  # fmt: skip
    yield _gauge(
        "sprue_sink_up", "0 while a sink takes nothing.",
        {one: {(each.name,): float(each.trouble is None) for each in sinks}},
    )  # fmt: skip
    yield _gauge(
        "sprue_dead_letters", "Rows that a sink refused, and that wait for a person.",
        {one: {(each.name,): each.letters for each in sinks}},
    )  # fmt: skip


def _by(counted: Counter[str]) -> dict[tuple[str, ...], float]:
    return {(name,): n for name, n in counted.items()}


def _free(url: str) -> int | None:
    return None if is_plant(url) else shutil.disk_usage(main_path(url).parent).free
