"""The Modbus driver over real sockets: what it reads, and what it makes of a device's faults."""

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers import (
    Frame,
    GarbledError,
    MachineError,
    Quality,
    RefusedError,
    Report,
    UnreachableError,
)
from drivers.blocks import Block
from drivers.modbus import ModbusPress, ModbusSettings, open_press
from drivers.registers import RegisterMap
from tests.drivers.modbusdevice import Device, open_device
from tests.drivers.registermakers import a_map

TWO_TEMPERATURES = """
[[register]]
signal = "oil_temp_c"
address = 0
scale = 0.1
[[register]]
signal = "melt_temp_c"
address = 1
scale = 0.1
"""
REGISTERS = {0: 415, 1: 2300}


@pytest.fixture
async def device() -> AsyncGenerator[Device]:
    async with open_device(REGISTERS) as opened:
        yield opened


def settings(device: Device, **keys: Any) -> ModbusSettings:
    given = {
        "name": "IMM-12",
        "driver": "modbus",
        "host": "127.0.0.1",
        "port": device.port,
        "map": "map.toml",
        "poll_s": 0.02,
        "timeout_s": 0.3,
    }
    return ModbusSettings.model_validate(given | keys)


def shown(frame: Frame) -> dict[str, object]:
    return {c.signal: v for c, v in zip(frame.columns, frame.values, strict=True)}


async def test_all_registers_are_read_in_one_request(device: Device, tmp_path: Path) -> None:
    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        frame = await press.read()

    assert shown(frame) == {"oil_temp_c": 41.5, "melt_temp_c": 230.0}
    assert frame.qualities == (Quality.GOOD, Quality.GOOD)
    assert device.asked == [Block(3, 0, 2)]


async def test_frames_come_at_once_and_then_at_the_polls(device: Device, tmp_path: Path) -> None:
    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        observations = press.observations()
        first = await anext(observations)
        device.put(0, 420)
        second = await anext(observations)

    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert (first.value("oil_temp_c"), second.value("oil_temp_c")) == (41.5, 42.0)
    assert first.columns is second.columns is press.columns


async def test_every_function_reads_its_own(device: Device, tmp_path: Path) -> None:
    device.put(100, 1, 0, 1)
    text = (
        TWO_TEMPERATURES
        + """
        [[register]]
        signal = "guard"
        function = 1
        address = 100
        latched = false
        [[register]]
        signal = "door"
        function = 2
        address = 101
        latched = false
        [[register]]
        signal = "coolant_in_c"
        function = 4
        address = 0
        """
    )

    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        frame = await press.read()

    assert shown(frame) == {
        "oil_temp_c": 41.5,
        "melt_temp_c": 230.0,
        "guard": True,
        "door": False,
        "coolant_in_c": 415.0,
    }
    assert frame.qualities[-1] is Quality.UNCERTAIN
    assert sorted(device.asked) == [(1, 100, 1), (2, 101, 1), (3, 0, 2), (4, 0, 1)]


async def test_a_value_that_is_no_value_takes_no_other_along(
    device: Device, tmp_path: Path
) -> None:
    text = (
        TWO_TEMPERATURES
        + """
        invalid = [0x7FFF]
        [[register]]
        signal = "coolant_in_c"
        address = 2
        type = "float32"
        """
    )
    device.put(1, 0x7FFF)
    device.put_number(2, "f", math.nan)

    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        frame = await press.read()

    assert frame.values == (41.5, None, None)
    assert frame.qualities == (Quality.GOOD, Quality.BAD, Quality.BAD)


async def test_a_device_may_ask_for_rest_between_requests(device: Device, tmp_path: Path) -> None:
    text = "gap = 0\npause_s = 0.05\n" + TWO_TEMPERATURES.replace("address = 1", "address = 9")
    device.put(9, 1)
    at: list[float] = []

    async def note(block: Block) -> None:
        at.append(asyncio.get_running_loop().time())

    device.before = note
    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        await press.read()

    assert at[1] - at[0] >= 0.049


