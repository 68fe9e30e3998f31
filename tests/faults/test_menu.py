"""The menu is whole: every fault is shown by a test, and the page lists what there is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.faults import FaultError, Faults
from simulators.menu import MENU

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """Names of the faults that tests of this folder are marked with."""
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(Path(__file__).parent)],
        env={**os.environ, "SPRUE_LIST_FAULTS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    lines = [line.split() for line in collected.stdout.splitlines()]
    return {words[1] for words in lines if words[:1] == ["shows"]}


def test_every_fault_of_the_menu_is_shown_by_a_test(shown: set[str]) -> None:
    assert set(MENU) - shown == set()


def test_no_test_shows_a_fault_that_is_not_on_the_menu(shown: set[str]) -> None:
    assert shown - set(MENU) == set()


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("blackhole", {}, "no fault 'blackhole'; did you mean 'black_hole'?"),
        ("slow_answers", {"delay": 2.0}, "has no parameter 'delay'; did you mean 'delay_s'"),
        ("slow_answers", {"delay_s": float("nan")}, "it should be a number from 0 to 1e+09"),
        ("slow_answers", {"delay_s": -1}, "it should be a number from 0 to 1e+09"),
        ("bad_status", {}, "'bad_status' can't happen on protocol 'modbus'"),
        ("certificate_changed", {}, "can't happen on protocol 'modbus'"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused_in_words(
    name: str, given: dict[str, float], sentence: str
) -> None:
    faults = Faults(machine="IMM-01", protocol="modbus")

    with pytest.raises(FaultError, match="IMM-01") as error:
        await faults.on(name, given)

    assert sentence in str(error.value)


async def test_a_server_without_certificates_has_no_trouble_with_them() -> None:
    faults = Faults(machine="IMM-05", protocol="flat", secured=False)

    with pytest.raises(FaultError, match="needs a press whose fleet entry has 'security'"):
        await faults.on("certificate_expired")


async def test_a_fault_that_counts_ends_by_itself() -> None:
    faults = Faults(machine="IMM-01")
    await faults.on("late_reply", {"count": 2})

    taken = [faults.take("late_reply") is not None for _ in range(3)]

    assert taken == [True, True, False]
    assert faults.names == []


async def test_a_shot_knows_every_fault_that_touched_it() -> None:
    faults = Faults(machine="IMM-01")
    await faults.on("black_hole")
    await faults.off("black_hole")
    await faults.on("counter_reset")
    await faults.on("coolant_flow_low")

    assert faults.shot_ended() == ["black_hole", "counter_reset"]  # it was planned before the flow
    faults.shot_began()
    assert faults.shot_ended() == ["coolant_flow_low"]
    faults.shot_began()
    await faults.off("coolant_flow_low")
    assert faults.shot_ended() == ["coolant_flow_low"]
    faults.shot_began()
    assert faults.shot_ended() == []


async def test_the_shots_of_a_warm_up_know_what_they_come_from() -> None:
    faults = Faults(machine="IMM-01")
    await faults.on("start_up")
    running = faults.shot_ended()

    after = []
    for _ in range(25):
        faults.shot_began()
        after.append(faults.shot_ended())

    assert running == []
    assert after == [["start_up"]] * 20 + [[]] * 5


async def test_what_grows_reaches_its_size_after_its_shots() -> None:
    faults = Faults(machine="IMM-01")
    active = await faults.on("coolant_supply_warm", {"by_k": 5, "over": 5})

    sizes = []
    for _ in range(7):
        sizes.append(active.ramp("by_k"))
        faults.shot_ended()

    assert sizes == [1, 2, 3, 4, 5, 5, 5]
