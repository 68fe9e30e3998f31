"""Everything in the record is in InfluxDB, once, as a real server reads it back."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from agent.anomaly import Anomaly
from agent.batch import Batch, Blind
from agent.cycle import Curve
from agent.forward.outbox import Lane, save_lanes
from agent.rows import to_ns
from drivers import Change, Notice
from tests.agent.makers import at, cycle
from tests.forward.forwarded import Forwarded, Influx, influxdb, until


async def told(plant: Forwarded) -> None:
    """Wait until nothing waits."""

    async def all_told() -> bool:
        standing = plant.standing()
        return (
            standing is not None and standing.acknowledged_at is not None and not standing.waiting
        )

    await until("nothing waits", all_told)


async def test_a_cycle_is_there_with_its_values_and_its_time(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    shot = cycle(
        7, 140, job="J 7", mode="AUTOMATIC", closing="shot",
        values={"cycle_time_s": 24.01, "parts_good": 2, "CavMax": "a, \"b\"\\", "Torque 2": 7},
    )  # fmt: skip
    await (await plant.keep(shot))
    async with plant.to(influxdb(influx_v2, bucket=database.database, tags={"site": "Halle 2"})):
        await told(plant)

    (row,) = await database.ask("SELECT * FROM sprue_cycle")
    assert row["time"] == to_ns(at(140)) + 14  # counter 7 in segment 1
    assert (row["machine"], row["mold"], row["revision"], row["site"]) == (
        "IMM-01", "A-1", "A", "Halle 2",
    )  # fmt: skip
    assert (row["counter"], row["segment"], row["cycle_time_s"]) == (7, 1, 24.01)
    assert (row["job"], row["mode"], row["closing"]) == ("J 7", "AUTOMATIC", "shot")
    assert (row["x_CavMax_text"], row["x_Torque 2"]) == ('a, "b"\\', 7)


async def test_what_is_told_twice_is_there_once(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    sink = influxdb(influx_v2, bucket=database.database)
    beginning = [Lane(topic=name, after=0) for name in ("cycles", "ledger")]
    await plant.mold(range(1, 101))
    for _ in range(2):
        async with plant.to(sink):
            await told(plant)
        # As if the record had been killed before it knew how far the sink was.
        await (await plant.record.change(lambda c: save_lanes(c, "influxdb", beginning)))
    async with plant.to(sink):
        await told(plant)

    assert await database.counters() == list(range(1, 101))
    (run,) = await database.ask('SELECT shots, "first", "last" FROM sprue_ledger')
    assert (run["shots"], run["first"], run["last"]) == (100, 1, 100)


async def test_two_shots_of_one_time_are_both_there(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    """A clock that was set back, or stamps of whole seconds, give such times."""
    for n in (1, 2, 3):
        done = await plant.keep(cycle(n, 60 if n > 1 else 20))
    await done
    async with plant.to(influxdb(influx_v2, bucket=database.database)):
        await told(plant)

    assert await database.counters() == [1, 2, 3]


@pytest.mark.parametrize(
    ("numbers", "field", "values"),
    [
        ("scaled", "injection_pressure_bar_e1", [8505, 123]),
        ("float", "injection_pressure_bar", [850.5, 12.3]),
    ],
)
async def test_chosen_curves_are_there_sample_by_sample(
    plant: Forwarded,
    influx_v2: str,
    database: Influx,
    numbers: str,
    field: str,
    values: Sequence[float],
) -> None:
    t_s = np.array([0.0, 0.01])
    curves = {
        "injection_pressure_bar": Curve(
            started_at=at(5), t_s=t_s, values=np.array([850.5, 12.3]), resolution=0.1
        ),
        "screw_position_mm": Curve(started_at=at(5), t_s=t_s, values=np.array([80.25, 79.5])),
    }  # fmt: skip
    await (await plant.keep(cycle(3, 60, curves=curves)))
    sink = influxdb(
        influx_v2,
        bucket=database.database,
        curves=["injection_pressure_bar"],
        curve_numbers=numbers,
    )
    async with plant.to(sink):
        await told(plant)

    rows = await database.ask("SELECT * FROM sprue_curve")
    assert [row[field] for row in rows] == values
    assert [row["time"] for row in rows] == [to_ns(at(5)), to_ns(at(5.01))]
    assert {row["counter"] for row in rows} == {3}
    assert "screw_position_mm" not in rows[0]


async def test_a_curve_of_many_points_is_thinned_where_that_is_wanted(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    t_s = np.arange(400) / 100
    curve = Curve(started_at=at(5), t_s=t_s, values=t_s * 10, resolution=None)
    await (await plant.keep(cycle(3, 60, curves={"screw_position_mm": curve})))
    sink = influxdb(influx_v2, bucket=database.database, curves=["*"], curve_points=5)
    async with plant.to(sink):
        await told(plant)

    rows = await database.ask("SELECT screw_position_mm FROM sprue_curve")
    assert [row["screw_position_mm"] for row in rows] == [0, 10, 20, 29.9, 39.9]


async def test_notices_blind_intervals_and_anomalies_are_there(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    notice = Notice(
        machine="IMM-01", change=Change.PARAMETER, name="cooling_time_set_s", old=12.0, new=12.5,
        who="Meier", at=at(1), received_at=at(1),
    )  # fmt: skip
    blind = Blind(machine="IMM-01", since=at(5), until=None, cause="unreachable", why="no answer")
    anomaly = Anomaly(
        id="a1", time=at(3), machine="IMM-01", mold="A-1", kind="cooling_time",
        cause="timer_changed", signal="cooling_time_s", value=12.5, expected=12.0, message="longer",
    )  # fmt: skip
    batch = Batch(machine="IMM-01", notices=[notice, notice], blinds=[blind], anomalies=[anomaly])
    await (await plant.record.keep(batch))
    async with plant.to(influxdb(influx_v2, bucket=database.database)):
        await told(plant)
        assert [row["open"] for row in await database.ask("SELECT * FROM sprue_blind")] == [True]

        ended = dataclasses.replace(blind, until=at(65))
        closed = dataclasses.replace(anomaly, closed_at=at(100))
        await (await plant.record.keep(Batch(machine="IMM-01", blinds=[ended], anomalies=[closed])))
        await told(plant)

    notices = await database.ask("SELECT * FROM sprue_notice")
    assert [(row["name"], row["old_number"], row["new"], row["who"]) for row in notices] == [
        ("cooling_time_set_s", 12, "12.5", "Meier")
    ] * 2
    blinds = await database.ask("SELECT * FROM sprue_blind")
    assert [(row["open"], row["cause"], row["duration_s"]) for row in blinds] == [
        (True, "unreachable", None), (False, "unreachable", 60),
    ]  # fmt: skip
    anomalies = await database.ask("SELECT * FROM sprue_anomaly")
    assert [(row["open"], row["cause"], row["value"], row["id"]) for row in anomalies] == [
        (True, "timer_changed", 12.5, "a1"), (False, "timer_changed", 12.5, "a1"),
    ]  # fmt: skip


async def test_a_day_without_the_sink_costs_delay_and_new_shots_do_not_wait_behind_it(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    sink = influxdb(influx_v2, bucket=database.database, catch_up_per_s=1000)
    await plant.mold(range(1, 4501))
    async with plant.to(sink):

        async def begun() -> bool:
            return bool(await database.ask("SELECT first(counter) FROM sprue_cycle"))

        await until("the backlog has begun to arrive", begun)
        await (await plant.keep(cycle(4501, 20 * 4501, received_at=datetime.now(UTC))))

        async def newest() -> bool:
            return bool(await database.ask("SELECT counter FROM sprue_cycle WHERE counter = 4501"))

        await until("the newest shot is there", newest)
        (found,) = await database.ask("SELECT count(counter) FROM sprue_cycle")
        assert found["count"] < 4500, "the backlog was quicker: nothing is shown"
        await told(plant)

    assert await database.counters() == list(range(1, 4502))


async def test_what_is_older_than_the_bucket_keeps_is_told_and_holds_up_nobody(
    plant: Forwarded, influx_v2: str, database: Influx
) -> None:
    await database.ask(
        f'CREATE RETENTION POLICY "days" ON "{database.database}" DURATION 2d REPLICATION 1 DEFAULT'
    )
    await plant.mold(range(1, 21))  # in March
    now = datetime.now(UTC)
    await (await plant.keep(cycle(21, 0, time=now, received_at=now)))
    async with plant.to(influxdb(influx_v2, bucket=database.database)):
        await told(plant)

        async def noted() -> bool:
            standing = plant.standing()
            return standing is not None and standing.note is not None

        await until("it is told", noted)

    assert await database.counters() == [21]
    standing = plant.standing()
    assert standing is not None
    assert standing.letters == 0
    assert "the bucket has a retention" in (standing.note or "")
