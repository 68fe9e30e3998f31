"""One walk for socket, file and list; what it remembers carries it over a restart."""

import json
import logging
from collections.abc import Sequence
from itertools import pairwise

import pytest

from agent.anomaly import Anomaly
from agent.assembly import Assembly
from agent.batch import Saved
from agent.cycle import Booked
from agent.ledger import Ledger, Standing
from agent.stages import SAVED_EVERY, Stages
from agent.watch import Watch
from bench.watch.drawn import MOLDS, clean
from bench.watch.molded import CASES, faulty
from bench.watch.molded import MOLDS as MOLDED
from bench.watch.molded import clean as clean_molded
from bench.watch.stream import Stream
from drivers import Observation


def stages(standing: Standing | None = None) -> Stages:
    made = Stages(
        Assembly("IMM-01"),
        Ledger("IMM-01", standing or Standing(), lambda mold: "A"),
        watch=Watch("IMM-01"),
    )
    made.connected(reports=True, modulus=None)
    return made


def walk(past: Sequence[Observation], kill_after: Sequence[int] = ()) -> list[Anomaly]:
    """Walk a story with a process that dies, and starts again from what was kept."""
    now = stages()
    memory: dict[str, Saved] = {}
    since: list[Booked] = []
    found: list[Anomaly] = []
    for n, observation in enumerate(past):
        outcome = now.take(observation)
        found += outcome.anomalies
        since += [entry.booked for entry in outcome.entries if entry.booked]
        if kept := now.memory():
            memory |= {each.stage: each for each in kept}
            since = []
        if n in kill_after:
            again = stages(now.ledger.standing)
            assert again.resume(list(memory.values()), since) == []  # nothing fires twice
            again.assembly, now = now.assembly, again
    return found


@pytest.mark.parametrize(
    ("fault", "size"),
    [("timer_changed", 0.5), ("mold_temperature_drift", 5), ("cooling_cut_short", 0.4)],
)
def test_a_restart_anywhere_changes_no_anomaly(fault: str, size: float) -> None:
    case = next(each for each in CASES if (each.fault, each.size) == (fault, size))
    stream = faulty(MOLDED[0], 3, case)
    past = list(stream.observations())
    assert stream.trouble is not None
    first = stream.trouble.first

    once = walk(past)
    again = walk(past, kill_after=[20, 61, 62, 63, *range(first - 3, first + 30, 2)])

    assert once
    assert again == once


def test_what_is_remembered_is_saved_now_and_then_and_with_every_anomaly() -> None:
    now = stages()
    saves = []
    for n, observation in enumerate(clean(MOLDS[0], 5, 200).observations()):
        now.take(observation)
        if now.memory():
            saves.append(n)

    assert saves[0] == 0
    assert max(b - a for a, b in pairwise(saves)) == SAVED_EVERY
    assert len(saves) < 20


def test_molds_that_are_elsewhere_are_remembered_and_written_once() -> None:
    past = list(clean_molded(MOLDED[0], 2, 400).observations())
    now, kept, writes = stages(), dict[str, Saved](), 0
    for observation in past:
        now.take(observation)
        for each in now.memory():
            kept[each.stage] = each
            writes += each.stage != "watch"
    again = stages(now.ledger.standing)

    again.resume(list(kept.values()), ())

    assert len(kept) > 2
    assert writes < 12
    assert {each["key"][0] for each in again.watch.save()["baselines"]} == {"W-1", "W-9"}


def test_a_memory_of_another_version_is_learned_anew(caplog: pytest.LogCaptureFixture) -> None:
    past: Stream = clean(MOLDS[0], 5, 100)
    now = stages()
    body = json.dumps({"end_ns": 0, "heard": 0, "watch": {"mood": "odd"}}).encode()

    with caplog.at_level(logging.WARNING):
        now.resume([Saved(stage="watch", body=body, segment=1, counter=0)], ())

    assert "it learns anew" in caplog.text
    assert now.watch.baseline is None
    for observation in past.observations():
        now.take(observation)
    assert now.watch.baseline is not None
    assert now.watch.baseline.good == 100


def test_a_cycle_that_came_late_is_kept_from_the_watch() -> None:
    past = list(clean(MOLDS[0], 5, 60).observations())
    now = stages()
    for observation in past[:40] + past[42:]:
        now.take(observation)
    assert now.watch.baseline is not None
    good = now.watch.baseline.good

    outcome = now.take(past[41])

    assert outcome.entries[0].booked is not None
    assert now.watch.baseline.good == good
