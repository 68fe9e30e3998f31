"""Orders to a running simulator: over its socket, from its terminal, and what is refused."""

import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from agent.__main__ import main
from simulators.control import listening, obey, send
from simulators.faults import Active, FaultError, Faults
from simulators.fleet import Fleet, FleetError, load
from simulators.fleetentries import FleetTcu
from simulators.modes import Mode
from simulators.orders import parsed
from simulators.plant import open_plant

FLEET = Fleet.model_validate(
    {
        "press": [
            {"name": "IMM-01", "protocol": "modbus", "mold": "A-1"},
            {"name": "IMM-02", "protocol": "flat", "mold": "A-2"},
        ],
        "mold": [{"id": "A-1"}, {"id": "A-2"}],
    }
)


async def test_a_fault_is_switched_on_and_off_over_the_socket() -> None:
    async with (
        open_plant(FLEET, speed=None, free_ports=True) as plant,
        listening(plant, 0) as address,
    ):
        host, _, port = address.rpartition(":")
        on = await send(host, int(port), "IMM-01 slow_answers delay_s=2")
        listed = await send(host, int(port), "list")
        given = plant.presses["IMM-01"].faults.active("slow_answers")
        off = await send(host, int(port), "IMM-01 off slow_answers")

    assert (on, listed) == ("slow_answers at IMM-01", "IMM-01: slow_answers")
    assert given is not None
    assert given["delay_s"] == 2
    assert off == "slow_answers off at IMM-01"
    assert plant.presses["IMM-01"].faults.names == []


async def test_a_star_means_every_press_that_can_have_it() -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        assert await obey(plant, "* bad_status") == "ok: bad_status at IMM-02"
        assert await obey(plant, "IMM-01,IMM-02 black_hole") == "ok: black_hole at IMM-01, IMM-02"
        assert await obey(plant, "* duplicate_event") == (
            "error: no press can have 'duplicate_event'"
        )


async def test_what_is_on_is_listed_for_control_units_too_and_help_says_what_to_type() -> None:
    fleet = FLEET.model_copy(update={"tcu": [FleetTcu(name="TCU-01", press="IMM-01", unit=2)]})
    async with open_plant(fleet, speed=None, free_ports=True) as plant:
        await obey(plant, "TCU-01 black_hole")

        assert await obey(plant, "list") == "ok: TCU-01: black_hole"
        assert "sprue fault --list" in await obey(plant, "help")


