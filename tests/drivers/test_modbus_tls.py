"""Modbus/TCP Security: only the machine that is trusted is asked, over TLS and never in clear."""

import asyncio
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from agent.config import load
from agent.place import ConfigError
from agent.trust import trust
from drivers import GarbledError, MachineError, RefusedError, UnreachableError
from drivers.certificate import fingerprint, load_certificate
from drivers.modbus import ModbusSettings, line_of, open_press
from drivers.ownidentity import own_identity
from drivers.pin import read_pin, store_pin
from drivers.registers import load_map
from simulators.certificates import expired, identity, renew
from simulators.modbus.face import ModbusFace
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from simulators.modbus.server import ModbusServer
from simulators.modbus.tls import Tls
from simulators.press import Press
from tests.simulators.makers import a_press

PLC = load_map("retrofit-plc", Path())
NAME = "IMM-12"
ALERT = bytes.fromhex("15 0303 0002 02 46")
"""Fatal: protocol version."""
URI = "urn:sprue:simulated:IMM-01"


@pytest.fixture
def press() -> Press:
    return a_press(counter=500)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Folder of the device's own certificate."""
    identity(tmp_path / "theirs", URI)
    return tmp_path / "theirs"


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    return tmp_path / "pki"


@asynccontextmanager
async def served(server: ModbusServer) -> AsyncGenerator[int]:
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


def told(port: int, pki: Path | None, *, name: str = NAME, unit: int = 1, **more: Any) -> Any:
    """The settings of a machine over TLS; in clear where there is no folder."""
    tls = {} if pki is None else {"tls": {"pki": str(pki), **more}}
    return ModbusSettings(
        name=name, driver="modbus", host="127.0.0.1", port=port, unit=unit,
        map="retrofit-plc", connect_timeout_s=3, **tls,
    )  # fmt: skip


def pin(pki: Path, folder: Path, machine: str = NAME, *, ignore_dates: bool = False) -> None:
    found = load_certificate((folder / "server.der").read_bytes())
    store_pin(pki, machine, found, ignore_dates=ignore_dates)


async def counter(settings: ModbusSettings) -> object:
    async with open_press(settings, PLC) as machine:
        return (await machine.read()).value("counter")


async def failure(settings: ModbusSettings, kind: type[MachineError] = RefusedError) -> str:
    with pytest.raises(kind) as raised:
        await counter(settings)
    return raised.value.what


async def test_a_machine_with_the_pinned_certificate_is_read(
    press: Press, theirs: Path, pki: Path
) -> None:
    pin(pki, theirs)

    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        assert await counter(told(port, pki)) == 500


async def test_a_certificate_that_nobody_has_confirmed_is_not_trusted(
    press: Press, theirs: Path, pki: Path
) -> None:
    shown = fingerprint(load_certificate((theirs / "server.der").read_bytes()))

    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        assert await failure(told(port, pki)) == (
            f"its certificate is not trusted yet: {shown}; `sprue trust IMM-12` shows and pins it"
        )


async def test_a_certificate_that_changed_after_it_was_pinned_is_refused(
    press: Press, theirs: Path, pki: Path
) -> None:
    pin(pki, theirs)
    renew(theirs, URI)

    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        assert (await failure(told(port, pki))).startswith("its certificate has changed: it shows ")


async def test_an_expired_certificate_is_refused_unless_a_person_took_it_as_it_is(
    press: Press, theirs: Path, pki: Path
) -> None:
    old = expired(theirs, URI)
    pin(pki, old)

    async with served(ModbusFace(press, tls=Tls(folder=old))) as port:
        assert "its certificate expired on " in await failure(told(port, pki))

        pin(pki, old, ignore_dates=True)
        assert await counter(told(port, pki)) == 500


async def test_a_configured_certificate_needs_no_pin(
    press: Press, theirs: Path, pki: Path, tmp_path: Path
) -> None:
    renew(tmp_path / "others", URI)

    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        assert await counter(told(port, pki, server_certificate=theirs / "server.der")) == 500
        other = told(port, pki, server_certificate=tmp_path / "others" / "server.der")
        assert "tls.server_certificate (" in await failure(other)


