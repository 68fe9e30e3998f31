"""`sprue doctor` finds what is wrong around an agent, and says what to do."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent import doctor
from agent.__main__ import main
from agent.config import load
from agent.doctor import Finding, examine
from agent.record import open_record
from tests.agent.test_certificates import written as with_certificate

CONFIG = """
[[machine]]
name = "IMM-07"
driver = "modbus"
host = "127.0.0.1"
port = 9
map = "retrofit-plc"

[[forward]]
kind = "influxdb"
name = "plant"
url = "http://127.0.0.1:9"
bucket = "molding"
"""

NOW = datetime.now(UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sprue.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


async def recorded(config: Path) -> None:
    loaded = load(config)
    async with open_record(loaded.record_url, loaded.machine_rows, loaded.mold_rows):
        pass


def of(area: str, found: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(each.state, each.found) for each in found if each.area == area]


def test_before_the_first_start_nothing_is_bad(config: Path) -> None:
    found = examine(load(config), NOW)

    assert [each for each in found if each.state == "bad"] == []
    assert of("record", found) == [("look", f"{config.parent}/sprue.db is not there yet")]
    assert of("versions", found)[0][0] == "good"
    assert all(each.do for each in found if each.state != "good")


async def test_a_machine_that_was_never_reached_is_bad(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await recorded(config)

    assert main(["doctor", str(config), "--format", "json"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["found"] for each in found if each["state"] == "bad"] == [
        "IMM-07 was never reached"
    ]


def test_machines_and_sinks_are_asked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(config), "--connect"]) == 1
    said = capsys.readouterr().out
    assert "IMM-07: can't connect to 127.0.0.1:9" in said
    assert "plant at http://127.0.0.1:9" in said
    assert "2 bad" in said


def test_a_certificate_near_its_end_is_to_be_looked_at(tmp_path: Path) -> None:
    found = of("certificates", examine(load(with_certificate(tmp_path, 30)), NOW))
    assert found[0][0] == "look"
    assert "in 30 days" in found[0][1]

    found = of("certificates", examine(load(with_certificate(tmp_path, -2)), NOW))
    assert found[0][0] == "bad"
    assert "expired on" in found[0][1]


@pytest.mark.skipif(os.name == "nt", reason="rights of files are others there")
def test_files_that_anybody_may_write_to_are_bad(config: Path) -> None:
    config.chmod(0o666)
    loaded = load(config)
    said = f"anybody on this computer may write to {config}"
    assert of("permissions", examine(loaded, NOW)) == [("bad", said)]

    config.chmod(0o644)
    assert of("permissions", examine(loaded, NOW)) == []


async def test_backups_are_looked_for(config: Path) -> None:
    await recorded(config)
    loaded = load(config)
    assert of("backup", examine(loaded, NOW))[0][0] == "look"

    assert main(["backup", "--config", str(config)]) == 0
    assert of("backup", examine(loaded, datetime.now(UTC)))[0][0] == "good"
    assert of("backup", examine(loaded, NOW + timedelta(days=9))) == [
        ("look", "the newest is 9 d old")
    ]


async def test_a_damaged_record_is_named(config: Path) -> None:
    await recorded(config)
    record = config.parent / "sprue.db"
    record.write_bytes(b"\0" * 4096 + record.read_bytes()[4096:])

    found = of("record", examine(load(config), NOW))
    assert found[0][0] == "bad"
    assert "sprue.db" in found[0][1]


async def test_what_the_writer_can_not_do_is_told(config: Path) -> None:
    await recorded(config)
    (config.parent / "sprue.db.lock").write_bytes(b"disk is full".ljust(2048))

    assert ("bad", "the agent can't write: disk is full") in of(
        "record", examine(load(config), NOW)
    )


def test_other_versions_than_those_tried_are_bad(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        doctor, "requires", lambda _name: ["asyncua<1", "nosuchthing>=2", "psycopg; extra == 'x'"]
    )
    ((state, found),) = of("versions", examine(load(config), NOW))
    assert state == "bad"
    assert "asyncua is" in found
    assert "nosuchthing is missing" in found
    assert "psycopg" not in found


def test_a_full_disk_is_bad(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((10 << 20, "bad"), (500 << 20, "look"), (50 << 30, "good")):
        monkeypatch.setattr(
            "agent.doctor.shutil.disk_usage", lambda _path, free=free: SimpleNamespace(free=free)
        )
        assert of("disk", examine(load(config), NOW))[0][0] == state


def test_clocks_that_are_all_off_one_way_are_our_own(config: Path) -> None:
    def machine(name: str, ahead_s: float | None) -> SimpleNamespace:
        clock = None if ahead_s is None else SimpleNamespace(ahead_s=ahead_s, within_s=0.5)
        return SimpleNamespace(machine=name, condition=SimpleNamespace(clock=clock))

    def said(*ahead: float | None) -> list[tuple[str, str]]:
        sums = [machine(f"IMM-{n}", each) for n, each in enumerate(ahead)]
        return [(each.state, each.found) for each in doctor._clock(sums)]  # type: ignore[arg-type]

    assert said(90.0, 91.0, None) == [
        ("bad", "all 2 machines' clocks say that this computer is about 91 s behind")
    ]
    assert ("look", "IMM-1's is 2 min ahead") in said(0.1, 120.0)
    assert all("IMM" not in found for _, found in said(0.1, 1.9))
