"""`sprue discover` finds out what is at an address, and prints what `sprue check` accepts."""

import asyncio
from pathlib import Path

import pytest
from asyncua import ua

from agent.__main__ import main
from drivers import plastics, survey
from drivers.certificate import fingerprint, load_certificate
from simulators.euromap77.face import Euromap77Face
from simulators.flat.face import FlatFace
from simulators.opcua.security import POLICIES, Security
from tests.drivers.flatserver import flat_server
from tests.drivers.officialserver import official_server
from tests.drivers.press77 import hand_press, serving
from tests.simulators.makers import a_press


async def discover(*words: str) -> int:
    return await asyncio.to_thread(main, ["discover", *words])


async def checks(config: Path) -> tuple[int, int]:
    """What `sprue check` says of a file, alone and with a connection."""
    return (
        await asyncio.to_thread(main, ["check", str(config)]),
        await asyncio.to_thread(main, ["check", str(config), "--connect"]),
    )


async def test_machines_of_one_euromap_server_are_told_apart_by_serial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    presses = [hand_press("IMM-07"), hand_press("IMM-08")]
    for press in presses:
        await press.mold()
    async with serving(Euromap77Face(presses)) as face:
        status = await discover(face.address)
        printed = capsys.readouterr().out
        config = tmp_path / "sprue.toml"
        config.write_text(printed, encoding="utf-8")
        checked = await checks(config)

    assert status == 0
    assert checked == (0, 0)
    assert 'serial = "IMM-07"' in printed
    assert 'serial = "IMM-08"' in printed
    assert printed.count('\ncooling = { event_field = "CoolingTime" }') == 2
    assert "offers no security" in printed


