"""SIGTERM under load: an ordinary end, at once, with everything that was seen on the disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import an_agent, compare, read_truth, until, until_all_seen


async def test_sigterm_under_load_leaves_everything_seen_on_the_disk(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    async with (
        open_plant(load("six"), speed=60, seed=9, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await agent.start()
        await until_all_seen(agent, plant)
        await until("the pages are up", lambda: "Sprue: http" in agent.log.read_text())
        before = agent.cycles()  # while a busy computer loads the pages, polls come late
        began = len(before)
        await until("some shots are made", lambda: len(agent.cycles()) > began + 40)

        stopped_at = datetime.now(UTC)
        status, seconds = await agent.stop()

        cycles = agent.cycles()
        first = {
            name: max((b.cycle.counter for b in before if b.cycle.machine == name), default=0) + 1
            for name in plant.presses
        }
        kept = {(b.cycle.machine, b.cycle.counter) for b in cycles}
        seen = [
            row
            for row in read_truth(truth)
            if row["counter"] >= first[row["machine"]]
            and (
                datetime.fromisoformat(row["time"]) < stopped_at - timedelta(seconds=0.5)
                or (row["machine"], row["counter"]) in kept
            )
        ]
        later = [b for b in cycles if b.cycle.counter >= first[b.cycle.machine]]
        result = compare(later, seen, poll_s=0.05)
    assert (status, seconds < 2) == (0, True)
    assert len(seen) > 40
    assert result.wrong == []
    assert "Traceback" not in agent.log.read_text(encoding="utf-8")
