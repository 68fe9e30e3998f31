"""Every rule that a page says is tested has that test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("page", ["opcua-library", "modbus-library"])
def test_every_rule_on_a_library_names_tests_that_are_there(page: str) -> None:
    text = (ROOT / f"docs/explanations/{page}.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }
    rules = [line for line in text.splitlines() if line.startswith("| ")][1:]

    assert len(named) > 10
    assert named <= there
    assert all("`test_" in rule for rule in rules)
