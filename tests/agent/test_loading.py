"""What a command loads before it does its work: a second of libraries is a second of waiting."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.__main__ import COMMANDS, main

LIBRARIES = {
    "alembic", "asyncua", "cryptography", "fastapi", "influxdb_client", "numpy", "pyarrow",
    "pydantic", "pymodbus", "rich", "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip
"""Each takes longer to load than most commands take to work."""


PROTOCOLS = {"asyncua", "pymodbus", "cryptography", "uvloop"}


def loaded_by(*words: str) -> set[str]:
    """Top-level names that a command has loaded when it ends."""
    code = (
        "import sys\n"
        "from agent.__main__ import main\n"
        "try:\n"
        f"    main({list(words)!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_the_help_loads_no_library_and_nothing_of_the_plant() -> None:
    loaded = loaded_by("--help")

    assert loaded & {*LIBRARIES, "drivers", "dashboards", "simulators"} == set()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with machines of both protocols, and a record that was made for it."""
    folder = tmp_path_factory.mktemp("plant")
    (folder / "sprue.toml").write_text(
        """
        [[machine]]
        name = "IMM-01"
        driver = "euromap77"
        url = "opc.tcp://127.0.0.1:1"

        [[machine]]
        name = "IMM-02"
        driver = "modbus"
        host = "127.0.0.1"
        map = "retrofit-plc"
        """
    )
    assert main(["molds", "add", "A-1", "--config", str(folder / "sprue.toml")]) == 0
    return folder / "sprue.toml"


@pytest.mark.parametrize("command", ["molds list", "molds show A-1", "cycles", "anomalies"])
def test_what_reads_the_record_loads_no_protocol_and_no_page(command: str, config: Path) -> None:
    loaded = loaded_by(*command.split(), "--config", str(config), "--format", "json")

    assert "sqlalchemy" in loaded
    assert loaded & {*PROTOCOLS, "alembic", "numpy", "fastapi", "rich"} == set()
    assert loaded & {"dashboards", "simulators"} == set()


def test_machines_are_watched_before_the_pages_are_loaded() -> None:
    loaded = loaded_by("run", "--help")

    assert "agent" in loaded
    assert loaded & {"fastapi", "starlette", "uvicorn", "jinja2", "dashboards"} == set()


def test_the_menu_of_faults_loads_no_protocol_and_no_record() -> None:
    loaded = loaded_by("fault", "--list")

    assert "simulators" in loaded
    assert loaded & {*PROTOCOLS, "sqlalchemy", "fastapi", "dashboards"} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_how_it_is_used(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: sprue {command} ")
