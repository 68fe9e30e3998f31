"""A fleet's story: runs follow each other, molds move and are re-cut, and events come in time."""

import asyncio
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client

from simulators.fleet import Fleet, load
from simulators.menu import MENU
from simulators.orders import Order
from simulators.plant import open_plant
from simulators.press import Press
from simulators.shot import Shot

TWO = {
    "press": [
        {"name": "IMM-01", "protocol": "modbus", "mold": "A-1", "job": "J-1", "parts": 8},
        {"name": "IMM-02", "protocol": "modbus", "mold": "A-2", "job": "J-2", "parts": 20},
    ],
    "mold": [{"id": "A-1", "cavities": 2}, {"id": "A-2"}, {"id": "A-3", "resin": "PP"}],
    "run": [
        {"press": "IMM-01", "mold": "A-2", "job": "J-3", "parts": 5, "recut": True},
        {"press": "IMM-02", "mold": "A-3", "job": "J-4", "parts": 6, "lots": ["L-1", "L-2"]},
        {"press": "IMM-01", "mold": "A-1", "job": "J-5", "parts": 4, "set_up_closings": 0},
    ],
}


class Closings:
    """A recorder that lets a test wait for a number of closings, whatever the counter does."""

    def __init__(self, press: Press, wanted: int) -> None:
        self.made = 0
        self.enough = asyncio.Event()
        self._wanted = wanted
        press.recorders.append(self)

    def record(self, press: Press, shot: Shot) -> None:
        self.made += 1
        if self.made >= self._wanted:
            self.enough.set()


async def told(
    fleet: Fleet, folder: Path, *, closings: int, seed: int = 3, name: str = "truth"
) -> list[dict[str, Any]]:
    """The truth of a fleet as fast as it goes, until every press has made so many closings."""
    truth = folder / f"{name}.jsonl"
    async with (
        open_plant(fleet, speed=5000, seed=seed, truth=truth, free_ports=True) as plant,
        asyncio.timeout(120),
    ):
        for made in [Closings(press, closings) for press in plant.presses.values()]:
            await made.enough.wait()
    return [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]


def of(lines: list[dict[str, Any]], machine: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["machine"] == machine]


async def test_molds_move_and_are_recut_between_runs(tmp_path: Path) -> None:
    lines = await told(Fleet.model_validate(TWO | {"repeat": True}), tmp_path, closings=30)

    one = of(lines, "IMM-01")
    assert [
        (each["mold"], each["revision"], each["job"], each["closing"]) for each in one[:18]
    ] == [
        *[("A-1", "A", "J-1", "shot")] * 4,  # eight parts of two cavities
        *[("A-2", "B", "J-3", "dry")] * 3,
        *[("A-2", "B", "J-3", "shot")] * 5,
        *[("A-1", "A", "J-5", "shot")] * 2,
        *[("A-2", "C", "J-3.2", "dry")] * 3,
        ("A-2", "C", "J-3.2", "shot"),
    ]
    assert [each["counter"] for each in one] == list(range(1, len(one) + 1))


async def test_a_mold_is_on_one_press_at_a_time(tmp_path: Path) -> None:
    lines = await told(Fleet.model_validate(TWO | {"repeat": True}), tmp_path, closings=60)

    by_mold: dict[str, list[tuple[float, str, str]]] = {}
    for line in sorted(lines, key=lambda each: float(each["at_s"])):
        by_mold.setdefault(line["mold"], []).append((line["at_s"], line["machine"], line["job"]))
    for mold, uses in by_mold.items():
        jobs = [job for _, _, job in uses]
        seen = [job for index, job in enumerate(jobs) if index == 0 or jobs[index - 1] != job]
        assert len(seen) == len(set(seen)), f"{mold} goes to and fro between {seen}"


async def test_lots_share_the_parts_of_a_run(tmp_path: Path) -> None:
    fleet = Fleet.model_validate(TWO)
    async with open_plant(fleet, speed=5000, free_ports=True) as plant, asyncio.timeout(30):
        press = plant.presses["IMM-02"]
        await Closings(press, 20 + 3 + 6).enough.wait()

    lots = Counter(
        shot.job.lot for shot in press.shots if shot.job.name == "J-4" and shot.closing == "shot"
    )
    assert lots == {"L-1": 3, "L-2": 3}


async def test_without_repetition_a_press_stops_after_its_last_run(tmp_path: Path) -> None:
    fleet = Fleet.model_validate(TWO)
    async with open_plant(fleet, speed=5000, free_ports=True) as plant, asyncio.timeout(30):
        press = plant.presses["IMM-02"]
        await Closings(press, 20 + 3 + 6).enough.wait()
        await asyncio.sleep(0.1)  # twenty cycles

        assert not press.running
        assert (press.counters.good + press.counters.bad, press.mold_on.id) == (6, "A-3")