async def test_an_authority_vouches_for_the_name_only_that_is_meant(
    press: Press, theirs: Path, pki: Path, tmp_path: Path
) -> None:
    ca, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    ca.write_bytes(pem_of(theirs / "server.der"))
    renew(tmp_path / "others", URI)
    other.write_bytes(pem_of(tmp_path / "others" / "server.der"))

    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        assert await counter(told(port, pki, ca=ca)) == 500
        assert await counter(told(port, pki, ca=ca, server_name="localhost")) == 500
        assert "not valid for 'imm-99'" in await failure(
            told(port, pki, ca=ca, server_name="imm-99")
        )
        assert "its certificate is not accepted" in await failure(told(port, pki, ca=other))
    old = expired(theirs, URI)
    ca.write_bytes(pem_of(old / "server.der"))
    async with served(ModbusFace(press, tls=Tls(folder=old))) as port:
        assert await failure(told(port, pki, ca=ca)) == (
            "its certificate is not accepted: certificate has expired"
        )


def pem_of(file: Path) -> bytes:
    return load_certificate(file.read_bytes()).public_bytes(Encoding.PEM)


async def test_a_device_that_asks_for_our_certificate_gets_it(
    press: Press, theirs: Path, pki: Path, tmp_path: Path
) -> None:
    pin(pki, theirs)
    ours = own_identity(pki)
    renew(tmp_path / "others", URI)
    given: dict[str, Any] = {
        "certificate": tmp_path / "others" / "server.der",
        "key": tmp_path / "others" / "server.pem",
    }

    known = Tls(folder=theirs, client_certificate=ours.file.with_suffix(".der"))
    async with served(ModbusFace(press, tls=known)) as port:
        assert await counter(told(port, pki)) == 500
        what = await failure(told(port, pki, **given), UnreachableError)
        assert what.startswith("the machine closed the connection at the first request")
        assert "it may not trust our certificate" in what
    other = Tls(folder=theirs, client_certificate=given["certificate"])
    async with served(ModbusFace(press, tls=other)) as port:
        assert await counter(told(port, pki, **given)) == 500


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_device_that_says_why_is_quoted(
    theirs: Path, pki: Path, version: ssl.TLSVersion
) -> None:
    pin(pki, theirs)
    with talkative(theirs, version, asks=True) as port:
        assert (await failure(told(port, pki))).startswith("it refuses our certificate (")


async def test_a_device_with_tls_of_yesterday_is_refused(theirs: Path, pki: Path) -> None:
    pin(pki, theirs)
    with talkative(theirs, ssl.TLSVersion.TLSv1_1) as port:
        what = await failure(told(port, pki))
    assert what.startswith((f"no TLS with 127.0.0.1:{port}", "it ended TLS"))