# A register that is not there


async def test_an_illegal_register_is_missing_and_the_others_go_on(
    device: Device, tmp_path: Path
) -> None:
    text = "".join(
        f'[[register]]\nsignal = "value_{n}"\naddress = {n}\nlatched = false\n' for n in range(40)
    )
    device.put(0, *range(40))
    del device.registers[17]

    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        frame = await press.read()
        refused = [register.signal for register in press.refused]
        searched, device.asked[:] = len(device.asked), []
        again = await press.read()

    assert frame.values == again.values == (*range(17), None, *range(18, 40))
    assert frame.qualities[17] is Quality.MISSING
    assert set(frame.qualities[:17] + frame.qualities[18:]) == {Quality.GOOD}
    assert refused == ["value_17"]
    assert searched < 25
    assert len(device.asked) < 10
    assert all(not block.first <= 17 < block.first + block.length for block in device.asked)


async def test_a_gap_that_can_not_be_read_costs_no_register(device: Device, tmp_path: Path) -> None:
    device.put(5, 250)
    text = TWO_TEMPERATURES + '[[register]]\nsignal = "coolant_in_c"\naddress = 5\nscale = 0.1\n'

    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        frame = await press.read()
        device.asked.clear()
        await press.read()

    assert frame.values == (41.5, 230.0, 25.0)
    assert device.asked == [(3, 0, 2), (3, 5, 1)]


async def test_a_register_that_comes_back_is_found_again(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.sweep.PROBE_S", 0.0)
    del device.registers[1]

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        without = await press.read()
        still = await press.read()
        device.put(1, 2300)
        found = await press.read()

    assert without.values == still.values == (41.5, None)
    assert found.values == (41.5, 230.0)
    assert press.refused == ()
    assert device.asked[-2:] == [(3, 1, 1), (3, 0, 2)]


async def test_a_device_without_any_of_the_registers_is_refused(
    device: Device, tmp_path: Path
) -> None:
    device.registers.clear()

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        with pytest.raises(RefusedError, match="none of the registers of the map"):
            await press.read()


async def test_a_device_without_the_counter_is_refused(device: Device, tmp_path: Path) -> None:
    text = TWO_TEMPERATURES + '[[register]]\nsignal = "counter"\naddress = 7\n'

    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        with pytest.raises(RefusedError, match="no counter at holding 7"):
            await press.read()


# A device that fails


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (4, RefusedError, r"the device answered exception 4 \(device failure\)"),
        (6, UnreachableError, r"not ready: it answered exception 6 \(busy\)"),
        (10, UnreachableError, r"gateway can't reach unit 1: .* 10 \(gateway path unavailable\)"),
        (11, UnreachableError, r"gateway can't reach unit 1: .* 11 \(gateway target did not"),
        (99, RefusedError, r"exception 99 \(unknown\)"),
    ],
)
async def test_what_a_device_says_of_itself_is_told_apart(
    code: int, error: type[MachineError], words: str, device: Device, tmp_path: Path
) -> None:
    device.refuse = code

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        with pytest.raises(error, match=words):
            await press.read()


async def test_silence_is_no_longer_waited_for_than_the_settings_say(
    device: Device, tmp_path: Path
) -> None:
    device.silent = True
    loop = asyncio.get_running_loop()

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        start = loop.time()
        with pytest.raises(UnreachableError, match=r"IMM-12: no answer within 0\.3 s"):
            await press.read()

    assert 0.28 < loop.time() - start < 1.5


async def test_after_a_late_answer_the_connection_is_not_used_again(
    device: Device, tmp_path: Path
) -> None:
    device.silent = True

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        with pytest.raises(UnreachableError):
            await press.read()
        device.silent = False
        with pytest.raises(UnreachableError, match="the connection is lost"):
            await press.read()

    assert len(device.asked) == 1


