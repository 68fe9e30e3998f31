"""What a command loads before it does its work: a second of libraries is a second of waiting."""

import subprocess
import sys

import pytest

from agent.__main__ import COMMANDS, main

LIBRARIES = {
    "alembic", "asyncua", "cryptography", "fastapi", "influxdb_client", "numpy", "pyarrow",
    "pydantic", "pymodbus", "rich", "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip
"""Each takes longer to load than most commands take to work."""


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

    assert not loaded & {*LIBRARIES, "drivers", "dashboards", "simulators"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_how_it_is_used(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: sprue {command} ")