async def test_a_fault_ends_by_itself_after_its_time() -> None:
    async with open_plant(FLEET, speed=2000, free_ports=True) as plant, asyncio.timeout(10):
        press = plant.presses["IMM-01"]
        await plant.inject("IMM-01", "operator_wait", for_s=120)
        began = press.at_s
        while press.faults.active("operator_wait"):
            await press.until(press.counter + 1)

    assert press.at_s - began >= 120


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("IMM-01 blak_hole", "neither a fault nor an action; did you mean 'black_hole'?"),
        ("IMM-09 black_hole", "there is no press 'IMM-09'; did you mean 'IMM-0"),
        ("IMM-01 bad_status", "can't happen on protocol 'modbus'"),
        ("IMM-01 slow_answers delay=2", "no parameter 'delay'; did you mean 'delay_s'?"),
        ("IMM-01 slow_answers delay_s=soon", "it should be a number"),
        ("IMM-01 part_sticks by_s=0", "it should be a number from 0.01 to 60"),
        ("IMM-01 set_point set_point=fill_time_s value=nan", "it should be a number"),
        ("IMM-01 set_point set_point=coolant_flow_l_min value=0", "it should be from 0.1 to 500"),
        ("IMM-01 stop standing_s=inf", "it should be a number"),
        ("IMM-01 dry_cycles count=-5", "it should not be below 0"),
        ("IMM-01 cavities open=1.5", "it should be a whole number"),
        ("IMM-01 slow_answers for=-3", "should be a number of process seconds above 0"),
        ("IMM-01 counter_reset for=3", "happens once"),
        ("IMM-01 off counter_reset", "happens once"),
        ("IMM-01 stop", "'standing_s'"),
        ("IMM-01 mode mode=auto", "it should be one of automatic, semi_automatic"),
        ("IMM-01 set_point set_point=cooling value=3", "it should be one of"),
        ("IMM-01", "should be like 'IMM-03 late_reply"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(line: str, sentence: str) -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        answer = await obey(plant, line)

    assert answer.startswith("error: ")
    assert sentence in answer


async def test_people_can_do_everything_that_is_on_the_list() -> None:
    async with open_plant(FLEET, speed=2000, free_ports=True) as plant, asyncio.timeout(10):
        press = plant.presses["IMM-01"]
        for line in (
            "IMM-01 set_point set_point=cooling_time_set_s value=9.5 who=Ortiz",
            "IMM-01 lot lot=L-9",
            "IMM-01 dry_cycles count=1",
            "IMM-01 recut revision=B",
        ):
            assert (await obey(plant, line)).startswith("ok: "), line
        await press.until(press.counter + 3)

    assert press.mold_on.revision == "B"
    assert press.job.lot == "L-9"
    assert any(shot.closing == "dry" for shot in press.shots)


async def test_a_taken_port_and_a_silent_one_are_named(free_port: int) -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        async with listening(plant, free_port):
            with pytest.raises(FleetError, match=f"can't listen for orders at .*{free_port}"):
                async with listening(plant, free_port):
                    pass
        with pytest.raises(FaultError, match=f"no simulator takes orders at 127.0.0.1:{free_port}"):
            await send("127.0.0.1", free_port, "list")


def test_the_command_lists_the_menu_and_refuses_half_an_order(
    capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    assert main(["fault", "--list"]) == 0
    printed = capsys.readouterr().out
    assert "coolant_flow_low" in printed
    assert "reset_job_counters" in printed

    assert main(["fault", "IMM-01"]) == 2
    assert main(["fault", "IMM-01", "black_hole", "--at", f"127.0.0.1:{free_port}"]) == 1
    assert "no simulator takes orders" in capsys.readouterr().err


async def test_orders_are_typed_into_the_simulator_s_terminal(tmp_path: Path) -> None:
    fleet = tmp_path / "one.toml"
    fleet.write_text(
        '[[press]]\nname = "IMM-01"\nprotocol = "modbus"\nmold = "A-1"\n[[mold]]\nid = "A-1"\n',
        encoding="utf-8",
    )
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "simulate", str(fleet), "--free-ports",
        stdin=theirs, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    os.close(theirs)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            while b"orders at" not in await process.stdout.readline():
                pass
            os.write(ours, b"IMM-01 black_hole for=60\n")
            answer = await process.stdout.readline()
    finally:
        process.terminate()
        await process.wait()
        os.close(ours)

    assert answer == b"ok: black_hole at IMM-01\n"


def test_texts_stay_texts_and_may_have_spaces() -> None:
    assert parsed("IMM-01 job job=48300 lot=1001")[1].given == {"job": "48300", "lot": "1001"}
    assert parsed("IMM-01 stop standing_s=60 who='J. Ortiz'")[1].given["who"] == "J. Ortiz"

    with pytest.raises(FaultError, match="quotation mark"):
        parsed("IMM-01 stop standing_s=60 who='J. Ortiz")
    with pytest.raises(FaultError, match="'mold' needs 'mold', a text"):
        parsed("IMM-01 mold")


def test_an_order_is_read_as_a_person_types_it() -> None:
    machines, order = parsed("IMM-01,IMM-02  coolant_supply_warm by_k=3.5  for=600")

    assert machines == ["IMM-01", "IMM-02"]
    assert (order.what, order.given, order.for_s) == ("coolant_supply_warm", {"by_k": 3.5}, 600)


class Ended:
    """Waits until a fault is switched off."""

    def __init__(self, faults: Faults) -> None:
        self.event = asyncio.Event()
        faults.followers.append(self)

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        if not on:
            self.event.set()


async def test_a_fault_at_a_press_that_stands_lasts_as_long_as_it_is_told_to() -> None:
    async with open_plant(load("six"), speed=1000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        await press.set_mode(Mode.MANUAL)
        await press.paused()
        await plant.clock.until(plant.clock.now() + 2000)
        began_s, ended = press.now_s, Ended(press.faults)
        await plant.inject("IMM-01", "coolant_supply_warm", for_s=1000)
        async with asyncio.timeout(20):
            await ended.event.wait()
        lasted_s = press.now_s - began_s

    assert 950 < lasted_s < 1500
