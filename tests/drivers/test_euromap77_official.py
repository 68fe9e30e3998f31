"""A machine made of the official NodeSet files alone, with nothing of our simulator in it."""

from pathlib import Path
from typing import Any

import pytest
from asyncua import ua

from drivers import Change, RefusedError
from drivers.euromap77 import open_press
from simulators.certificates import identity
from simulators.opcua.security import Security
from tests.drivers.officialserver import UNIT, OfficialServer, official_server
from tests.drivers.press77 import Stream, settings

DOUBLE, COUNT, WORD, TEXT = (
    ua.VariantType.Double,
    ua.VariantType.UInt64,
    ua.VariantType.Int32,
    ua.VariantType.String,
)
COOLING = {"event_field": "Kuehlzeit"}
MPA = ua.EUInformation(UnitId=5066817, DisplayName=ua.LocalizedText("MPa"))
FAHRENHEIT = ua.EUInformation(UnitId=4604232, DisplayName=ua.LocalizedText("°F"))
MPA_AND_F = {"pressure": MPA, "temperature": FAHRENHEIT}
DI, GENERAL, IMM2MES = (
    f"http://opcfoundation.org/UA/{name}/"
    for name in ("DI", "PlasticsRubber/GeneralTypes", "PlasticsRubber/IMM2MES")
)
ZONE = "InjectionUnits/InjectionUnit_1/TemperatureZones/TemperatureZone_1/ActualTemperature"


async def fire(server: OfficialServer, job_cycle: int, **more: tuple[Any, Any]) -> None:
    await server.fire(
        JobCycleCounter=(job_cycle, COUNT),
        MachineCycleCounter=(job_cycle + 1000, COUNT),
        JobName=("\n      ", TEXT),
        CycleTime=(24500.0, DOUBLE),
        CycleQuality=(1, WORD),
        **{
            f"{UNIT}__InjectionTime": (810.0, DOUBLE),
            f"{UNIT}__CushionStroke": (4.25, DOUBLE),
            "InjectionUnitCycleParameters_02__InjectionTime": (1900.0, DOUBLE),
            "Ablauf__Kuehlzeit": (11250.0, DOUBLE),
        },
        **more,
    )


@pytest.mark.parametrize("jobs", [True, False])
async def test_a_machine_of_the_official_types_is_read(nodesets: Path, jobs: bool) -> None:
    async with official_server(nodesets, jobs=jobs) as server:
        await server.set("MachineInformation/SerialNumber", "0815", TEXT)
        await server.set("MachineStatus/MachineMode", 1, WORD)
        if jobs:
            await server.set("Jobs/ActiveJobValues/JobCycleCounter", 6, COUNT)
            await server.set("Jobs/ActiveJobValues/MachineCycleCounter", 1006, COUNT)
            await server.set("Jobs/ActiveJob/MouldId", "\n      ", TEXT)
            await server.set("Jobs/ActiveJob/JobName", "J-7", TEXT)
        async with open_press(settings(server.url, cooling=COOLING)) as opened:
            stream = Stream(opened.observations())
            frame = await stream.frame()
            await fire(server, 7)
            report = await stream.report()

    assert opened.identity == {"serial": "0815"}
    assert frame.value("mode") == "AUTOMATIC"
    assert frame.value("counter") == (1006 if jobs else None)
    assert frame.value("job") == ("J-7" if jobs else None)
    assert frame.value("mold") is None, "blank text is no mold"
    assert report.counter == 1007
    assert report.values["cycle_time_s"] == 24.5
    assert report.values["fill_time_s"] == 0.81
    assert report.values["cushion_mm"] == 4.25
    assert "cushion_mm" not in report.units, "the machine does not say its unit"
    assert report.values["cooling_time_s"] == 11.25
    assert report.values["injection_unit_2_fill_time_s"] == 1.9
    assert report.units["injection_unit_2_fill_time_s"] == "ms"
    assert report.states["quality"] == "BAD_CYCLE"
    assert ("job" in report.states) is False


