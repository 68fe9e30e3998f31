"""A thousand random stories of what counters do: exact, or bounded and saying so; none skipped.

The truth is counted where the mold closes, by `bench.counting.press`, which knows no ledger.
`python -m bench.counting` runs ten thousand.
"""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.assembly import Assembly
from agent.batch import Batch, MachineRow
from agent.history import open_history
from agent.ledger import Ledger, Standing
from agent.ledgersums import Sums
from agent.record import open_record
from agent.stages import Stages
from bench.counting.press import Entered, Key, Told
from bench.counting.script import RESTART, Script, Writer
from bench.counting.verdict import Counting, Verdict, compare, judge, report_of, tally

SCRIPTS = 1000
REPORTED = (
    "dry", "lost", "outage", "stop", "job", "job_in_outage", "reset", "roll_back",
    "roll_back_in_outage", "duplicate", "torn", "stuck", "double_pulse", "bounce", "change",
    "change_in_outage", "recut", "move",
)  # fmt: skip
"""What a file of past cycles can tell of."""


def sentences(verdicts: Sequence[Verdict]) -> list[str]:
    return [
        f"script {each.script.seed}: {sentence}; {', '.join(each.script.did)}"
        for each in verdicts
        for sentence in (*each.wrong, *each.wide)
    ]


def test_shots_of_a_thousand_scripts_are_exact_or_within_bounds_that_say_so() -> None:
    verdicts = [judge(Writer(seed).write()) for seed in range(SCRIPTS)]

    found = tally(verdicts)
    print(f"{found['exact']} exact, {found['bounded']} bounded, of {SCRIPTS}")
    assert sentences(verdicts) == []
    assert found["exact"] + found["bounded"] == SCRIPTS
    assert found["exact"] > SCRIPTS / 2


def keys(counting: Counting) -> dict[Key, Sums]:
    return {
        (mold or "", revision or ""): replace(sums)
        for mold, revision, sums in counting.sums.lines()
    }


@pytest.mark.parametrize("seed", range(40))
def test_the_same_reports_again_change_no_number(seed: int) -> None:
    script = Writer(seed).write()
    counting = Counting(script)
    for told in script.reports:
        counting.take(told)
    before = keys(counting)
    reported = [
        told
        for told in script.reports
        if isinstance(told, Told) and told.machine not in script.polled
    ]
    # All of them, and the last of each machine once more; where its clock was set in between, one
    # can tell only those apart that the ledger still remembers.
    again = [told for told in reported if not any("clock" in did for did in script.did)]
    for name in {told.machine for told in reported}:
        again += [told for told in reported if told.machine == name][-20:]

    now = max(told.at for told in script.reports if isinstance(told, Told))
    for n, told in enumerate(again):
        # They come at once, after everything else, as they come from a queue.
        counting.take(replace(told, at=now + timedelta(seconds=0.01 * n)))

    assert keys(counting) == before


def write(script: Script, path: Path) -> None:
    """A file of past cycles, in no order."""
    assert not any(isinstance(told, Entered) for told in script.reports)
    rows = [told for told in script.reports if isinstance(told, Told)]
    names = sorted({name for told in rows for name in told.others})
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["time", "machine", "counter", "closing", "mold", "revision", "job", *names])
        for told in rows:
            lines.writerow(
                [
                    told.stamp.isoformat(), told.machine, told.counter, told.closing, told.mold,
                    told.revision, told.job, *(told.others.get(name, "") for name in names),
                ]
            )  # fmt: skip


@pytest.mark.parametrize("seed", range(5000, 5030))
def test_a_file_of_past_cycles_gives_the_same_answer(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Writer(seed, REPORTED).write()
    script.modulus.clear()  # no driver knows it here
    if script.polled:
        script = next(
            other
            for n in range(seed + 100_000, seed + 100_100)
            if not (other := Writer(n, REPORTED).write()).polled
        )
        script.modulus.clear()
    path = tmp_path / "past.csv"
    write(script, path)

    assert main(["replay", str(path), "--ledger"]) == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {
        (line["mold"], line["revision"]): Sums(
            shots=line["shots"], shots_min=line["shots_min"], shots_max=line["shots_max"]
        )
        for line in lines
    }
    assert sentences([compare(script.in_file, found)]) == []


@pytest.mark.parametrize("seed", [3, 21, 60])
async def test_an_agent_that_is_stopped_again_and_again_counts_the_same(
    seed: int, tmp_path: Path
) -> None:
    script = Writer(seed, REPORTED).write()
    script.polled.clear()
    once = Counting(script, live=False)
    for told in script.reports:
        once.take(told)
    url = f"sqlite:///{tmp_path}/plant.db"
    revisions: dict[str, str] = {}
    pieces = [script.reports[n : n + 37] for n in range(0, len(script.reports), 37)]
    for piece in pieces:
        async with open_record(url, [MachineRow(name="IMM-01", driver="modbus")]) as record:
            stages: dict[str, Stages] = {}
            done = None
            for told in piece:
                if not isinstance(told, Told):
                    continue
                revisions[told.mold or ""] = told.revision
                if told.machine not in stages:
                    known = record.before.get(told.machine)
                    standing = known.standing if known else Standing()
                    ledger = Ledger(
                        told.machine,
                        standing,
                        lambda mold: revisions.get(mold, "A"),
                        script.modulus.get(told.machine),
                    )
                    stages[told.machine] = Stages(Assembly(told.machine), ledger)
                    stages[told.machine].connected(reports=True, modulus=ledger.modulus)
                entries = stages[told.machine].take(report_of(told)).entries
                done = await record.keep(Batch(machine=told.machine, entries=entries))
            if done is not None:
                await done

    with open_history(url) as history:
        sums: Counter[tuple[Key, str]] = Counter()
        for run in history.runs():
            key = (run.mold or "", run.revision or "")
            for name in ("shots", "closings", "unobserved", "shots_min", "shots_max"):
                sums[key, name] += getattr(run, name)
    for key, expected in keys(once).items():
        assert {name: sums[key, name] for name in ("shots", "shots_min", "shots_max")} == {
            "shots": expected.shots,
            "shots_min": expected.shots_min,
            "shots_max": expected.shots_max,
        }


def test_a_script_is_the_same_for_the_same_seed() -> None:
    assert Writer(7).write() == Writer(7).write()
    assert RESTART in {
        told for seed in range(30) for told in Writer(seed).write().reports if isinstance(told, str)
    }