async def test_a_connection_that_ends_is_noticed_at_once(device: Device, tmp_path: Path) -> None:
    async def hang_up(block: Block) -> None:
        device.silent = True
        device.drop()

    device.before = hang_up
    loop = asyncio.get_running_loop()
    patient = settings(device, timeout_s=30)

    async with open_press(patient, a_map(tmp_path, TWO_TEMPERATURES)) as press:
        start = loop.time()
        with pytest.raises(UnreachableError, match="the machine closed the connection"):
            await press.read()

    assert loop.time() - start < 2


async def test_a_port_where_nobody_listens_is_unreachable(
    device: Device, tmp_path: Path, free_port: int
) -> None:
    nobody = settings(device, port=free_port)
    with pytest.raises(
        UnreachableError, match=rf"can't connect to 127\.0\.0\.1:{free_port}: connection refused"
    ):
        async with open_press(nobody, a_map(tmp_path, TWO_TEMPERATURES)):
            pass


async def test_connecting_takes_no_longer_than_the_settings_say(
    device: Device, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # takes one or two, and lets the next one wait
        for _ in range(3):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        late = settings(device, port=port, connect_timeout_s=0.2)

        with pytest.raises(
            UnreachableError, match=rf"no connection with 127\.0\.0\.1:{port} within 0\.2 s"
        ):
            async with open_press(late, a_map(tmp_path, TWO_TEMPERATURES)):
                pass


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a: b"HTTP/1.1 400 Bad Request\r\n\r\n", "not Modbus TCP"),
        (lambda a: a[:6] + b"\x07" + a[7:], "unit 7 answered, and unit 1 was asked"),
        (lambda a: a[:7] + b"\x04" + a[8:], "one to function 4, and 3 was asked for"),
        (lambda a: a[:5] + b"\x05" + a[6:8] + b"\x02" + a[9:11], "2 bytes of data, and 4 were"),
        (lambda a: a[:5] + b"\x09" + a[6:] + b"\0\0", "length is 9, and 7 right"),
        (lambda a: a[:5] + b"\x02" + a[6:7] + b"\x83\x02", "exception of 2 bytes"),
    ],
)
async def test_an_answer_to_something_else_is_never_taken(
    spoil: Any, words: str, device: Device, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    device.spoil = spoil

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        with pytest.raises(GarbledError, match=words):
            await press.read()

    assert caplog.records == []


async def test_an_answer_with_another_transaction_is_skipped(
    device: Device, tmp_path: Path
) -> None:
    def stale_first(answer: bytes) -> bytes:
        return b"\x7f\xff" + answer[2:9] + b"\x11\x11\x22\x22" + answer

    device.spoil = stale_first

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        frame = await press.read()

    assert frame.values == (41.5, 230.0)


async def test_a_gateway_that_always_says_transaction_0_is_believed(
    device: Device, tmp_path: Path
) -> None:
    device.spoil = lambda answer: b"\0\0" + answer[2:]

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        frame = await press.read()

    assert frame.values == (41.5, 230.0)


async def test_what_comes_unasked_is_never_an_answer(device: Device, tmp_path: Path) -> None:
    def twice(answer: bytes) -> bytes:
        return answer + answer[:9] + b"\x11\x11\x22\x22"

    device.spoil = twice

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        frames = [await press.read() for _ in range(3)]

    assert [frame.values for frame in frames] == [(41.5, 230.0)] * 3


async def test_an_answer_in_pieces_is_put_together(device: Device, tmp_path: Path) -> None:
    rest = b""

    def first_bytes(answer: bytes) -> bytes:
        nonlocal rest
        rest = answer[3:]
        asyncio.get_running_loop().call_later(0.02, send_rest)
        return answer[:3]

    def send_rest() -> None:
        for writer in device.links:
            writer.write(rest)

    device.spoil = first_bytes

    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        frame = await press.read()

    assert frame.values == (41.5, 230.0)


async def test_cancelling_a_read_closes_the_connection_at_once(
    device: Device, tmp_path: Path
) -> None:
    device.silent = True
    patient = settings(device, timeout_s=30)
    loop = asyncio.get_running_loop()

    async def read() -> None:
        async with open_press(patient, a_map(tmp_path, TWO_TEMPERATURES)) as press:
            await press.read()

    task = asyncio.create_task(read())
    await device.heard.wait()
    start = loop.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert loop.time() - start < 1


async def test_polls_that_take_too_long_are_missed_and_counted(
    device: Device, tmp_path: Path
) -> None:
    async def slowly(block: Block) -> None:
        await asyncio.sleep(0.1)

    device.before = slowly
    async with open_press(settings(device), a_map(tmp_path, TWO_TEMPERATURES)) as press:
        observations = press.observations()
        for _ in range(3):
            await anext(observations)

    assert press.condition.missed >= 4


# The last cycle


LATCHED = """
[[register]]
signal = "counter"
address = 0
type = "uint32"
[[register]]
signal = "cycle_time_s"
address = 10
scale = 0.01
unit = "s"
[[register]]
signal = "closing"
address = 11
latched = true
states = { 0 = "shot", 1 = "dry" }
[[register]]
signal = "cushion_mm"
address = 12
type = "int16"
scale = 0.01
"""


def shot(device: Device, counter: int, cycle_time_s: float, dry: int = 0) -> None:
    device.put_number(0, "I", counter)
    device.put(10, round(cycle_time_s * 100), dry, 402)


async def observed(press: ModbusPress, frames: int) -> list[Frame | Report]:
    """Observations until as many frames have come, and what comes with the last one."""
    seen: list[Frame | Report] = []
    observations = press.observations()
    while True:
        item = await anext(observations)
        assert isinstance(item, Frame | Report)
        if isinstance(item, Frame):
            frames -= 1
            if frames < 0:
                return seen
        seen.append(item)


def reports(seen: list[Frame | Report]) -> list[Report]:
    return [item for item in seen if isinstance(item, Report)]


@pytest.fixture
def latched(device: Device, tmp_path: Path) -> RegisterMap:
    device.put(0, *[0] * 20)
    shot(device, 500, 24.01)
    return a_map(tmp_path, LATCHED)


async def test_the_first_reading_reports_a_shot_that_is_not_fresh(
    device: Device, latched: RegisterMap
) -> None:
    async with open_press(settings(device), latched) as press:
        [frame, report, *rest] = await observed(press, 3)

    assert isinstance(frame, Frame)
    assert isinstance(report, Report)
    assert frame.value("counter") == 500
    assert (report.counter, report.fresh, report.values["cycle_time_s"]) == (500, False, 24.01)
    assert reports(rest) == []


async def test_a_device_that_kept_only_its_counter_has_nothing_to_report(
    device: Device, latched: RegisterMap
) -> None:
    device.put(10, 0, 0, 0)

    async with open_press(settings(device), latched) as press:
        seen = await observed(press, 3)

    assert reports(seen) == []


async def test_a_step_of_the_counter_is_a_report_after_the_frame_that_shows_it(
    device: Device, latched: RegisterMap
) -> None:
    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        assert isinstance(await anext(observations), Frame)
        assert isinstance(await anext(observations), Report)
        shot(device, 501, 24.13, dry=1)
        frame = await anext(observations)
        report = await anext(observations)

    assert isinstance(frame, Frame)
    assert isinstance(report, Report)
    assert frame.value("counter") == report.counter == 501
    assert report.fresh
    assert report.values == {"cycle_time_s": 24.13, "cushion_mm": 4.02}
    assert report.states == {"closing": "dry"}
    assert report.units == {"cycle_time_s": "s"}
    assert report.resolutions == {"cycle_time_s": 0.01, "cushion_mm": 0.01}
    assert report.ended_at == frame.received_at <= report.received_at


async def test_several_shots_between_two_polls_are_one_report(
    device: Device, latched: RegisterMap
) -> None:
    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)
        shot(device, 504, 23.9)
        seen = [await anext(observations) for _ in range(4)]

    assert [item.counter for item in seen if isinstance(item, Report)] == [504]


