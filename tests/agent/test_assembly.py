"""Cycles are made of what the machine says, and every value says where it came from."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.assembly import Assembly
from agent.cycle import Cycle
from agent.sighting import Sighting
from drivers import Link, Observation, Origin, Report, Value
from drivers.settings import Cooling
from tests.agent.makers import at, frame, ledger

OFF = ("clock_off",)


def assembly(*, reports: bool, cooling: Cooling | None = None) -> Assembly:
    made = Assembly("IMM-01", cooling)
    made.connected(reports=reports)
    return made


def feed(line: Assembly, observations: Iterable[Observation]) -> list[Cycle | Sighting]:
    return [item for observation in observations for item in line.take(observation)]


def report(counter: int, seconds: float, fresh: bool = True, **values: Value) -> Report:
    return Report(
        machine="IMM-01",
        counter=counter,
        ended_at=at(seconds),
        received_at=at(seconds),
        origin=Origin.LATCHED,
        fresh=fresh,
        values=values,
    )


def cycles(items: list[Cycle | Sighting]) -> list[Cycle]:
    return [item for item in items if isinstance(item, Cycle)]


def test_a_report_is_a_cycle_with_the_levels_of_its_end() -> None:
    items = feed(
        assembly(reports=True),
        [
            frame(0, counter=7, mold_temp_c=54.0, job="J-1"),
            frame(1, counter=8, mold_temp_c=55.5, job="J-1"),
            report(8, 1, cycle_time_s=24.0),
        ],
    )

    (cycle,) = cycles(items)
    assert cycle.values == {"cycle_time_s": 24.0, "mold_temp_c": 55.5}
    assert cycle.provenance == {"cycle_time_s": Origin.LATCHED, "mold_temp_c": Origin.SAMPLED}
    assert cycle.job == "J-1"
    assert cycle.time_uncertainty_s == 1.0


@pytest.mark.parametrize(("behind_s", "flags"), [(59, ()), (-59, ()), (61, OFF), (-61, OFF)])
def test_a_stamp_far_from_our_clock_is_flagged(behind_s: float, flags: tuple[str, ...]) -> None:
    shot = replace(report(8, 1), ended_at=at(1 - behind_s))

    (cycle,) = cycles(feed(assembly(reports=True), [shot]))

    assert (cycle.time, cycle.flags) == (at(1 - behind_s), flags)


def test_levels_that_moved_while_nobody_looked_are_uncertain_by_so_much() -> None:
    """The mold is changed, and the answer that shows it is the one that shows the shot's end."""
    items = feed(
        assembly(reports=True),
        [
            frame(0, counter=7, mold_temp_c=54.9, oil_temp_c=45.0),
            frame(1, counter=8, mold_temp_c=49.1, oil_temp_c=45.1),
            report(8, 1, cycle_time_s=24.0),
            frame(2, counter=9, mold_temp_c=49.2, oil_temp_c=45.1),
            report(9, 2, cycle_time_s=24.0),
        ],
    )

    late, calm = cycles(items)
    assert late.values["mold_temp_c"] == 49.1
    assert late.uncertainty == {"mold_temp_c": pytest.approx(5.8)}
    assert calm.uncertainty == {}


def test_curves_are_what_was_sampled_since_the_last_cycle() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=7, injection_pressure_bar=1.0), report(7, 0, fresh=False)])

    items = feed(
        line,
        [
            frame(1, counter=7, injection_pressure_bar=850.0),
            frame(2, counter=7, injection_pressure_bar=None),
            frame(3, counter=8, injection_pressure_bar=450.0),
            report(8, 3),
        ],
    )

    curve = cycles(items)[0].curves["injection_pressure_bar"]
    assert curve.started_at == at(1)
    assert curve.t_s.tolist() == [0.0, 2.0]
    assert curve.values.tolist() == [850.0, 450.0]


def test_a_counter_step_is_a_cycle_where_the_machine_reports_none() -> None:
    phases = ["close", "fill", "hold", "cool", "cool", "open", "eject", "close"]
    frames = [frame(n, counter=4, phase=word) for n, word in enumerate(phases)]
    more = [frame(8 + n, counter=5, phase=word) for n, word in enumerate(phases)]

    items = feed(assembly(reports=False), [*frames, *more, frame(16, counter=6, phase="close")])

    first, second = cycles(items)
    assert (first.counter, second.counter) == (5, 6)
    assert "cycle_time_s" not in first.values
    assert second.values["cycle_time_s"] == 8.0
    assert second.values["cooling_time_s"] == 2.0
    assert second.provenance["cooling_time_s"] is Origin.EDGES
    assert second.uncertainty["cooling_time_s"] == 1.0


def test_cooling_by_configured_edges_is_uncertain_by_the_sampling_interval() -> None:
    cooling = Cooling(edges=("hold_active=0", "mold_closed=0"))
    states = [(1, 1), (0, 1), (0, 1), (0, 1), (0, 0)]
    frames = [
        frame(0.5 * n, counter=4, hold_active=hold, mold_closed=closed)
        for n, (hold, closed) in enumerate(states)
    ]

    items = feed(assembly(reports=True, cooling=cooling), [*frames, report(5, 3)])

    (cycle,) = cycles(items)
    assert cycle.values["cooling_time_s"] == 1.5
    assert cycle.uncertainty["cooling_time_s"] == 0.5
    assert cycle.provenance["cooling_time_s"] is Origin.EDGES


