"""The short way of the ledger for ordinary shots comes to what the long way comes to."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from agent.cycle import Cycle
from agent.ledger import Ledger, Standing
from agent.sighting import Sighting
from drivers import Origin
from tests.agent.makers import cycle, sighting


class LongWay(Ledger):
    """Asks every rule about every shot."""

    def _is_ordinary(self, cycle: Cycle, when: object) -> bool:
        return False


def story(seed: int) -> Iterator[Cycle | Sighting]:
    """A day in which most shots are ordinary, and everything else happens now and then."""
    random = Random(seed)
    at, counter, parts, job, mold = 0.0, random.choice([1, 9_990, 65_530]), 0, 1, "A-1"
    others: dict[str, int] = {"job_counter": 1} if random.random() < 0.7 else {}
    width = random.choice([10_000, 65_536, 2**32])
    for _ in range(400):
        step_s, rises = 24 + random.gauss(0, 0.05), 1
        changes: dict[str, Any] = {}
        match random.randrange(40):
            case 0:
                step_s *= random.choice([0.1, 0.3, 0.5, 2, 30, 200, 3000])
            case 1:
                rises = random.choice([0, 2, 3, 9])
            case 2:
                counter = max(0, counter - random.randrange(60))
            case 3:
                job += 1
                others = dict.fromkeys(others, 0)
            case 4:
                mold = random.choice(["A-1", "B-2", "C-3"])
            case 5:
                changes["closing"] = "dry"
            case 6:
                changes["fresh"] = False
            case 7:
                changes["announced"] = False
            case 8:
                others = {name: n + random.choice([-2, 2]) for name, n in others.items()}
            case 9:
                changes["mold"] = None
        at += step_s
        counter = (counter + rises) % width
        others = {name: n + 1 for name, n in others.items()}
        parts += 2
        counters = {**others, "parts_counter": parts} if seed % 2 else others
        if random.random() < 0.03:
            yield sighting(counter, at, mold=mold, job=f"J-{job}", counters=counters)
            continue
        made = {"mold": mold, "job": f"J-{job}", "counters": counters} | changes
        made["values"] = {"cycle_time_s": 24.0}
        made["provenance"] = {"cycle_time_s": Origin.LATCHED if seed % 3 else Origin.REPORTED}
        again = cycle(counter, at, **made)
        yield again
        if random.random() < 0.02:
            yield again


@pytest.mark.parametrize("seed", range(40))
def test_the_short_way_comes_to_the_same(seed: int) -> None:
    modulus = [None, None, 10_000, 65_536][seed % 4]
    short, long = (
        kind("IMM-01", Standing(), lambda mold: "A", modulus) for kind in (Ledger, LongWay)
    )

    for item in story(seed):
        assert short.take(item) == long.take(item)
        assert short.standing.pace.steps_s == long.standing.pace.steps_s


def test_most_shots_go_the_short_way() -> None:
    asked = 0

    class Counting(Ledger):
        def _ordinary(self, cycle: Cycle, when: Any) -> Any:
            nonlocal asked
            asked += 1
            return super()._ordinary(cycle, when)

    ledger = Counting("IMM-01", Standing(), lambda mold: "A")
    for n in range(1, 101):
        ledger.take(cycle(n, 24.0 * n))

    assert asked >= 95
