"""Which faults the tests of this folder show, for the test that none is missing."""

import os

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where asked for, a line for each fault that a collected test shows."""
    if os.environ.get("SPRUE_LIST_FAULTS") == "1":
        for item in session.items:
            for mark in item.iter_markers("fault"):
                for name in mark.args:
                    print(f"shows {name} {item.nodeid}")
