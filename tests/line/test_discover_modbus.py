"""`sprue discover modbus://` asks gently, and finds where a number of the screen stands."""

import asyncio
import os
import pty
import select
import socket
import struct
import threading
import tty
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from agent import discovermodbus
from agent.__main__ import main
from drivers import modbusprobe
from drivers.expectation import Expected, expected, find, sureness
from drivers.modbusprobe import BLOCK, Stretch
from simulators.modbus.framing import FramingName
from simulators.modbus.plc import press_unit
from simulators.modbus.server import ModbusServer
from simulators.modbus.tcu import tcu_unit
from simulators.modbus.unit import Unit
from tests.line.test_discover import checks, discover
from tests.simulators.makers import a_press


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbusprobe, "PAUSE_S", 0.0)
    monkeypatch.setattr(discovermodbus, "WAIT_S", 0.05)


@asynccontextmanager
async def serving(
    *, framing: FramingName = "tcp", **units: Unit
) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A server of units `u1`, `u9`; its address, and every request that it gets."""
    server = ModbusServer({int(name[1:]): u for name, u in units.items()}, framing=framing)
    asked: list[bytes] = []
    for unit in units.values():
        answer = unit.answer

        def told(request: bytes, answer: object = answer) -> bytes:
            asked.append(request)
            return answer(request)  # type: ignore[operator,no-any-return]

        unit.answer = told  # type: ignore[method-assign]
    await server.start()
    try:
        scheme = "modbus" if framing == "tcp" else "modbus+rtu"
        yield f"{scheme}://127.0.0.1:{server.port}", asked
    finally:
        await server.stop()


@contextmanager
def serial_port(host: str, port: int) -> Iterator[str]:
    """A pseudo-terminal that is wired to a port; the name of its device."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with socket.create_connection((host, port)) as link:
        pump = threading.Thread(target=_pump, args=(ours, link), daemon=True)
        pump.start()
        try:
            yield os.ttyname(theirs)
        finally:
            link.shutdown(socket.SHUT_RDWR)
            pump.join(5)
    os.close(theirs)
    os.close(ours)


def _pump(terminal: int, link: socket.socket) -> None:
    while True:
        ready, _, _ = select.select([terminal, link.fileno()], [], [])
        if terminal in ready:
            link.sendall(os.read(terminal, 256))
        if link.fileno() in ready:
            if not (came := link.recv(256)):
                return
            os.write(terminal, came)


async def found_in_rtu_frames(url: str, out: Path) -> tuple[int, tuple[int, int]]:
    words = ("--unit", "1", "--expect", "cooling_time_s=12.34", "--expect", "counter=41237")
    status = await discover(url, *words, "--out", str(out))
    return status, await checks(out / "sprue.toml")


async def test_rtu_frames_over_tcp_are_spoken_and_printed(tmp_path: Path) -> None:
    press = a_press(counter=41236)
    await press.mold(cooling_time_s=12.34)
    out = tmp_path / "found"
    async with serving(framing="rtu", u1=press_unit(press)) as (url, _asked):
        done = await found_in_rtu_frames(url, out)

    assert done == (0, (0, 0))
    assert 'framing = "rtu"' in (out / "sprue.toml").read_text(encoding="utf-8")


async def test_a_serial_line_is_looked_at(tmp_path: Path) -> None:
    press = a_press(counter=41236)
    await press.mold(cooling_time_s=12.34)
    out = tmp_path / "found"
    async with serving(framing="rtu", u1=press_unit(press)) as (url, _asked):
        port = int(url.rpartition(":")[2])
        with serial_port("127.0.0.1", port) as device:
            done = await found_in_rtu_frames(f"modbus+serial:{device}?baud=115200&parity=N", out)

    assert done == (0, (0, 0))
    text = (out / "sprue.toml").read_text(encoding="utf-8")
    assert f'serial = "{device}"\nbaud = 115200\nparity = "N"\nstop_bits = 1' in text


async def test_no_serial_port_is_a_failure_and_no_address_is_misuse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await discover("modbus+serial:/dev/no-such-port") == 1
    assert "can't be opened" in capsys.readouterr().err
    assert await discover("modbus+serial:/dev/ttyS0?speed=1") == 2
    assert await discover("modbus+rtu://") == 2
    assert "modbus+serial:/dev/ttyUSB0?baud=19200" in capsys.readouterr().err


async def test_a_number_of_the_screen_is_found_with_type_order_and_scale(tmp_path: Path) -> None:
    press = a_press(counter=41236)
    await press.mold(cooling_time_s=12.34)
    out = tmp_path / "found"
    async with serving(u1=press_unit(press)) as (url, _asked):
        words = ("--unit", "1", "--expect", "cooling_time_s=12.34", "--expect", "counter=41237")
        status = await discover(url, *words, "--out", str(out))
        checked = await checks(out / "sprue.toml")
        shown = await asyncio.to_thread(
            main, ["check", str(out / "sprue.toml"), "--connect", "--format", "json"]
        )

    (file,) = [each for each in out.iterdir() if each.name != "sprue.toml"]
    text = file.read_text(encoding="utf-8")
    assert (status, checked, shown) == (0, (0, 0), 0)
    assert text.count("[[register]]") == 2
    assert 'signal = "cooling_time_s"\nfunction = 3\naddress = ' in text
    assert 'signal = "counter"\nfunction = 3\naddress = ' in text