def test_derived_cooling_is_the_cycle_less_everything_else() -> None:
    rest: dict[str, Any] = {
        "fill_time_s": 0.8, "hold_time_s": 5.0, "mold_open_time_s": 1.4,
        "mold_close_time_s": 2.0, "ejection_time_s": 1.0, "pause_time_s": 1.8,
    }  # fmt: skip
    line = assembly(reports=True, cooling=Cooling(derived=True))

    items = feed(
        line,
        [frame(0, counter=1, mode="AUTOMATIC"), report(2, 20, cycle_time_s=24.0, **rest)],
    )
    manual = feed(
        line, [frame(21, counter=2, mode="MANUAL"), report(3, 40, cycle_time_s=24.0, **rest)]
    )

    assert cycles(items)[0].values["cooling_time_s"] == pytest.approx(12.0)
    assert cycles(items)[0].provenance["cooling_time_s"] is Origin.DERIVED
    assert "cooling_time_s" not in cycles(manual)[0].values


def test_the_first_counter_after_connecting_is_a_sighting() -> None:
    items = feed(assembly(reports=True), [frame(0, counter=30, mold="A-1"), frame(1, counter=30)])

    (sighting,) = items
    assert isinstance(sighting, Sighting)
    assert (sighting.counter, sighting.mold) == (30, "A-1")


def test_a_report_right_after_connecting_takes_the_place_of_the_sighting() -> None:
    items = feed(assembly(reports=True), [frame(0, counter=30), report(30, 0, fresh=False)])

    (cycle,) = items
    assert isinstance(cycle, Cycle)
    assert not cycle.fresh
    assert "time_uncertain" in cycle.flags


def test_shots_of_an_outage_count_where_the_first_report_takes_the_place_of_the_sighting() -> None:
    line, book = assembly(reports=True), ledger()
    seen = [o for n in range(1, 11) for o in (frame(20 * n, counter=n), report(n, 20 * n))]
    entries = [book.take(item) for item in feed(line, seen)]
    feed(line, [Link(machine="IMM-01", up=False, at=at(201), cause="stale", why="silence")])
    line.connected(reports=True)

    back = feed(line, [frame(301, counter=15), report(15, 301, fresh=False)])
    entries += [book.take(item) for item in back]

    assert sum(run.unobserved for entry in entries for run in entry.runs) == 4
    assert not any(entry.segments for entry in entries[1:])


def test_a_counter_that_no_report_follows_is_a_sighting_after_a_grace() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=30), frame(0.5, counter=30)])

    early = feed(line, [frame(1, counter=31), frame(2, counter=31)])
    late = feed(line, [frame(3.1, counter=32), frame(4, counter=32)])

    assert early == []
    assert [item.counter for item in late] == [32]


def test_one_frame_with_a_lower_counter_proves_nothing() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=30), report(31, 1), frame(1.1, counter=30)])

    assert feed(line, [frame(2, counter=31)]) == []


def test_a_counter_that_stays_low_was_reset() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=30), report(31, 1)])

    items = feed(line, [frame(2, counter=0), frame(3, counter=0), frame(4, counter=0)])

    assert [item.counter for item in items] == [0]


def test_a_new_mold_is_told_before_its_first_shot() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=30, mold="A-1"), frame(1, counter=30, mold="A-1")])

    (item,) = feed(line, [frame(2, counter=30, mold="B-2")])

    assert isinstance(item, Sighting)
    assert item.mold == "B-2"


def test_curves_and_edges_end_with_the_link() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=1, injection_pressure_bar=5.0)])
    feed(line, [frame(1, counter=1, injection_pressure_bar=6.0)])
    feed(line, [Link(machine="IMM-01", up=False, at=at(1), cause="unreachable", why="cut")])
    line.connected(reports=True)

    items = feed(
        line, [frame(60, counter=2, injection_pressure_bar=7.0), report(2, 60, fresh=True)]
    )

    assert cycles(items)[0].curves == {}


def test_a_dry_run_a_test_sample_and_a_hand_made_cycle_say_what_they_are() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=1, mode="AUTOMATIC", production_status="DRY_RUN")])
    (dry,) = cycles(feed(line, [report(2, 10)]))
    feed(line, [frame(11, counter=2, mode="MANUAL", production_status="PRODUCTION")])
    (manual,) = cycles(feed(line, [report(3, 20)]))

    assert (dry.closing, dry.state) == ("dry", "production")
    assert (manual.closing, manual.state) == ("shot", "setup")


def test_a_value_that_no_press_has_is_kept_and_flagged() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=1)])

    (cycle,) = cycles(feed(line, [report(2, 10, cushion_mm=6553.5, VendorThing="x")]))

    assert cycle.values == {"cushion_mm": 6553.5, "VendorThing": "x"}
    assert cycle.flags == ("implausible:cushion_mm",)
    assert cycle.time - at(10) == timedelta(0)


def test_what_is_no_number_is_left_out_and_said() -> None:
    line = assembly(reports=True)
    feed(line, [frame(0, counter=1, job="J\ud800\0 ")])

    (cycle,) = cycles(feed(line, [report(2, 10, cushion_mm=float("nan"), fill_time_s=0.8)]))

    assert cycle.values == {"fill_time_s": 0.8}
    assert cycle.flags == ("not_a_number:cushion_mm",)
    assert cycle.job == "J?"


def test_a_counter_that_no_press_has_is_not_believed() -> None:
    items = feed(assembly(reports=True), [frame(0, counter=2**64 - 1), report(2**64 - 1, 1)])

    assert items == []