async def test_values_that_change_while_they_are_read_are_read_again(
    device: Device, latched: RegisterMap
) -> None:
    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)

        async def next_shot(block: Block) -> None:
            if block == Block(3, 0, 2) and device.asked[-2].length > 2:
                device.before = None
                shot(device, 502, 25.5)

        shot(device, 501, 24.13)
        device.before = next_shot
        seen = [await anext(observations) for _ in range(4)]

    [report] = [item for item in seen if isinstance(item, Report)]
    assert (report.counter, report.values["cycle_time_s"]) == (502, 25.5)


async def test_a_counter_that_runs_away_gives_no_report_and_is_said_once(
    device: Device, latched: RegisterMap, caplog: pytest.LogCaptureFixture
) -> None:
    counter = 600

    async def run_away(block: Block) -> None:
        nonlocal counter
        counter += 1
        shot(device, counter, 20.0)

    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)
        device.before = run_away
        seen = [await anext(observations) for _ in range(4)]

    assert all(isinstance(item, Frame) for item in seen)
    assert sum("changed while they were read" in record.message for record in caplog.records) == 1


async def test_a_counter_set_back_is_no_new_shot(device: Device, latched: RegisterMap) -> None:
    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)
        device.put_number(0, "I", 480)
        seen = [await anext(observations) for _ in range(3)]
        device.put_number(0, "I", 0)
        seen += [await anext(observations) for _ in range(3)]
        shot(device, 1, 26.0)
        seen += [await anext(observations) for _ in range(2)]

    [report] = [item for item in seen if isinstance(item, Report)]
    assert (report.counter, report.fresh, report.values["cycle_time_s"]) == (1, True, 26.0)
    counts = [item.value("counter") for item in seen if isinstance(item, Frame)]
    assert counts == [480] * 3 + [0] * 3 + [1]