async def test_every_unit_that_answers_is_named_with_what_it_says_of_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    press = a_press()
    await press.mold()
    async with serving(u1=press_unit(press), u3=tcu_unit(press)) as (url, asked):
        status = await discover(url, "--unit", "1", "--unit", "2", "--unit", "3")
        printed = capsys.readouterr().out
        again = await discover(
            url, "--unit", "1", "--unit", "2", "--unit", "3", "--out", str(tmp_path / "out")
        )
        reads = [struct.unpack(">BHH", each) for each in asked if each[0] in (3, 4)]
        checked = await checks(tmp_path / "out" / "sprue.toml")

    assert (status, again, checked) == (0, 0, (0, 0))
    assert "answers as unit 1, 3." in printed
    assert " more registers show something; see --registers." in printed
    assert printed.count("Sprue Simulated Machines") >= 2
    assert "holding 0 to " in printed
    assert "holding 100 to " in printed
    assert max(count for _, _, count in reads) <= BLOCK
    assert {each[0] for each in asked} <= {3, 4, 0x11, 0x2B, 1, 2}


async def test_a_number_that_stands_nowhere_is_said_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    press = a_press()
    async with serving(u1=press_unit(press)) as (url, _asked):
        status = await discover(url, "--unit", "1", "--expect", "cooling_time_s=1717.77")

    assert status == 0
    assert "# cooling_time_s: 1717.77 stands nowhere." in capsys.readouterr().out


async def test_only_the_registers_that_are_named_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with serving(u1=press_unit(a_press())) as (url, asked):
        status = await discover(url, "--unit", "1", "--registers", "2-5")

    reads = [struct.unpack(">BHH", each) for each in asked if each[0] in (3, 4)][1:]
    assert status == 0
    assert {address for _, first, count in reads for address in range(first, first + count)} == {
        2, 3, 4, 5
    }  # fmt: skip
    assert "# holding 2 to 5 can be read" in capsys.readouterr().out


async def test_nobody_there_or_no_unit_is_a_failure_and_wrong_words_are_misuse(
    free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await discover(f"modbus://127.0.0.1:{free_port}") == 1
    assert "nobody answers at 127.0.0.1" in capsys.readouterr().err
    async with serving(u1=press_unit(a_press())) as (url, _asked):
        assert await discover(url, "--unit", "7") == 1
    assert "no unit of 7 answers" in capsys.readouterr().err
    assert await discover("modbus://127.0.0.1/x") == 2
    assert await discover("modbus://127.0.0.1:99999") == 2
    assert await discover("opc.tcp://127.0.0.1:4840", "--unit", "1") == 2
    for wrong in (("--expect", "cooling"), ("--unit", "300"), ("--registers", "9-2")):
        with pytest.raises(SystemExit) as stop:
            await discover("modbus://127.0.0.1", *wrong)
        assert stop.value.code == 2


async def test_who_takes_the_connection_and_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(discovermodbus, "TIMEOUT_S", 0.1)
    clients = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(asyncio.current_task())
        while await reader.read(100):
            pass
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        status = await discover(f"modbus://127.0.0.1:{port}", "--unit", "1", "--unit", "2")
        async with asyncio.timeout(5):
            while len(clients) < 3:  # noqa: ASYNC110 - one at first, one more after each silence
                await asyncio.sleep(0.01)
        await asyncio.gather(*filter(None, clients))

    assert status == 1
    assert "no unit of 1, 2 answers" in capsys.readouterr().err


def stretch(*words: int, after: tuple[int, ...] | None = None) -> Stretch:
    return Stretch(function=3, first=10, before=words, after=after or words)


def words_of(form: str, number: float) -> tuple[int, ...]:
    data = struct.pack(">" + form, number)
    return struct.unpack(f">{len(data) // 2}H", data)


@pytest.mark.parametrize(
    ("words", "kind", "order", "scale", "address"),
    [
        ((7, 123, 9), "uint16", "ABCD", 0.1, 11),
        ((7, 12300, 9), "uint16", "ABCD", 0.001, 11),
        ((7, *words_of("f", 12.34), 9), "float32", "ABCD", 1.0, 11),
        ((7, *reversed(words_of("f", 12.34)), 9), "float32", "CDAB", 1.0, 11),
        ((7, *reversed(words_of("d", 12.34)), 9), "float64", "CDAB", 1.0, 11),
        ((7, *words_of("f", 12340.0), 9), "float32", "ABCD", 0.001, 11),
        ((7, 0x7B00, 9), "uint16", "BADC", 0.1, 11),
    ],
)
def test_a_number_is_found_however_it_is_written(
    words: tuple[int, ...], kind: str, order: str, scale: float, address: int
) -> None:
    shown = "cooling_time_s=12.34" if kind.startswith("float") else "cooling_time_s=12.3"
    (place,) = find(expected(shown), [stretch(*words)])

    assert (place.type, place.order, place.scale, place.address) == (kind, order, scale, address)


def test_what_stands_still_is_believed_before_what_moves() -> None:
    found = find(expected("cooling_time_s=12.3"), [stretch(123, 123, after=(50, 123))])

    assert [(place.address, place.moves) for place in found] == [(11, False), (10, True)]
    assert sureness(expected("cooling_time_s=12.3"), found) == "one of 2 places that would give it"


def test_a_short_number_is_a_guess_and_a_long_one_is_likely() -> None:
    one = [stretch(700, 5, 900)]

    assert sureness(expected("x=5"), find(expected("x=5"), one)).startswith("a guess")
    assert sureness(expected("x=12.3"), find(expected("x=12.3"), [stretch(123)])).startswith("like")


def test_digits_are_those_that_tell_something() -> None:
    assert expected("x=100") == Expected("x", 100.0, 1.0, 1)
    assert expected("x=-0.05").digits == 1
    with pytest.raises(ValueError, match="should be like"):
        expected("x=nan")
