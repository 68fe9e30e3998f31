"""A plant molds, tells the truth, and stops at once."""

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client
from pymodbus.client import AsyncModbusTcpClient

from simulators.fleet import Fleet, FleetError, load
from simulators.plant import open_plant
from simulators.press import Press
from simulators.printedconfig import print_config
from simulators.serve import serve
from simulators.state import StateFile
from tests.simulators.makers import a_press

MODBUS = Fleet.model_validate(
    {
        "press": [
            {"name": "IMM-01", "protocol": "modbus", "mold": "A-1", "job": "J-1"},
            {"name": "IMM-02", "protocol": "modbus", "mold": "A-2", "job": "J-2"},
        ],
        "mold": [{"id": "A-1", "revision": "C"}, {"id": "A-2", "resin": "PP"}],
    }
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def registers(press: Press, port: int, first: int, count: int) -> list[int]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, reconnect_delay=0, retries=0)
    assert await client.connect(), press.name
    answer = await client.read_holding_registers(first, count=count, device_id=1)
    client.close()
    return list(answer.registers)


async def test_every_protocol_answers_as_the_fleet_says() -> None:
    async with open_plant(load("six"), speed=None, free_ports=True) as plant:
        for press in plant.presses.values():
            await press.mold()
        plc = await registers(plant.presses["IMM-01"], plant.ports["IMM-01"], 0, 2)
        async with Client(plant.faces["IMM-03"].address) as client:
            flat = await client.get_node("ns=2;s=ActCntCyc").read_value()
        async with Client(plant.faces["IMM-05"].address) as client:
            node = "ns=5;s=IMM_SprueSim_IMM-05.Jobs.ActiveJobValues.MachineCycleCounter"
            mes = await client.get_node(node).read_value()

    assert (plc, flat, mes) == ([0, 1], 1, 1)