async def test_a_machine_of_the_official_types_is_found_with_its_makers_cooling_time(
    nodesets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with official_server(nodesets, jobs=True) as server:
        status = await discover(server.url)
        printed = capsys.readouterr().out
        config = tmp_path / "sprue.toml"
        config.write_text(printed, encoding="utf-8")
        checked = await checks(config)

    assert (status, checked) == (0, (0, 0))
    assert '\ncooling = { event_field = "Ablauf/Kuehlzeit" }' in printed


async def test_a_shipped_map_that_fits_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    press = a_press()
    await press.mold()
    face = FlatFace(press)
    await face.start()
    try:
        status = await discover(face.address)
        printed = capsys.readouterr().out
        config = tmp_path / "sprue.toml"
        config.write_text(printed, encoding="utf-8")
        checked = await checks(config)
    finally:
        await face.stop()

    assert (status, checked) == (0, (0, 0))
    assert 'map = "flat-em63"' in printed
    assert "cooling_time_s" in printed


async def test_an_unknown_flat_server_gives_a_map_of_all_it_has(tmp_path: Path) -> None:
    out = tmp_path / "found"
    async with flat_server(Temp=51.5, ActTimCool=12.3, Name='a "b"\nc', Curve=[1.0], On=True) as it:
        space = it._server.nodes
        unit = it.node_id("Temp.EU")
        space.variable(
            unit,
            ua.QualifiedName("EngineeringUnits", 0),
            it.node_id("Temp"),
            ua.Variant(ua.EUInformation(UnitId=4408652), ua.VariantType.ExtensionObject),
            ua.NodeId(ua.ObjectIds.EUInformation),
        )
        status = await discover(it.url, "--out", str(out))
        checked = await checks(out / "sprue.toml")
        again = await discover(it.url, "--out", str(out))

    (written,) = [file for file in out.iterdir() if file.name != "sprue.toml"]
    text = written.read_text(encoding="utf-8")
    assert (status, checked, again) == (0, (0, 0), 1)
    assert 'signal = "Machine/Temp"\nid = "s=Temp"\nunit = "°C"\n' in text
    assert "# It showed 12.3. By its name it may be cooling_time_s." in text
    assert text.count("[[node]]") == 4
    assert "Curve" not in text


async def test_a_temperature_control_device_is_known_by_its_type(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with flat_server(plastics.TCD, A=1.0) as server:
        space, index = server._server.nodes, 2
        kind = space.object_type(
            ua.NodeId(plastics.TCD_TYPE[1], index),
            ua.QualifiedName("TCD_InterfaceType", index),
            ua.NodeId(ua.ObjectIds.BaseObjectType),
        )
        name = ua.QualifiedName("TCU 1", index)
        space.object(ua.NodeId("TCU", index), name, server.node_id("Machine"), kind)
        status = await discover(server.url)

    assert status == 0
    assert "# TCU 1 is a temperature control device of OPC 40082-1" in capsys.readouterr().out


async def test_a_control_device_on_a_machines_server_is_proposed_as_a_device_at_it(
    nodesets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with official_server(nodesets, jobs=True, water=True) as server:
        await server.set_water("DeviceZone/FlowRate/ActualValue", 11.5)
        status = await discover(server.url)
        printed = capsys.readouterr().out
        config = tmp_path / "sprue.toml"
        config.write_text(printed, encoding="utf-8")
        checked = await checks(config)
        shown = capsys.readouterr().out

    assert status == 0
    assert "# TCD_MAKER_17: a temperature control device" in printed
    assert "[[machine.tcd]]" in printed
    assert checked == (0, 0)
    assert any("coolant_flow_l_min" in line and "11.5" in line for line in shown.splitlines())


async def test_a_server_that_is_larger_than_we_look_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(survey, "MOST", 30)
    async with flat_server() as server:
        server.add(**{f"N{n}": 1.0 for n in range(50)})
        status = await discover(server.url)

    assert status == 0
    assert "# The server has more nodes than were looked at." in capsys.readouterr().out


PASSWORD = "SPRUE_TEST_PASSWORD"


async def test_a_secured_server_is_looked_into_once_its_certificate_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD, "s3cret")
    press = hand_press("IMM-07")
    await press.mold()
    security = Security(user="ada", password="s3cret", folder=tmp_path / "theirs")
    face = Euromap77Face([press], security=security)
    out = tmp_path / "found"
    log_in = ("--user", "ada", "--password-env", PASSWORD)
    async with serving(face):
        nobody_asked = await discover(face.address, *log_in, "--out", str(out))
        unasked = capsys.readouterr().err
        pinned_unasked = [*out.glob("pki/trusted/*")]
        status = await discover(face.address, *log_in, "--yes", "--out", str(out))
        shown = capsys.readouterr().err
        checked = await checks(out / "sprue.toml")

    assert nobody_asked == 2
    assert "nobody is there to say yes" in unasked
    assert pinned_unasked == []
    fingerprint_ = fingerprint(load_certificate((tmp_path / "theirs" / "server.der").read_bytes()))
    assert fingerprint_ in unasked
    assert fingerprint_ in shown
    text = (out / "sprue.toml").read_text(encoding="utf-8")
    assert (status, checked) == (0, (0, 0))
    assert 'mode = "SignAndEncrypt"' in text
    assert f'user = "ada"\npassword = {{ env = "{PASSWORD}" }}' in text
    assert "s3cret" not in text


async def test_what_a_secured_flat_server_shows_is_told_apart_from_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The configuration goes to standard output, all else to the terminal."""
    monkeypatch.chdir(tmp_path)
    press = a_press()
    await press.mold()
    face = FlatFace(press, security=Security(folder=tmp_path / "theirs"))
    await face.start()
    try:
        first = await discover(face.address, "--yes")
        printed = capsys.readouterr()
        (tmp_path / "sprue.toml").write_text(printed.out, encoding="utf-8")
        checked = await checks(tmp_path / "sprue.toml")
        capsys.readouterr()
        again = await discover(face.address)  # pinned: nobody is asked
        shown = capsys.readouterr().err
        await press.faults.on("certificate_changed", {"down_s": 0.05})
        await face.listens()
        changed = await discover(face.address)
        refused = capsys.readouterr().err
    finally:
        await face.stop()

    assert (first, checked, again) == (0, (0, 0), 0)
    assert "Pinned in" in printed.err
    assert "Pinned in" not in printed.out
    assert "It is the pinned one already." in shown
    assert changed == 2
    assert "Pinned until now:" in refused


async def test_no_server_is_secured_by_less_than_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(POLICIES, "Basic256", "Basic256")  # an old machine
    face = FlatFace(a_press(), security=Security(policy="Basic256", folder=tmp_path / "theirs"))
    await face.start()
    out = ("--yes", "--out", str(tmp_path / "found"))
    try:
        better = await discover(face.address, *out)
        told = capsys.readouterr().err
        named = await discover(face.address, "--security", "Basic256", *out)
    finally:
        await face.stop()
    async with flat_server(A=1.0) as server:
        clear = await discover(server.url, "--security", "Basic256Sha256", *out)

    assert (better, named, clear) == (1, 0, 1)
    assert "`--security Basic256` takes that old policy" in told
    assert "it offers no security" in capsys.readouterr().err


async def test_an_empty_server_is_an_error_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with flat_server() as server:
        status = await discover(server.url)

    assert status == 1
    assert "shows no machine of OPC 40077 and no variable" in capsys.readouterr().err


async def test_nobody_there_is_a_failure_and_no_address_is_misuse(
    free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await discover(f"opc.tcp://127.0.0.1:{free_port}") == 1
    assert await discover("http://127.0.0.1") == 2
    assert await discover("opc.tcp://") == 2
    assert await discover("opc.tcp://127.0.0.1", "--password-env", PASSWORD) == 2
    assert await discover("modbus://127.0.0.1", "--user", "ada") == 2
    said = capsys.readouterr().err
    assert "should be like opc.tcp://192.168.1.20:4840" in said
    assert "--password-env needs a --user" in said
