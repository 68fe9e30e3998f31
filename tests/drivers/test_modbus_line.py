"""Several machines on one line: one connection, fair turns, and a dead one that costs little."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drivers import Frame, MachineError, UnreachableError, modbusline
from drivers.blocks import Block
from drivers.modbus import ModbusPress, ModbusSettings, line_of, open_press
from drivers.registers import RegisterMap
from simulators.modbus.framing import FramingName
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from simulators.press import Press
from tests.drivers.modbusdevice import open_device
from tests.drivers.registermakers import a_map
from tests.simulators.makers import a_press

UNITS = (1, 2, 3, 4)
DEAD = 4
COUNTER = '[[register]]\nsignal = "counter"\naddress = 0\ntype = "uint32"\n'
BACKOFF_S = 0.3
"""Between a failure and connecting anew, as an agent has one."""


@pytest.fixture
def counter(tmp_path: Path) -> RegisterMap:
    return a_map(tmp_path, COUNTER)


@pytest.fixture
def presses() -> dict[int, Press]:
    return {unit: a_press(name=f"IMM-0{unit}", counter=1000 * unit) for unit in UNITS}


@asynccontextmanager
async def a_gateway(
    presses: dict[int, Press], framing: FramingName = "tcp"
) -> AsyncGenerator[Gateway]:
    units = {unit: press_unit(press) for unit, press in presses.items()}
    gateway = Gateway(units, framing=framing, patience_s=0.1)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


def settings(port: int, unit: int, **keys: Any) -> ModbusSettings:
    given = {
        "name": f"IMM-0{unit}",
        "driver": "modbus",
        "host": "127.0.0.1",
        "port": port,
        "unit": unit,
        "map": "map.toml",
        "poll_s": 0.1,
        "timeout_s": 0.5,
    }
    return ModbusSettings.model_validate(given | keys)


class Watched:
    """Machines followed as an agent does, with what they said."""

    def __init__(self) -> None:
        self.polls: Counter[int] = Counter()
        self.failures: dict[int, list[MachineError]] = {unit: [] for unit in UNITS}
        self.wrong: list[tuple[int, object]] = []
        self.seen_at: dict[int, float] = {}
        self.missed: Counter[int] = Counter()

    async def follow(self, chosen: ModbusSettings, registers: RegisterMap) -> None:
        line = line_of(chosen)
        while True:
            try:
                async with open_press(chosen, registers, line) as press:
                    async for item in press.observations():
                        assert isinstance(item, Frame)
                        if item.values != (1000 * chosen.unit,):
                            self.wrong.append((chosen.unit, item.values))
                        self.polls[chosen.unit] += 1
                        self.seen_at[chosen.unit] = time.monotonic()
                        self.missed[chosen.unit] = press.condition.missed
                        _leave_if_cancelled()
            except MachineError as error:
                _leave_if_cancelled()
                self.failures[chosen.unit].append(error)
                await asyncio.sleep(BACKOFF_S)

    async def rate(self, seconds: float) -> dict[int, float]:
        """Polls a second of each machine from now on."""
        before, start = self.polls.copy(), time.monotonic()
        await asyncio.sleep(seconds)
        took = time.monotonic() - start
        return {unit: (self.polls[unit] - before[unit]) / took for unit in UNITS}


@asynccontextmanager
async def followed(
    gateway: Gateway, registers: RegisterMap, **keys: Any
) -> AsyncGenerator[Watched]:
    watched = Watched()
    tasks = [
        asyncio.create_task(watched.follow(settings(gateway.port, unit, **keys), registers))
        for unit in UNITS
    ]
    try:
        yield watched
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _leave_if_cancelled() -> None:
    """As the agent does: Python 3.11's `asyncio.wait_for` loses a cancellation now and then."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def until(condition: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_units_behind_one_port_share_one_connection(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    async with a_gateway(presses) as gateway, AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(open_press(settings(gateway.port, unit), counter))
            for unit in UNITS
        ]
        frames = await asyncio.gather(*(press.read() for press in opened))
        links = len(gateway._wire.links)

    assert [frame.values for frame in frames] == [(1000 * unit,) for unit in UNITS]
    assert links == 1


