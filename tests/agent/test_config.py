"""A wrong configuration gets one clear sentence a mistake, exit status 2 and no traceback."""

from pathlib import Path

import pytest

from agent.__main__ import main
from agent.config import load
from agent.place import ConfigError

CASES = Path(__file__).parents[1] / "cases" / "config"

GOOD = """
[site]
name = "Plant 2"
timezone = "Europe/Berlin"

[record]
url = "sqlite:///data/plant.db"

[web]
listen = "[::1]:9000"

[[machine]]
name = "IMM-07"
driver = "euromap77"
url = "opc.tcp://192.0.2.7:4840"
cooling = { event_field = "CoolingTime" }

[[machine]]
name = "IMM-12"
driver = "modbus"
host = "192.0.2.12"
port = 5020
unit = 1
map = "retrofit-plc"
poll_s = 0.1

[[machine]]
name = "IMM-15"
driver = "opcua"
url = "opc.tcp://192.0.2.15:4841"
map = "flat-em63"

[[mold]]
id = "A-2217"
part = "Hub cover"
alloy = "QC-10"
cavities = 2
planned_shots = 30000
"""


@pytest.mark.parametrize("case", sorted(p.name for p in CASES.iterdir()))
def test_a_wrong_configuration_says_what_is_wrong_and_where(
    case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = CASES / case / "config.toml"
    expected = (CASES / case / "error.txt").read_text(encoding="utf-8").strip()
    expected = expected.replace("{folder}", str(file.parent))

    status = main(["check", str(file)])

    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    assert f"{file}: {expected}" in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


SECRETS_WRITTEN_DOWN = """
[[forward]]
kind = "influxdb"
url = "http://influx:hunter2@127.0.0.1:8086"
org = "plant2"
bucket = "molding"
token = "my-secret-token"

[[machine]]
name = "IMM-07"
driver = "euromap77"
url = "opc.tcp://operator:hunter2@192.0.2.7:4840"
user = "operator"
password = "hunter2"
"""


def test_a_secret_that_was_written_down_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sprue.toml"
    file.write_text(SECRETS_WRITTEN_DOWN)

    status = main(["check", str(file)])

    said = capsys.readouterr().err
    assert status == 2
    assert "hunter2" not in said
    assert "my-secret-token" not in said
    right = "it should be { env = 'NAME' } or { file = 'NAME' }"
    assert f"machine[1].password: found a text, not shown; {right}" in said
    assert f"forward[1].token: found a text, not shown; {right}" in said
    assert "machine[1].url: found 'opc.tcp://...@192.0.2.7:4840'" in said
    assert "forward[1].url: found 'http://...@127.0.0.1:8086'" in said


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["run", str(tmp_path / "sprue.toml")])

    assert status == 2
    assert capsys.readouterr().err.endswith(
        "sprue.toml: can't be read: No such file or directory\n"
    )


def test_all_signals_together_are_looked_at_only_where_that_is_asked_for(tmp_path: Path) -> None:
    one = '[[machine]]\nname = "A"\ndriver = "euromap77"\nurl = "opc.tcp://192.0.2.7:4840"\n'
    found = []
    for n, text in enumerate((one, "[watch]\ntogether = true\n" + one)):
        (file := tmp_path / f"{n}.toml").write_text(text)
        found.append(load(file).config.watch.together)

    assert found == [False, True]


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "sprue.toml"
    file.write_text(GOOD.replace('"Plant 2"', "7").replace("poll_s", "pol_s"), encoding="utf-8")

    with pytest.raises(ConfigError) as raised:
        load(file)

    assert len(raised.value.sentences) == 2


def test_a_right_configuration_is_loaded_with_its_maps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sprue.toml"
    file.write_text(GOOD, encoding="utf-8")

    loaded = load(file)
    status = main(["check", str(file)])

    assert status == 0
    assert "Machines: 3, molds: 1." in capsys.readouterr().out
    assert set(loaded.maps) == {"IMM-12", "IMM-15"}
    assert loaded.config.web.address == ("::1", 9000)
    assert loaded.record_url == f"sqlite:///{tmp_path}/data/plant.db"
    assert loaded.mold_rows[0].fields["planned_shots"] == 30000
