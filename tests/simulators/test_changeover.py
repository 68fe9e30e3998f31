"""Runs and what comes between: stops that overlap, molds that are not where they should be."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulators.fleet import Fleet
from simulators.modes import Mode
from simulators.plant import Plant, open_plant
from simulators.press import Press
from simulators.shot import Shot

PRESSES = [
    {"name": "IMM-01", "protocol": "modbus", "mold": "A-1", "job": "J-1", "parts": 2},
    {"name": "IMM-02", "protocol": "modbus", "mold": "A-2", "job": "J-2", "parts": 2},
]
MOLDS = [{"id": "A-1"}, {"id": "A-2"}, {"id": "A-3"}, {"id": "A-4"}]


def a_fleet(**tables: Any) -> Fleet:
    return Fleet.model_validate({"press": PRESSES[:1], "mold": MOLDS} | tables)


async def until_job(plant: Plant, machine: str, job: str) -> Press:
    """Wait for the first shot of a job."""
    press = plant.presses[machine]

    class First:
        seen = asyncio.Event()

        def record(self, press: Press, shot: Shot) -> None:
            if shot.job.name == job and shot.closing == "shot":
                self.seen.set()

    first = First()
    press.recorders.append(first)
    async with asyncio.timeout(20):
        await first.seen.wait()
    return press


def gaps(press: Press) -> list[float]:
    """Process seconds between the ends of closings, as far as they are long."""
    at = [shot.at_s for shot in press.shots]
    return [round(b - a) for a, b in pairwise(at) if b - a > 60]


async def test_stops_that_overlap_end_with_the_last_of_them() -> None:
    stops = [
        {"at_s": 100, "press": "*", "do": "stop", "with": {"standing_s": 1000}},
        {"at_s": 300, "press": "*", "do": "stop", "with": {"standing_s": 1500}},
        {"at_s": 400, "press": "*", "do": "stop", "with": {"standing_s": 200}},
    ]
    async with open_plant(a_fleet(event=stops), speed=5000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        async with asyncio.timeout(20):
            await press.until(20)

    (stopped,) = gaps(press)
    assert 1650 < stopped < 1760
    assert press.mode is Mode.AUTOMATIC


async def test_a_stop_while_a_mold_is_set_up_ends_in_the_mode_of_its_run() -> None:
    fleet = a_fleet(
        run=[
            {"press": "IMM-01", "mold": "A-3", "job": "J-3", "parts": 9, "mode": "semi_automatic"}
        ],
        event=[{"at_s": 1000, "press": "*", "do": "stop", "with": {"standing_s": 5000}}],
    )
    async with open_plant(fleet, speed=5000, free_ports=True) as plant:
        press = await until_job(plant, "IMM-01", "J-3")

    assert press.mode is Mode.SEMI_AUTOMATIC
    assert max(gaps(press)) > 4900


async def test_somebody_who_switches_the_mode_ends_a_stop() -> None:
    events = [
        {"at_s": 100, "press": "*", "do": "stop", "with": {"standing_s": 1000}},
        {"at_s": 300, "press": "*", "do": "mode", "with": {"mode": "semi_automatic"}},
    ]
    async with open_plant(a_fleet(event=events), speed=5000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        async with asyncio.timeout(20):
            await press.until(60)

    assert press.mode is Mode.SEMI_AUTOMATIC
    assert max(gaps(press)) < 300


async def test_a_mold_waits_in_the_rack_though_another_was_put_in_its_place() -> None:
    fleet = Fleet.model_validate(
        {
            "press": PRESSES,
            "mold": MOLDS,
            "run": [
                {"press": "IMM-01", "mold": "A-3", "job": "J-3", "parts": 2},
                {"press": "IMM-02", "mold": "A-1", "job": "J-4", "parts": 2},
            ],
            "event": [{"at_s": 1, "press": "IMM-01", "do": "mold", "with": {"mold": "A-4"}}],
        }
    )
    async with open_plant(fleet, speed=5000, free_ports=True) as plant:
        press = await until_job(plant, "IMM-02", "J-4")

    assert press.mold_on.id == "A-1"


async def test_the_mold_of_a_press_s_last_run_goes_to_who_waits_for_it() -> None:
    fleet = Fleet.model_validate(
        {
            "press": PRESSES,
            "mold": MOLDS,
            "run": [
                {"press": "IMM-01", "mold": "A-3", "job": "J-3", "parts": 2},
                {"press": "IMM-02", "mold": "A-3", "job": "J-4", "parts": 2},
            ],
        }
    )
    async with open_plant(fleet, speed=5000, free_ports=True) as plant:
        press = await until_job(plant, "IMM-02", "J-4")

    assert press.mold_on.id == "A-3"


async def test_a_simulator_that_stops_in_a_change_over_does_it_again(tmp_path: Path) -> None:
    run = {"press": "IMM-01", "parts": 50, "program": {"hold_time_set_s": 7.5}}
    fleet = a_fleet(
        run=[
            run | {"mold": "A-3", "job": "J-3", "mode": "semi_automatic", "set_up_s": 80_000},
            run | {"mold": "A-4", "job": "J-4"},
        ]
    )
    state = tmp_path / "state"
    async with open_plant(fleet, speed=2000, free_ports=True, state=state) as plant:
        press = plant.presses["IMM-01"]
        async with asyncio.timeout(20):
            while press.mode is not Mode.SETUP:
                await press.until(press.counter + 1)
                await asyncio.sleep(0)

    async with open_plant(fleet, speed=50_000, free_ports=True, state=state) as plant:
        press = await until_job(plant, "IMM-01", "J-3")

    async with open_plant(fleet, speed=None, free_ports=True, state=state) as plant:
        press = plant.presses["IMM-01"]
        assert (press.mold_on.id, press.job.name) == ("A-3", "J-3")
        assert press.mode is Mode.SEMI_AUTOMATIC
        assert press.program.hold_time_set_s == pytest.approx(7.5)