async def test_the_truth_has_a_line_for_each_closing(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    async with open_plant(MODBUS, speed=None, free_ports=True, truth=truth) as plant:
        shot = await plant.presses["IMM-01"].mold()
        first = lines(truth)
        dry = await plant.presses["IMM-01"].mold(dry=True)

    assert first == [
        {
            "time": shot.ended_at.isoformat(timespec="microseconds"),
            "machine": "IMM-01",
            "mold": "A-1",
            "revision": "C",
            "job": "J-1",
            "counter": 1,
            "closing": "shot",
            "values": dict(shot.values),
            "injected": [],
            "at_s": shot.at_s,
        }
    ]
    assert datetime.fromisoformat(first[0]["time"]).utcoffset() is not None
    assert [(line["counter"], line["closing"]) for line in lines(truth)] == [
        (1, "shot"),
        (2, "dry"),
    ]
    assert dry.counter == 2


async def test_the_truth_is_written_before_a_closing_shows_and_appended_to(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    truth.write_text('{"machine":"of before"}\n', encoding="utf-8")
    async with open_plant(MODBUS, speed=1000, free_ports=True, truth=truth) as plant:
        async with asyncio.timeout(20):
            await plant.presses["IMM-02"].until(3)
        counted = [line["counter"] for line in lines(truth) if line["machine"] == "IMM-02"]
        assert counted[:3] == [1, 2, 3]

    assert lines(truth)[0] == {"machine": "of before"}


async def test_a_machine_without_a_life_counter_is_true_by_its_jobs(tmp_path: Path) -> None:
    fleet = Fleet.model_validate(
        {
            "press": [
                {
                    "name": "IMM-01",
                    "protocol": "euromap77",
                    "mold": "A-1",
                    "machine_counter": False,
                    "counter": 7000,
                    "job_counter": 20,
                }
            ],
            "mold": [{"id": "A-1"}],
        }
    )
    truth = tmp_path / "truth.jsonl"
    async with open_plant(fleet, speed=None, free_ports=True, truth=truth) as plant:
        await plant.presses["IMM-01"].mold()

    assert lines(truth)[0]["counter"] == 21


async def test_a_press_molds_on_while_its_server_is_stopped() -> None:
    async with open_plant(MODBUS, speed=1000, free_ports=True) as plant, asyncio.timeout(20):
        press, face = plant.presses["IMM-01"], plant.faces["IMM-01"]
        await press.until(1)
        await face.stop()
        await press.until(press.counter + 2)
        await face.start()
        press.pause()
        await press.paused()
        _, low = await registers(press, face.port, 0, 2)

        assert low == press.counter > 2


async def test_presses_behind_one_server_have_one_address() -> None:
    fleet = load("six")
    gateway = fleet.model_copy(
        update={
            "press": [
                press.model_copy(update={"server": "gateway"}) if press.name > "IMM-04" else press
                for press in fleet.press
            ]
        }
    )
    async with open_plant(gateway, speed=None, free_ports=True) as plant:
        assert plant.faces["IMM-05"] is plant.faces["IMM-06"]
        assert plant.ports["IMM-05"] == plant.ports["IMM-06"]
        assert 'serial = "IMM-06"' in print_config(gateway, plant.ports)


async def test_a_plant_stops_at_once() -> None:
    async with open_plant(load("six"), speed=60, free_ports=True) as plant:
        async with Client(plant.faces["IMM-03"].address):
            before = time.monotonic()
            await plant.faces["IMM-03"].stop()
        assert plant.presses
        stopping = time.monotonic()
    ended = time.monotonic()

    assert ended - stopping < 0.5
    assert stopping - before < 5


async def test_what_fails_inside_a_plant_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_plant(MODBUS, speed=1, free_ports=True):
            raise ZeroDivisionError


async def test_a_taken_port_is_named(free_port: int) -> None:
    taken = MODBUS.model_copy(
        update={"press": [p.model_copy(update={"port": free_port}) for p in MODBUS.press]}
    )

    with pytest.raises(FleetError, match=rf"IMM-02: can't listen at .*:{free_port}"):
        async with open_plant(taken, speed=None):
            pass


async def test_counters_survive_a_restart_of_the_plant(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    async with open_plant(MODBUS, speed=None, free_ports=True, state=state) as plant:
        for _ in range(3):
            last = await plant.presses["IMM-01"].mold()
    async with open_plant(MODBUS, speed=None, free_ports=True, state=state) as plant:
        press = plant.presses["IMM-01"]
        assert press.counter == 3
        assert await registers(press, plant.ports["IMM-01"], 100, 1) == [
            round(last.values["cycle_time_s"] * 100)
        ]
        assert (await press.mold()).counter == 4
        assert plant.presses["IMM-02"].counter == 0


def test_a_state_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    press = a_press(counter=41)
    with StateFile(path) as state:
        state.keep(press)
    with path.open("ab") as file:
        file.write(b'{"machine":"IMM-01","counters":{"mach')

    with StateFile(path) as state:
        assert state.kept["IMM-01"]["counters"]["machine"] == 41


async def test_serving_says_where_and_writes_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "sprue.toml"
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(
            serve(MODBUS, speed=1000, free_ports=True, config_out=config, seed=3)
        )
        while not config.exists():  # noqa: ASYNC110 - what a program that waits for it does
            await asyncio.sleep(0.005)
        text = config.read_text(encoding="utf-8")
        await asyncio.sleep(0)
        serving.cancel()

    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said] == [["IMM-01", "modbus"], ["IMM-02", "modbus"]]
    assert text.count("[[machine]]") == text.count("[[mold]]") == 2


async def test_a_folder_without_the_official_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=f"IMM-05: {tmp_path}: the official NodeSet .* not there"):
        async with open_plant(load("six"), speed=None, free_ports=True, nodesets=tmp_path):
            pass


def test_a_folder_of_a_fleet_s_name_does_not_hide_the_fleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "six").mkdir()
    monkeypatch.chdir(tmp_path)

    assert len(load("six").press) == 6
