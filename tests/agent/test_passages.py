"""A press whose counter stands shows by its phases that it molds, and is believed only then."""

from datetime import datetime

from agent.assembly import Assembly
from agent.cycle import Cycle
from agent.passages import Passages
from tests.agent.makers import at, frame

CYCLE = ("close", "fill", "hold", "cool", "open", "eject", "pause")
STEP_S = 2.0


def walk(passages: Passages, phases: tuple[str, ...]) -> list[datetime]:
    """The ends of closings that the counter has missed."""
    found = (passages.take(phase, at(STEP_S * n)) for n, phase in enumerate(phases))
    return [each for each in found if each is not None]


def test_a_closing_is_taken_from_its_phases_when_the_next_one_is_under_way() -> None:
    assert walk(Passages(), (*CYCLE, *CYCLE[:3])) == []
    assert walk(Passages(), ("idle", *CYCLE, *CYCLE[:4])) == [at(16)]


def test_a_closing_that_the_counter_has_shown_is_taken_from_nowhere_else() -> None:
    late, early = Passages(), Passages()

    walk(late, (*CYCLE, "close"))
    late.counted(1)
    walk(early, CYCLE[:5])
    early.counted(1)
    walk(early, ("eject", "pause", "close"))

    assert walk(late, CYCLE[1:4]) == []
    assert walk(early, CYCLE[1:4]) == []


def test_a_closing_without_plastic_or_cut_off_is_no_shot() -> None:
    dry = ("close", "open", "eject")
    cut = ("close", "fill", "hold", "cool", "idle")

    assert walk(Passages(), ("idle", *dry, *dry, *cut, *CYCLE[:4])) == []


def cycles(phases: tuple[str, ...], counters: dict[int, int]) -> list[Cycle]:
    """What an assembly makes of frames; a counter holds from its index on."""
    assembly, made, counter = Assembly("IMM-01"), [], 0
    assembly.connected(reports=True)
    for n, phase in enumerate(phases):
        counter = counters.get(n, counter)
        for item in assembly.take(frame(STEP_S * n, counter=counter, phase=phase, mold="A-1")):
            if isinstance(item, Cycle):
                made.append(item)
    return made


def test_a_cycle_of_a_standing_counter_says_so() -> None:
    made = cycles(("idle", *CYCLE, *CYCLE, *CYCLE[:4]), {0: 100})

    assert [each.counter for each in made] == [100, 100]
    assert [each.time for each in made] == [at(16), at(30)]
    assert all(each.stood and "counter_stood" in each.flags for each in made)
