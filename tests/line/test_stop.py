"""SIGTERM under load: an ordinary end, at once, with everything that was seen on the disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import an_agent, compare, read_truth, unobserved, until, until_all_seen


async def test_sigterm_under_load_leaves_everything_seen_on_the_disk(tmp_path: Path) -> None:
    fleet, truth = load("six"), tmp_path / "truth.jsonl"
    async with (
        open_plant(fleet, speed=60, seed=9, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await agent.start()
        await until_all_seen(agent, plant)
        watched_at = datetime.now(UTC)
        await until("the pages are up", lambda: "Sprue: http" in agent.log.read_text())
        await until(
            "every press has made a shot",
            lambda: {b.cycle.machine for b in agent.cycles()} == set(plant.presses),
        )
        before = agent.cycles()  # while a busy computer loads the pages, polls come late
        began = len(before)
        await until("some shots are made", lambda: len(agent.cycles()) > began + 40)

        stopped_at = datetime.now(UTC)
        status, seconds = await agent.stop()

        cycles = agent.cycles()
        first = {
            name: max(b.cycle.counter for b in before if b.cycle.machine == name) + 1
            for name in plant.presses
        }
        kept = {(b.cycle.machine, b.cycle.counter) for b in cycles}
        before_stop = [
            row
            for row in read_truth(truth)
            if datetime.fromisoformat(row["time"]) < stopped_at - timedelta(seconds=0.5)
            or (row["machine"], row["counter"]) in kept
        ]
        # Where this computer is too busy to poll in time, the ledger says which shots it cost. What
        # a stop loses is never among them: nothing was seen after it that could tell of it.
        missed = unobserved(agent.runs())
        too_late = {p.name: missed[p.name] for p in fleet.press if p.protocol != "euromap77"}
        seen = [
            row
            for row in before_stop
            if row["counter"] >= first[row["machine"]]
            and row["counter"] not in too_late.get(row["machine"], ())
        ]
        later = [b for b in cycles if b.cycle.counter >= first[b.cycle.machine]]
        result = compare(later, seen, poll_s=0.05)
        counted = {
            (run.machine, counter)
            for run in agent.runs()
            for counter in range(run.first, run.last + 1)
        }
        uncounted = [
            (row["machine"], row["counter"])
            for row in before_stop
            if datetime.fromisoformat(row["time"]) > watched_at
            and (row["machine"], row["counter"]) not in counted
        ]
    assert (status, seconds < 2) == (0, True)
    assert len(seen) > 40
    assert result.wrong == []
    assert uncounted == []  # from the first sight on, also where a poll came late
    assert "Traceback" not in agent.log.read_text(encoding="utf-8")
