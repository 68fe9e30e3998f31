"""Limits of the set-up sheet, and of physics, are told at the first shot beyond them."""

from datetime import timedelta

import pytest

from agent.watch import Facts, Limit, Watch
from agent.watch.plate import MATERIALS, least_cooling_s, material
from tests.agent.watch.streams import PHASES, START, TIMES, Press, after, causes, watched


def limit(**given: float) -> Limit:
    return Limit(signal="cooling_time_s", since=START, author="Meyer", **given)


def test_one_shot_beyond_an_engineering_limit_is_told_at_once_and_says_whose_it_is() -> None:
    facts = Facts(limits=[limit(high=12.4)])
    watch = Watch("IMM-01", facts=lambda mold, revision: facts)

    def once(n: int) -> dict[str, float]:
        return {"cycle_time_s": 0.6, "cooling_time_s": 0.6} if n == 1 else {}

    found = after(Press(1, TIMES), once, 20, watch=watch)

    assert causes(found) == ["cooling_time/out_of_limits"]
    assert found[0][0] == 1
    assert "Meyer" in found[0][1].message
    assert found[0][1].limit == 12.4


def test_a_crossed_limit_follows_what_crossed_it() -> None:
    facts = Facts(limits=[limit(high=13.0)])
    watch = Watch("IMM-01", facts=lambda mold, revision: facts)

    def stepping(n: int) -> dict[str, float]:
        by_s = 0.5 if n <= 20 else 1.2
        return {"cycle_time_s": by_s, "cooling_time_s": by_s}

    found = after(Press(2, TIMES), stepping, 40, watch=watch)

    crossed = next(a for _, a in found if a.cause == "out_of_limits")
    assert crossed.follows == found[0][1].id


def test_what_was_beyond_a_limit_is_over_when_the_mold_leaves() -> None:
    facts = Facts(limits=[limit(high=11.0)])
    watch = Watch("IMM-01", facts=lambda mold, revision: facts if mold == "M-1" else None)
    press = Press(6, TIMES)
    (opened,) = watched(press, watch, 20)
    press.mold = "M-2"

    (closed,) = watched(press, watch, 5)

    assert (closed.id, closed.is_open) == (opened.id, False)
    assert watch.opened == []


def test_a_limit_counts_from_its_day_on() -> None:
    later = Limit(
        signal="cooling_time_s", high=11.0, since=START + timedelta(hours=2), author="Meyer"
    )
    watch = Watch("IMM-01", facts=lambda mold, revision: Facts(limits=[later]))
    press = Press(3, TIMES)
    found = watched(press, watch, 300)

    assert [a.cause for a in found] == ["out_of_limits"]
    assert found[0].time >= later.since


def test_new_facts_are_taken_in_when_people_change_them() -> None:
    facts = Facts()
    watch = Watch("IMM-01", facts=lambda mold, revision: facts)
    press = Press(4, TIMES)
    assert watched(press, watch, 100) == []

    facts = Facts(limits=[limit(high=11.0)])
    watch.reload()

    assert [a.cause for a in watched(press, watch, 1)] == ["out_of_limits"]


def test_a_limit_that_limits_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a low or a high"):
        limit()
    with pytest.raises(ValueError, match="above"):
        limit(low=2.0, high=1.0)


def test_limits_survive_being_written_down() -> None:
    assert Limit.from_json(limit(low=1.0).to_json()) == limit(low=1.0)


# Cooling of a plate

TABLE = {
    "ABS": 7.7, "PS": 6.3, "SAN": 7.1, "PMMA": 8.9, "PC": 5.8, "PC/ABS": 6.3, "PP": 7.0,
    "HDPE": 5.8, "LDPE": 5.9, "POM": 9.4, "PA6": 5.9, "PA66": 5.5, "PA66-GF30": 3.8, "PBT": 4.9,
    "PBT-GF30": 3.6,
}  # fmt: skip
"""Seconds for 2 mm, mean temperature (molding reference 2.2)."""


@pytest.mark.parametrize("resin", TABLE)
def test_the_least_cooling_times_are_those_of_the_table(resin: str) -> None:
    assert least_cooling_s(2.0, MATERIALS[resin]) == pytest.approx(TABLE[resin], abs=0.06)


def test_it_grows_with_the_square_of_the_wall_and_is_unknown_in_a_hot_mold() -> None:
    abs_ = MATERIALS["ABS"]

    thin, thick = least_cooling_s(1.0, abs_), least_cooling_s(3.0, abs_)
    assert thin is not None
    assert thick == pytest.approx(9 * thin)
    assert least_cooling_s(2.0, abs_, wall_c=95.0) is None


@pytest.mark.parametrize("spelt", ["ABS", "abs", "pa66 gf30", "PA66-GF30", "pc/abs"])
def test_resins_are_known_however_they_are_spelt(spelt: str) -> None:
    assert material(spelt) is not None


def test_cooling_below_the_physical_minimum_is_warned_of() -> None:
    facts = Facts(wall_mm=4.0, resin="ABS")
    watch = Watch("IMM-01", facts=lambda mold, revision: facts)

    found = watched(Press(5, PHASES), watch, 100)

    assert [(a.kind, a.cause) for a in found] == [("cooling_time", "out_of_limits")]
    assert "30.9 s" in found[0].message
    assert "ABS" in found[0].message


def test_a_part_that_has_its_time_is_not_warned_of() -> None:
    facts = Facts(wall_mm=2.0, resin="ABS")
    watch = Watch("IMM-01", facts=lambda mold, revision: facts)

    assert watched(Press(5, PHASES), watch, 100) == []
