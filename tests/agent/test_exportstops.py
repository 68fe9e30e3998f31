"""Why a press stood: what was told just before or meanwhile, in words that say what happened."""

from datetime import timedelta
from typing import Any

import pytest

from agent.export.coverage import Coverage
from agent.export.events import Event
from agent.export.stops import Stop, stops_as_events
from agent.rows import to_ns
from tests.agent.makers import at

COVERED = Coverage(
    machine="IMM-01", since=at(0), until=at(3600), cycles=2, shots=2, unobserved=0,
    unobserved_at_edges=0, blind=(),
)  # fmt: skip
STOP = Stop(machine="IMM-01", before=(1, 61), after_ns=to_ns(at(1000)), pace_s=20.0, stood_s=600.0)


def words(**told: Any) -> str:
    """What a stop says of one event within it."""
    event = Event(at=at(1000) + timedelta(seconds=60), machine="IMM-01", **told)
    (stop,) = stops_as_events([STOP], [COVERED], [event])
    return stop.words


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"name": "mounted", "new": "B-2 A"}, "mold: mounted B-2 A"),
        ({"name": "entered", "new": "B-2 A", "who": "Ada"}, "mold: entered B-2 A (by Ada)"),
        (
            {"name": "entry withdrawn", "new": "B-2 A", "who": "Ada"},
            "mold: entry withdrawn B-2 A (by Ada)",
        ),
        ({"name": "mold", "old": "A-1", "new": "B-2"}, "mold: A-1 to B-2"),
    ],
)
def test_what_was_said_of_a_mold_says_whether_it_was_mounted(
    told: dict[str, str], expected: str
) -> None:
    assert words(kind="mold", **told) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("", "J1", "job: J1"), ("J1", "J2", "job: J1 to J2"), ("J1", "", "job: J1 ended")],
)
def test_a_job_that_was_cleared_does_not_read_as_if_it_began(
    old: str, new: str, expected: str
) -> None:
    assert words(kind="job", name="job", old=old, new=new) == expected