async def test_a_torn_counter_is_never_shown(device: Device, latched: RegisterMap) -> None:
    shot(device, 65535, 24.0)

    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)
        device.put(1, 0)  # the low word has gone on to 0, the high word not yet to 1

        async def catch_up(block: Block) -> None:
            if len(device.asked) > 1 and block.length == 2:
                device.put(0, 1)

        device.before = catch_up
        device.asked.clear()
        frame = await anext(observations)

    assert isinstance(frame, Frame)
    assert frame.value("counter") == 65536


async def test_a_counter_that_will_not_stand_still_is_no_count(
    device: Device, latched: RegisterMap
) -> None:
    async with open_press(settings(device), latched) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)
        high = 0

        async def tear(block: Block) -> None:
            nonlocal high
            high ^= 1
            device.put(0, high, 7)

        device.before = tear
        frame = await anext(observations)

    assert isinstance(frame, Frame)
    assert (frame.values[0], frame.qualities[0]) == (None, Quality.BAD)


async def test_a_counter_near_its_values_is_read_with_them(device: Device, tmp_path: Path) -> None:
    device.put(0, *[0] * 20)
    shot(device, 7, 24.0)
    near = LATCHED.replace("address = 1", "address = ")  # 10, 11, 12 become 0, 1, 2
    near = near.replace('signal = "counter"\naddress = 0', 'signal = "counter"\naddress = 4')
    device.put(0, 2400, 0, 402)
    device.put_number(4, "I", 7)

    async with open_press(settings(device), a_map(tmp_path, near)) as press:
        [_, report, *_] = await observed(press, 1)

    assert isinstance(report, Report)
    assert (report.counter, report.values["cycle_time_s"]) == (7, 24.0)
    assert Block(3, 0, 6) in device.asked