async def test_whoever_leaves_last_closes_the_connection(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    async with a_gateway(presses) as gateway:
        async with open_press(settings(gateway.port, 1), counter) as first:
            async with open_press(settings(gateway.port, 2), counter):
                pass
            assert (await first.read()).values == (1000,)
        await until(lambda: not gateway._wire.links, within_s=5)


async def test_turns_are_taken_request_by_request_in_the_order_of_asking(tmp_path: Path) -> None:
    text = "gap = 0\nmax_block = 1\n" + "".join(
        f'[[register]]\nsignal = "value_{n}"\naddress = {n}\nlatched = false\n' for n in range(6)
    )
    registers = a_map(tmp_path, text)
    asked_at_once = 0

    async def slowly(block: Block) -> None:
        nonlocal asked_at_once
        asked_at_once += 1
        assert asked_at_once == 1
        await asyncio.sleep(0.01)
        asked_at_once -= 1

    async with open_device(dict(enumerate(range(6)))) as device, AsyncExitStack() as stack:
        device.before = slowly
        both = [
            await stack.enter_async_context(
                open_press(settings(device.port, 1, name=name), registers)
            )
            for name in ("IMM-01", "IMM-02")
        ]
        await asyncio.gather(*(press.read() for press in both))

    assert [block.first for block in device.asked] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


async def test_a_connection_that_the_gateway_ends_is_told_to_all(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    async with a_gateway(presses) as gateway, AsyncExitStack() as stack:
        opened: list[ModbusPress] = []
        for unit in UNITS:
            opening = open_press(settings(gateway.port, unit), counter)
            opened.append(await stack.enter_async_context(opening))
        await presses[1].faults.on("link_dropped")
        await until(lambda: not gateway._wire.links, within_s=5)
        for press in opened:
            with pytest.raises(UnreachableError, match="the machine closed the connection"):
                await press.read()


async def test_a_machine_may_ask_for_a_pause_before_its_requests(counter: RegisterMap) -> None:
    at: list[float] = []

    async def note(block: Block) -> None:
        at.append(asyncio.get_running_loop().time())

    async with open_device({0: 0, 1: 7}) as device:
        device.before = note
        async with open_press(settings(device.port, 1, pause_ms=80), counter) as press:
            await press.read()
            await press.read()

    assert all(after - before >= 0.079 for before, after in pairwise(at))
    assert len(at) >= 2


@pytest.mark.parametrize(("framing", "silent"), [("tcp", 0.0), ("tcp", 1.0), ("rtu", 1.0)], ids=str)
async def test_a_dead_unit_leaves_the_others_nine_tenths_of_their_rate(
    framing: FramingName, silent: float, presses: dict[int, Press], counter: RegisterMap
) -> None:
    fault = {"wait_s": 0.3, "silent": silent}
    async with (
        a_gateway(presses, framing) as gateway,
        followed(gateway, counter, framing=framing, timeout_s=0.4) as watched,
    ):
        await until(lambda: all(watched.polls[unit] > 3 for unit in UNITS), within_s=10)
        before = await watched.rate(4)
        await presses[DEAD].faults.on("dead_unit", fault)
        await until(lambda: len(watched.failures[DEAD]) >= 2, within_s=20)
        failed = len(watched.failures[DEAD])
        during = await watched.rate(12)
        probes = len(watched.failures[DEAD]) - failed
        await presses[DEAD].faults.off("dead_unit")
        await until(lambda: watched.seen_at[DEAD] > time.monotonic() - 0.3, within_s=35)

    healthy = [unit for unit in UNITS if unit != DEAD]
    kept = {unit: round(during[unit] / before[unit], 3) for unit in healthy}
    assert min(kept.values()) >= 0.9, kept
    assert during[DEAD] == 0
    assert 1 <= probes <= 7, probes
    assert watched.wrong == []
    assert all(not watched.failures[unit] for unit in healthy), watched.failures


async def test_where_only_we_wait_a_dead_unit_is_waited_for_briefly_and_is_fresh_soon(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    patience_s = 1.5
    async with (
        a_gateway(presses, "rtu") as gateway,
        followed(gateway, counter, framing="rtu", timeout_s=patience_s) as watched,
    ):
        await until(lambda: all(watched.polls[unit] > 3 for unit in UNITS), within_s=20)
        await presses[DEAD].faults.on("dead_unit", {})
        await until(lambda: len(watched.failures[DEAD]) >= 3, within_s=60)
        first, *probes = [error.what for error in watched.failures[DEAD]]
        await presses[DEAD].faults.off("dead_unit")
        await until(lambda: watched.seen_at[DEAD] > time.monotonic() - 0.3, within_s=20)

    assert first == f"no answer within {patience_s:g} s"
    waited_s = [float(what.split()[-2]) for what in probes]
    assert all(0.2 <= each < patience_s for each in waited_s), probes
    assert watched.wrong == []


@pytest.mark.usefixtures("often_patient")
async def test_a_unit_that_has_become_slow_is_found_by_a_patient_probe(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    async with (
        a_gateway(presses, "rtu") as gateway,
        followed(gateway, counter, framing="rtu", timeout_s=0.8) as watched,
    ):
        await until(lambda: all(watched.polls[unit] > 3 for unit in UNITS), within_s=20)
        await presses[DEAD].faults.on("dead_unit", {})
        await until(lambda: len(watched.failures[DEAD]) >= 1, within_s=30)
        await presses[DEAD].faults.on("slow_answers", {"delay_s": 0.4})
        await presses[DEAD].faults.off("dead_unit")
        healed_at = time.monotonic()
        await until(lambda: watched.seen_at[DEAD] > healed_at + 0.5, within_s=60)

    assert watched.wrong == []


@pytest.fixture
def often_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbusline, "PATIENT_EVERY", 2)


async def test_two_dead_units_are_asked_in_turn_and_cost_no_more_than_one(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    dead, healthy = (3, 4), (1, 2)
    async with a_gateway(presses) as gateway, followed(gateway, counter) as watched:
        await until(lambda: all(watched.polls[unit] > 3 for unit in UNITS), within_s=10)
        before = await watched.rate(3)
        for unit in dead:
            await presses[unit].faults.on("dead_unit", {"wait_s": 0.3})
        await until(lambda: all(len(watched.failures[unit]) >= 2 for unit in dead), within_s=30)
        failed = {unit: len(watched.failures[unit]) for unit in dead}
        during = await watched.rate(12)

    probes = {unit: len(watched.failures[unit]) - failed[unit] for unit in dead}
    assert min(during[unit] / before[unit] for unit in healthy) >= 0.9
    assert all(1 <= probes[unit] <= 3 for unit in dead), probes


async def test_where_nobody_else_answers_a_dead_unit_is_asked_without_a_rest(
    presses: dict[int, Press], counter: RegisterMap
) -> None:
    async with a_gateway(presses) as gateway, followed(gateway, counter) as watched:
        await until(lambda: all(watched.polls[unit] > 3 for unit in UNITS), within_s=10)
        for unit in UNITS:
            await presses[unit].faults.on("dead_unit", {"wait_s": 0.2})
        await until(lambda: all(len(watched.failures[u]) >= 4 for u in UNITS), within_s=30)
        for unit in UNITS:
            await presses[unit].faults.off("dead_unit")
        healed_at = time.monotonic()
        await until(lambda: all(watched.seen_at[u] > healed_at for u in UNITS), within_s=5)


async def test_a_gateway_that_is_away_is_waited_for_once_and_not_by_each_unit_in_turn(
    free_port: int, counter: RegisterMap
) -> None:
    failures = await asyncio.gather(
        *(_failure(settings(free_port, unit), counter) for unit in UNITS)
    )

    assert all(isinstance(error, UnreachableError) for error in failures)
    assert [error.machine for error in failures] == [f"IMM-0{unit}" for unit in UNITS]
    assert all("connection refused" in error.what for error in failures)


async def _failure(chosen: ModbusSettings, registers: RegisterMap) -> MachineError:
    with pytest.raises(MachineError) as caught:
        async with open_press(chosen, registers):
            pass
    return caught.value


async def test_a_late_answer_without_an_id_is_taken_for_none_after_a_silence(
    counter: RegisterMap,
) -> None:
    """Two units share a connection; the late answer to one comes while the other waits."""
    late: list[bytes] = []

    def hold_first(answer: bytes) -> bytes:
        nameless = b"\0\0" + answer[2:]
        if not late:
            late.append(nameless)
            return b""
        return late[0] + nameless

    async with open_device({0: 0, 1: 7}) as device, AsyncExitStack() as stack:
        device.spoil = hold_first
        one, other = [
            await stack.enter_async_context(
                open_press(settings(device.port, 1, name=name, timeout_s=0.2), counter)
            )
            for name in ("IMM-01", "IMM-02")
        ]
        with pytest.raises(UnreachableError, match="no answer within"):
            await one.read()
        with pytest.raises(MachineError, match="no transaction id"):
            await other.read()


async def test_the_second_silence_in_a_row_ends_a_connection_whose_answers_have_ids(
    counter: RegisterMap,
) -> None:
    """One late answer is told by its id; a peer that is gone says nothing twice."""
    async with open_device({0: 0, 1: 7}) as device, AsyncExitStack() as stack:
        names = ("IMM-01", "IMM-02", "IMM-03", "IMM-04")
        first, second, third, last = [
            await stack.enter_async_context(
                open_press(settings(device.port, 1, name=name, timeout_s=0.2), counter)
            )
            for name in names
        ]
        (link,) = device.links
        device.silent = True
        with pytest.raises(UnreachableError, match="no answer within"):
            await first.read()
        device.silent = False
        between = (await last.read()).values
        kept = link in device.links
        device.silent = True
        for silent in (second, third):
            with pytest.raises(UnreachableError, match="no answer within"):
                await silent.read()
        device.silent = False
        after = (await last.read()).values
        anew = link not in device.links

    assert between == after == (7,)
    assert kept
    assert anew


async def test_a_read_that_is_cancelled_ends_the_connection_and_the_others_go_on(
    counter: RegisterMap,
) -> None:
    """Its answer is still to come, and is nobody's."""
    async with open_device({0: 0, 1: 7}) as device, AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(
                open_press(settings(device.port, 1, name=name, timeout_s=5), counter)
            )
            for name in ("IMM-01", "IMM-02")
        ]
        await other.read()
        (link,) = device.links
        device.silent = True
        device.heard.clear()
        reading = asyncio.create_task(one.read())
        await device.heard.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        device.silent = False
        frame = await other.read()
        kept = link in device.links

    assert reading.cancelled()
    assert frame.values == (7,)
    assert not kept


async def test_an_answer_that_nobody_waits_for_ends_a_connection_without_ids(
    counter: RegisterMap,
) -> None:
    """Something is late there, and what comes next might be its rest."""
    async with open_device({0: 0, 1: 7}) as device:
        device.spoil = lambda answer: b"\0\0" + answer[2:]
        async with open_press(settings(device.port, 1), counter) as press:
            await press.read()
            (link,) = device.links
            link.write(bytes.fromhex("0000 0000 0007 01 03 04 0000 0008"))
            await until(lambda: link not in device.links, within_s=5)
            frame = await press.read()

    assert frame.values == (7,)
