"""The recovery table: its trials cover the menu, and what it counts is seen if it happens."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.recovery.page import page
from bench.recovery.running import Evidence, Lengths, run_trial
from bench.recovery.trials import PROCESS, Trial, trials
from bench.recovery.verdict import Verdict, judge
from simulators.menu import MENU

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "recovery.md"
SHORT = Lengths(warm_up_s=2, before_s=1, on_s=3, after_s=1)


def test_every_fault_is_tried_on_every_protocol_that_can_have_it() -> None:
    wanted = {
        (fault.name, face)
        for fault in MENU.values()
        for face in fault.faces
        if fault.kind != "process" or (fault.name, face) in PROCESS
    }

    assert {(trial.fault.name, trial.protocol) for trial in trials()} == wanted
    assert all(trial.fleet().press for trial in trials())


def test_the_page_has_a_row_for_every_trial() -> None:
    rows = PAGE.read_text(encoding="utf-8").splitlines()

    for trial in trials():
        start = f"| `{trial.fault.name}` | {trial.on} |"
        assert sum(row.startswith(start) for row in rows) == 1, start


def test_a_trial_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'torn_word' on protocol 'flat'"):
        list(trials("torn_word", "flat"))


def found(fault: str, on: str) -> Trial:
    [trial] = [each for each in trials(fault) if each.on == on]
    return trial


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "on"),
    [
        ("link_dropped", "flat"),
        ("late_reply", "modbus rtu"),
        ("sentinel", "modbus"),
        ("duplicate_event", "euromap77"),
    ],
)
async def test_nothing_is_lost_twice_or_wrong(fault: str, on: str, tmp_path: Path) -> None:
    evidence = await run_trial(found(fault, on), tmp_path, seed=1, lengths=SHORT)

    verdict = judge(evidence)
    assert (verdict.lost, verdict.twice, verdict.misplaced) == (0, 0, 0)
    assert verdict.wrong == ()
    assert verdict.shots > 3
    assert verdict.fresh_s is not None
    assert verdict.shot_s is not None
    assert verdict.neighbor is not None
    assert f"| `{fault}` | {on} | 0 | 0 | 0 |" in page([verdict], datetime.now(UTC), 1)


@pytest.fixture
async def evidence(tmp_path: Path) -> Evidence:
    """Of a trial in which nothing went wrong."""
    return await run_trial(found("job_counter_reset", "modbus"), tmp_path, seed=1, lengths=SHORT)


@pytest.mark.slow
async def test_what_is_lost_twice_wrong_or_misplaced_is_counted(evidence: Evidence) -> None:
    *others, last = evidence.cycles
    wrong = {**last.cycle.values, "cooling_time_s": 99.0}

    def verdict(**changes: Any) -> Verdict:
        return judge(replace(evidence, **changes))

    def with_last(flags: tuple[str, ...] = (), values: Mapping[str, Any] = wrong) -> list[Any]:
        return [*others, replace(last, cycle=replace(last.cycle, values=values, flags=flags))]

    assert (verdict().lost, verdict().twice, verdict().wrong) == (0, 0, ())
    assert verdict(cycles=others).lost == 1
    assert verdict(cycles=[*evidence.cycles, last]).twice == 1
    assert len(verdict(cycles=with_last()).wrong) == 1
    assert verdict(cycles=with_last(("implausible:cooling_time_s",))).wrong == ()
    assert verdict(cycles=[*others, replace(last, mold="A-9")]).misplaced == 1
    assert verdict(seen=[]).fresh_s is None