@pytest.mark.parametrize("seed", [1, 2])
async def test_one_seed_has_one_truth_and_another_has_another(tmp_path: Path, seed: int) -> None:
    """However the wall's clock runs: only what was cut off at the end may differ."""
    fleet = load("small-batch")
    first = await told(fleet, tmp_path, closings=150, seed=seed, name="first")
    again = await told(fleet, tmp_path, closings=150, seed=seed, name="again")
    other = await told(fleet, tmp_path, closings=5, seed=seed + 10, name="other")

    def of_one(lines: list[dict[str, Any]], machine: str) -> list[dict[str, Any]]:
        return [{k: v for k, v in line.items() if k != "time"} for line in of(lines, machine)]

    for press in fleet.press:
        ours, theirs = of_one(first, press.name), of_one(again, press.name)
        both = min(len(ours), len(theirs))
        assert both >= 150
        assert ours[:both] == theirs[:both], press.name
        assert of_one(other, press.name)[:5] != ours[:5]


EVENTFUL = {
    "press": [{"name": "IMM-01", "protocol": "modbus", "mold": "A-1", "job": "J-1"}],
    "mold": [{"id": "A-1"}, {"id": "A-2"}],
    "event": [
        {"at_s": 100, "press": "IMM-01", "fault": "operator_wait", "for_s": 200, "every_s": 1000},
        {"at_s": 400, "press": "*", "do": "mold", "with": {"mold": "A-2", "job": "J-2"}},
        {"at_s": 700, "press": ["IMM-01"], "do": "stop", "with": {"standing_s": 300}},
        {"at_s": 1050, "press": "IMM-01", "fault": "counter_jump", "with": {"by": 500}},
    ],
}


async def test_events_come_at_their_time_and_are_in_the_truth(tmp_path: Path) -> None:
    lines = await told(Fleet.model_validate(EVENTFUL), tmp_path, closings=560)

    touched = [line["at_s"] for line in lines if "operator_wait" in line["injected"]]
    assert 100 <= min(touched) < 150
    assert not [at for at in touched if 340 < at < 1100]
    assert [at for at in touched if 1100 <= at < 1340]
    mold = [line["at_s"] for line in lines if line["mold"] == "A-2"]
    assert 400 < min(mold) < 480
    assert {line["job"] for line in lines if line["mold"] == "A-2"} == {"J-2"}
    gaps = [b["at_s"] - a["at_s"] for a, b in pairwise(lines)]
    assert 300 < max(gaps) < 360
    (jump,) = [line for line in lines if "counter_jump" in line["injected"]]
    assert jump["counter"] - lines[lines.index(jump) - 1]["counter"] == 501


def test_the_trouble_fleet_has_every_fault_once() -> None:
    faults = [event.fault for event in load("trouble").event if event.fault is not None]

    assert Counter(faults) == Counter(list(MENU))


def test_the_small_batch_fleet_is_what_its_name_says() -> None:
    fleet = load("small-batch")

    assert (len(fleet.press), len(fleet.mold)) == (8, 20)
    assert all(re.match(r"7075|QC-10", mold.alloy) for mold in fleet.mold)
    assert min(run.parts for run in fleet.run) <= 150
    assert max(run.parts for run in fleet.run) > 9000
    assert sum(run.recut for run in fleet.run) >= 5
    assert sum(run.resin is not None for run in fleet.run) >= 3
    homes: dict[str, set[str]] = {}
    for run in fleet.run:
        homes.setdefault(run.mold, set()).add(run.press)
    assert sum(len(presses) > 1 for presses in homes.values()) >= 15


def test_the_wall_has_two_hundred_presses() -> None:
    fleet = load("wall")

    assert len(fleet.press) == 200
    assert len({press.mold for press in fleet.press}) == 200
    assert len({press.protocol for press in fleet.press}) == 3


async def test_people_change_units_and_say_why_they_stop() -> None:
    """On the flat server and the PLC the first has no effect; on OPC 40077 both show."""
    fleet = load("six")
    root = "ns=5;s=IMM_SprueSim_IMM-05"
    async with open_plant(fleet, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-05"]
        await press.mold()
        async with Client(plant.faces["IMM-05"].address) as client:
            zone = f"{root}.InjectionUnits.InjectionUnit_1.TemperatureZones.TemperatureZone_1"
            node = client.get_node(f"{zone}.ActualTemperature")
            celsius = await node.read_value()
            await plant.order("*", Order(what="units", given={"temperature": "F"}))
            fahrenheit = await node.read_value()
            why = Order(what="stop", given={"standing_s": 60, "reason": "Ejector not back"})
            await plant.order("IMM-05", why)
            said = client.get_node(f"{root}.MachineMESStatus.StandstillReasonId")
            reason = await said.read_value()

    assert fahrenheit == pytest.approx(celsius * 1.8 + 32, abs=0.06)
    assert reason == "OTHER"