async def test_a_plc_that_counts_first_is_given_time_to_write(
    device: Device, tmp_path: Path
) -> None:
    device.put(0, *[0] * 20)
    shot(device, 500, 24.01)

    async with open_press(settings(device), a_map(tmp_path, "settle_s = 0.1\n" + LATCHED)) as press:
        observations = press.observations()
        await anext(observations)
        await anext(observations)
        device.put_number(0, "I", 501)
        while not isinstance(frame := await anext(observations), Frame) or frame.values[0] != 501:
            pass
        asyncio.get_running_loop().call_later(0.02, shot, device, 501, 25.0)
        report = await anext(observations)

    assert isinstance(report, Report)
    assert (report.counter, report.values["cycle_time_s"]) == (501, 25.0)


async def test_last_cycle_registers_that_are_not_there_leave_the_report_without_them(
    device: Device, latched: RegisterMap
) -> None:
    for address in (10, 11, 12):
        del device.registers[address]

    async with open_press(settings(device), latched) as press:
        [frame, report, *_] = await observed(press, 1)

    assert isinstance(frame, Frame)
    assert isinstance(report, Report)
    assert (report.counter, dict(report.values)) == (500, {})


async def test_a_counter_alone_gives_frames_only(device: Device, tmp_path: Path) -> None:
    text = '[[register]]\nsignal = "counter"\naddress = 0\nwidth = 16\n'

    async with open_press(settings(device), a_map(tmp_path, text)) as press:
        seen = await observed(press, 3)

    assert (press.reports, press.report_columns, press.counter_modulus) == (False, (), 65536)
    assert [item.value("counter") for item in seen if isinstance(item, Frame)] == [415] * 3


async def test_the_cooling_time_may_stand_in_a_vendors_register(
    device: Device, tmp_path: Path
) -> None:
    text = LATCHED + '[[register]]\nsignal = "Kuehlzeit"\naddress = 14\nunit = "ms"\n'
    device.put(0, *[0] * 20)
    shot(device, 500, 24.01)
    device.put(14, 12340)
    cooled = settings(device, cooling={"register": "Kuehlzeit"})

    async with open_press(cooled, a_map(tmp_path, text)) as press:
        [_, report, *_] = await observed(press, 1)

    assert isinstance(report, Report)
    assert report.values["cooling_time_s"] == 12.34
    assert "Kuehlzeit" not in report.values
    assert "cooling_time_s" in {column.signal for column in press.report_columns}


async def test_a_register_that_the_map_lacks_can_not_hold_the_cooling_time(
    device: Device, latched: RegisterMap
) -> None:
    wrong = settings(device, cooling={"register": "Kuehlzeit"})

    with pytest.raises(RefusedError, match=r"cooling\.register: found 'Kuehlzeit'"):
        async with open_press(wrong, latched):
            pass


# Settings


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"host": "127.0.0.1:502"}, "the port is the key 'port'"),
        ({"host": "http://plc"}, "a name or an address alone"),
        ({"port": 70000}, "less than or equal to 65535"),
        ({"unit": 256}, "less than or equal to 255"),
        ({"cooling": {"event_field": "CoolingTime"}}, "'event_field' is for OPC UA"),
        ({"cooling": {"node": "ns=2;s=X"}}, "'node' is for OPC UA"),
        ({"slave": 1}, "Extra inputs"),
    ],
)
def test_settings_that_can_not_be_right_are_refused(keys: dict[str, Any], words: str) -> None:
    good = {"name": "IMM-12", "driver": "modbus", "host": "plc-12", "map": "retrofit-plc"}
    ModbusSettings.model_validate(good)

    with pytest.raises(ValidationError, match=words):
        ModbusSettings.model_validate(good | keys)


def test_an_ipv6_address_is_a_host() -> None:
    keys = {"name": "IMM-12", "driver": "modbus", "host": "fd00::12", "map": "retrofit-plc"}

    assert ModbusSettings.model_validate(keys).host == "fd00::12"