async def test_official_nodesets_are_read_alike_when_their_namespaces_are_shuffled(
    nodesets: Path,
) -> None:
    shuffled = (IMM2MES, DI, "urn:one", GENERAL)
    indexes, told = [], []
    for before in (("urn:one", "urn:two"), shuffled):
        async with official_server(nodesets, jobs=True, before=before) as server:
            indexes.append([await server.index(uri) for uri in (DI, GENERAL, IMM2MES)])
            await server.set("MachineInformation/SerialNumber", "0815", TEXT)
            await server.set("MachineStatus/MachineMode", 1, WORD)
            await server.set("Jobs/ActiveJobValues/JobCycleCounter", 6, COUNT)
            await server.set("Jobs/ActiveJobValues/MachineCycleCounter", 1006, COUNT)
            async with open_press(settings(server.url, cooling=COOLING)) as opened:
                stream = Stream(opened.observations())
                frame = await stream.frame()
                await fire(server, 7)
                report = await stream.report()
            told.append((opened.identity, frame.values, report.counter, report.values))

    assert all(one != other for one, other in zip(*indexes, strict=True))
    assert told[0] == told[1]
    assert told[0][2] == 1007


async def test_a_machine_counter_that_was_never_set_is_none(nodesets: Path) -> None:
    async with official_server(nodesets, jobs=True) as server:
        await server.set("Jobs/ActiveJobValues/JobCycleCounter", 6, COUNT)
        await server.set("Jobs/ActiveJobValues/MachineCycleCounter", 0, COUNT)
        async with open_press(settings(server.url, cooling=COOLING)) as opened:
            stream = Stream(opened.observations())
            frame = await stream.frame()
            await fire(server, 7)
            report = await stream.report()

    assert frame.value("counter") == 6
    assert report.counter == 7


async def test_every_kind_of_logbook_event_is_a_notice(nodesets: Path) -> None:
    bar = ua.EUInformation(UnitId=4342098, DisplayName=ua.LocalizedText("bar"))
    psi = ua.EUInformation(UnitId=20563, DisplayName=ua.LocalizedText("psi"))
    of_ada = {"EventOriginator": (2, WORD), "User__Name": ("Ada", TEXT), "User__Id": ("17", TEXT)}
    async with (
        official_server(nodesets, jobs=True) as server,
        open_press(settings(server.url, cooling=COOLING)) as opened,
    ):
        stream = Stream(opened.observations())
        await stream.frame()
        await server.log(1015, UserChange=(0, WORD), **of_ada)
        await server.log(
            1022, UserChange=(1, WORD), RemoteUserName=("Bo", TEXT), EventOriginator=(1, WORD)
        )
        await server.log(1043, SequenceChange=(4, WORD), EventOriginator=(3, WORD))
        await server.log(
            1041,
            OldValue=(False, ua.VariantType.Boolean),
            NewValue=(True, ua.VariantType.Boolean),
        )
        await server.log(1046, Message=(ua.LocalizedText("too warm"), ua.VariantType.LocalizedText))
        await server.log(1013, StandstillReasonId=("S-4", TEXT), **of_ada)
        await server.log(
            1010,
            ParameterId=("HoldPressure", TEXT),
            OldValue=(400.0, DOUBLE),
            OldValueUnit=(bar, ua.VariantType.ExtensionObject),
            NewValue=(6000.0, DOUBLE),
            NewValueUnit=(psi, ua.VariantType.ExtensionObject),
            JobCycleCounter=(77, COUNT),
            **of_ada,
        )
        told = {notice.name: notice for notice in [await stream.notice() for _ in range(7)]}

    user, remote = told["user"], told["remote_access"]
    assert (user.change, user.new, user.who, user.originator) == (
        Change.USER,
        "LOG_ON",
        "Ada",
        "OPERATOR",
    )
    assert (remote.new, remote.who, remote.originator) == ("LOG_OFF", "Bo", "MACHINE")
    assert (told["sequence"].new, told["sequence"].who) == ("DELETE", "MES")
    frozen = told["production_dataset_frozen"]
    assert (frozen.old, frozen.new) == (False, True)
    assert told["user_feedback"].new == "too warm"
    assert told["standstill_reason"].new == "S-4"
    parameter = told["HoldPressure"]
    assert (parameter.unit, parameter.new, parameter.who) == ("psi", 6000.0, "Ada")
    assert parameter.old == pytest.approx(5801.5, abs=0.1), "the old value, in the unit of the new"
    assert parameter.job_counter == 77


