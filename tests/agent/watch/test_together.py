"""All signals together: a second opinion that is asked for, and never before the first."""

import csv
import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.anomaly import Anomaly
from agent.watch import Watch
from tests.agent.watch.streams import Press, after, causes, watched

KNOWN = 900
"""Shots until the second opinion says something."""

WITHIN = {
    "injection_pressure_peak_bar": 14.0, "cushion_mm": -0.13, "recovery_time_s": 0.13,
    "mold_temp_c": 0.9, "coolant_out_c": 0.9,
}  # fmt: skip
"""What no single signal tells: each lies within its own floors."""


def strange(cycles: int, changed: dict[str, float], watch: Watch, press: Press) -> list[Anomaly]:
    return [a for _ in range(cycles) for a in watch.take(press.shot(changed))]


@pytest.mark.parametrize("seed", range(3))
def test_what_no_signal_shows_alone_is_told_with_the_signals_that_carry_it(seed: int) -> None:
    press, watch = Press(seed), Watch("IMM-01", together=True)
    assert watched(press, watch, KNOWN) == []

    (found,) = strange(40, WITHIN, watch, press)

    assert (found.kind, found.cause, found.severity) == ("process", "unexplained", "info")
    shares = [name for name in found.evidence if name.endswith(":share")]
    assert {name.removesuffix(":share") for name in shares} <= WITHIN.keys()
    assert found.signal in WITHIN
    (closed,) = strange(60, {}, watch, press)
    assert (closed.id, closed.is_open) == (found.id, False)


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_told_who_did_not_ask(seed: int) -> None:
    assert after(Press(seed), WITHIN, 40, before=KNOWN) == []


def test_a_cause_with_a_name_goes_before() -> None:
    press, watch = Press(1), Watch("IMM-01", together=True)

    found = after(press, {"cooling_time_s": 0.5, "cycle_time_s": 0.5}, before=KNOWN, watch=watch)

    assert causes(found) == ["cooling_time/timer_changed"]


def test_a_named_cause_closes_the_second_opinion_and_is_not_hidden_by_it() -> None:
    press, watch = Press(2), Watch("IMM-01", together=True)
    watched(press, watch, KNOWN)
    (open_,) = strange(40, WITHIN, watch, press)

    found = strange(30, {**WITHIN, "cooling_time_s": 0.5, "cycle_time_s": 0.5}, watch, press)

    assert [(a.cause, a.is_open) for a in found] == [
        ("timer_changed", True), ("unexplained", False),
    ]  # fmt: skip
    assert found[1].id == open_.id


def test_it_survives_a_restart() -> None:
    presses = [Press(3), Press(3)]
    straight, kept = (Watch("IMM-01", together=True) for _ in presses)
    found: list[list[Anomaly]] = [[], []]
    for n in range(KNOWN + 60):
        if n % 97 == 0:
            again = Watch("IMM-01", together=True)
            again.load(json.loads(json.dumps(kept.save(), allow_nan=False)))
            kept = again
        changed = WITHIN if n >= KNOWN else {}
        found[0] += straight.take(presses[0].shot(changed))
        found[1] += kept.take(presses[1].shot(changed))

    assert found[0]
    assert found[0] == found[1]


def test_replay_asks_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    press, rows = Press(0), []
    for n in range(KNOWN + 40):
        cycle = press.shot(WITHIN if n >= KNOWN else {}).cycle
        rows.append(
            {"time": cycle.time.isoformat(), "machine": "IMM-01", "counter": cycle.counter,
             "mold": "M-1", "mode": "AUTOMATIC", **cycle.values}
        )  # fmt: skip
    file = tmp_path / "past.csv"
    with file.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = []
    for words in ((), ("--together",)):
        assert main(["replay", str(file), *words]) == 0
        found.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])

    assert found[0] == []
    (one,) = found[1]
    assert (one["kind"], one["cause"]) == ("process", "unexplained")