async def test_who_asks_in_clear_where_tls_is_spoken_is_told_so(press: Press, theirs: Path) -> None:
    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(12)
        writer.write(ALERT)  # as some libraries of TLS do
        await reader.read()
        writer.close()

    async with await asyncio.start_server(alert, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await failure(told(port, None), GarbledError) == (
            "the port speaks TLS, and the machine is configured without the key 'tls'"
        )
    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:  # OpenSSL says nothing
        assert await failure(told(port, None), UnreachableError) == (
            "the machine closed the connection at the first request; a port for TLS does that "
            "(key 'tls')"
        )


async def test_who_asks_in_tls_where_it_is_not_spoken_never_goes_on_in_clear(
    press: Press, pki: Path
) -> None:
    async with served(ModbusFace(press)) as port:
        assert await failure(told(port, pki), UnreachableError) == (
            f"127.0.0.1:{port} hangs up when TLS begins; does it speak plain Modbus?"
        )


async def test_a_port_that_says_nothing_is_left_in_time(pki: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings = told(silent.getsockname()[1], pki).model_copy(update={"connect_timeout_s": 0.3})
        assert "within 0.3 s" in await failure(settings, UnreachableError)


async def test_every_machine_on_a_line_proves_itself(press: Press, theirs: Path, pki: Path) -> None:
    pin(pki, theirs)
    units = {1: press_unit(press), 2: press_unit(press)}
    async with served(Gateway(units, tls=Tls(folder=theirs))) as port:
        first = told(port, pki)
        line = line_of(first)
        async with open_press(first, PLC, line) as machine:
            other = told(port, pki, name="IMM-13", unit=2)
            assert line_of(other) is line
            assert "not trusted yet" in await failure(other)
            assert (await machine.read()).value("counter") == 500
            pin(pki, theirs, "IMM-13")
            assert await counter(other) == 500
            assert (await machine.read()).value("counter") == 500


async def test_a_dropped_link_is_made_anew_and_proved_anew(
    press: Press, theirs: Path, pki: Path
) -> None:
    pin(pki, theirs)
    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        settings = told(port, pki)
        async with open_press(settings, PLC) as machine:
            await machine.read()
            await press.faults.on("link_dropped")
            with pytest.raises(UnreachableError):
                await machine.read()
        assert await counter(settings) == 500
        (pki / "trusted" / "IMM-12.toml").unlink()
        assert "not trusted yet" in await failure(settings)


async def test_a_dead_peer_does_not_hold_up_the_end(press: Press, theirs: Path, pki: Path) -> None:
    pin(pki, theirs)
    loop = asyncio.get_running_loop()
    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        async with open_press(told(port, pki), PLC) as machine:
            await machine.read()
            await press.faults.on("black_hole")
            began = loop.time()
        assert loop.time() - began < 1
        await press.faults.off("black_hole")
        await asyncio.sleep(0.7)  # in which the goodbye is given up


async def test_a_person_pins_what_the_machine_shows(
    press: Press, theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(ModbusFace(press, tls=Tls(folder=theirs))) as port:
        config = tmp_path / "sprue.toml"
        config.write_text(
            f'[[machine]]\nname = "{NAME}"\ndriver = "modbus"\nhost = "127.0.0.1"\n'
            f'port = {port}\nmap = "retrofit-plc"\ntls = {{}}\n'
        )
        loaded = load(config)
        asked: list[str] = []

        def ask(question: str) -> bool:
            asked.append(question)
            return True

        await asyncio.to_thread(trust, loaded, NAME, yes=False, ignore_dates=False, ask=ask)
        assert await counter(loaded.config.machine[0]) == 500  # type: ignore[arg-type]
    shown = fingerprint(load_certificate((theirs / "server.der").read_bytes()))
    said = capsys.readouterr().out
    assert f"{NAME} at 127.0.0.1:{port} shows this certificate:" in said
    assert shown in said
    assert "The machine must trust ours too" in said
    assert len(asked) == 1
    kept = read_pin(tmp_path / "pki", NAME)
    assert kept is not None
    assert fingerprint(kept.loaded) == shown


def test_the_port_is_the_secured_one_unless_another_is_named(pki: Path) -> None:
    plain = {"name": NAME, "driver": "modbus", "host": "192.0.2.1", "map": "retrofit-plc"}
    secured = {**plain, "tls": {"pki": str(pki)}}

    assert ModbusSettings.model_validate(plain).port == 502
    assert ModbusSettings.model_validate(secured).port == 802
    assert ModbusSettings.model_validate({**secured, "port": 1802}).port == 1802


@pytest.mark.parametrize(
    ("tls", "complaint"),
    [
        ({"ca": "x.pem", "server_certificate": "x.pem"}, "two ways to trust"),
        ({"server_name": "plc"}, "'server_name' is for a 'ca'"),
        ({"certificate": "x.pem"}, "belong together"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, tls: dict[str, str], complaint: str
) -> None:
    (tmp_path / "x.pem").touch()
    named: dict[str, Any] = {
        k: str(tmp_path / v) if v.endswith(".pem") else v for k, v in tls.items()
    }
    with pytest.raises(ValidationError, match=complaint):
        told(802, tmp_path, **named)


def test_a_serial_port_has_no_tls(pki: Path) -> None:
    with pytest.raises(ValidationError, match="should have no 'tls', which goes with a 'host'"):
        ModbusSettings.model_validate(
            {"name": NAME, "driver": "modbus", "serial": "/dev/ttyS9", "map": "retrofit-plc",
             "tls": {"pki": str(pki)}}
        )  # fmt: skip


def test_machines_on_one_line_are_secured_alike(tmp_path: Path) -> None:
    table = '[[machine]]\nname = "{}"\ndriver = "modbus"\nhost = "192.0.2.1"\nport = 802\n'
    table += 'map = "retrofit-plc"\nunit = {}\n'
    config = tmp_path / "sprue.toml"
    config.write_text(f"{table.format('A', 1)}tls = {{}}\n{table.format('B', 2)}")

    with pytest.raises(ConfigError, match=r"machine\[2\].tls \(B\): machine\[1\] on the same line"):
        load(config)


@contextmanager
def talkative(folder: Path, version: ssl.TLSVersion, *, asks: bool = False) -> Iterator[int]:
    """A device that ends a handshake as OpenSSL does: with an alert that says why.

    Args:
        folder: Its certificate.
        version: Of TLS, and no other.
        asks: Whether a client must have a certificate that it knows; it knows none.
    """
    certificate = folder / "talkative.pem"
    certificate.write_bytes(pem_of(folder / "server.der"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    context.load_cert_chain(certificate, folder / "server.pem")
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            client.settimeout(5)
            side = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            with closing(side), suppress(OSError):
                try:
                    side.do_handshake()
                finally:
                    side.shutdown(socket.SHUT_WR)
                    while socket.socket.recv(side, 4096):
                        pass  # a reset would overtake the alert

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