async def test_megapascals_and_fahrenheit_are_bar_and_celsius(nodesets: Path) -> None:
    peak = f"{UNIT}__SpecificPressureMaximum"
    async with official_server(nodesets, jobs=True, units=MPA_AND_F) as server:
        await server.set(ZONE, 428.0, DOUBLE)
        async with open_press(settings(server.url, cooling=COOLING)) as opened:
            stream = Stream(opened.observations())
            frame = await stream.frame()
            await fire(
                server,
                7,
                **{
                    peak: (101.5, DOUBLE),
                    f"{peak}__EngineeringUnits": (MPA, ua.VariantType.ExtensionObject),
                },
            )
            said = await stream.report()
            await fire(server, 8, **{peak: (88.0, DOUBLE)})
            unsaid = await stream.report()

    assert frame.value("barrel_zone_1_c") == pytest.approx(220.0)
    assert said.values["injection_pressure_peak_bar"] == pytest.approx(1015.0)
    assert said.units["injection_pressure_peak_bar"] == "MPa"
    assert unsaid.values["injection_pressure_peak_bar"] == pytest.approx(880.0), "as declared"


async def test_of_two_machines_in_one_server_only_the_named_one_is_heard(nodesets: Path) -> None:
    async with official_server(nodesets, jobs=True, neighbor=True) as server:
        other = server.neighbor
        assert other is not None
        await server.set("MachineInformation/SerialNumber", "0815", TEXT)
        await other.set("MachineInformation/SerialNumber", "0816", TEXT)
        with pytest.raises(
            RefusedError, match=r"'IMM_MAKER_0815'.+'0815'.+'IMM_MAKER_0816'.+'0816'"
        ):
            async with open_press(settings(server.url, cooling=COOLING)):
                pass
        mine = settings(server.url, cooling=COOLING, serial="0816")
        async with open_press(mine) as opened:
            stream = Stream(opened.observations())
            await stream.frame()
            await fire(server, 7)
            await fire(other, 50)
            report = await stream.report()

    assert opened.identity["serial"] == "0816"
    assert report.counter in (50, 1050)
    assert [each.values["job_counter"] for each in stream.reports] == [50]


async def test_it_is_read_signed_and_encrypted_with_a_log_in(
    nodesets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    theirs = Security(user="OPC40077", password="s3cret", folder=tmp_path / "theirs")
    ours = identity(tmp_path / "ours", "urn:plant-2:sprue")
    server_certificate = tmp_path / "server.der"
    server_certificate.write_bytes(
        identity(tmp_path / "theirs", "urn:maker.example:imm").certificate
    )
    (tmp_path / "ours.der").write_bytes(ours.certificate)
    (tmp_path / "ours.pem").write_bytes(ours.key)
    (tmp_path / "ours.pem").chmod(0o600)
    security = {
        "policy": "Basic256Sha256",
        "mode": "SignAndEncrypt",
        "certificate": str(tmp_path / "ours.der"),
        "key": str(tmp_path / "ours.pem"),
        "server_certificate": str(server_certificate),
    }
    log_in = {"user": "OPC40077", "password": {"env": "SPRUE_TEST_PASSWORD"}}
    async with official_server(nodesets, jobs=True, security=theirs) as server:
        slow = {"cooling": COOLING, "timeout_s": 5}  # two keys are worked out on a busy computer
        with pytest.raises(RefusedError):
            async with open_press(settings(server.url, **slow)):
                pass
        secured = settings(server.url, security=security, **log_in, **slow)
        async with open_press(secured) as opened:
            stream = Stream(opened.observations())
            await stream.frame()
            await fire(server, 7)
            report = await stream.report()

    assert report.values["cooling_time_s"] == 11.25
