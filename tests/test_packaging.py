"""What is installed is ours, and the locks name no place to get it from."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "constraints").glob("*.txt"))


@pytest.mark.parametrize("name", ["agent", "drivers", "simulators", "dashboards"])
def test_nobody_else_owns_our_import_name(name: str) -> None:
    assert set(packages_distributions().get(name, ["sprue"])) == {"sprue"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_every_package_by_hash_and_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

    assert entries
    assert all(re.match(r"^[a-z0-9._-]+==\S+ .*\\$", line) for line in entries)
    assert "://" not in text
    assert not re.search(r"^\s*-(i|f|-index-url|-extra-index-url|-find-links)\b", text, re.M)


def test_what_runs_is_what_is_tested() -> None:
    run, dev = (
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / "constraints" / name).read_text(), re.M))
        for name in ("run.txt", "dev.txt")
    )

    assert run.items() <= dev.items()
    assert dev["asyncua"].startswith("2.1.")
    assert dev["pymodbus"].startswith("3.16.")
