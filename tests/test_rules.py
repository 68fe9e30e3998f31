"""Every rule that a page says is tested has that test."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_tests_that_the_page_on_the_opc_ua_library_names_are_there() -> None:
    page = (ROOT / "docs/explanations/opcua-library.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }

    assert len(named) > 10
    assert named <= there
