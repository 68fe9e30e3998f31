"""One trial from start to verdict, in a worker process."""

import asyncio
import logging
import tempfile
from pathlib import Path

from bench.polling import new_loop
from bench.recovery.running import Lengths, run_trial
from bench.recovery.trials import trials
from bench.recovery.verdict import Verdict, judge


def judged(number: int, seed: int) -> Verdict:
    """Run one trial, by its number in the whole list, and judge it."""
    logging.disable(logging.CRITICAL)  # what goes wrong is in the table
    trial = list(trials())[number]
    with (
        tempfile.TemporaryDirectory(prefix="sprue-recovery-") as folder,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        evidence = runner.run(run_trial(trial, Path(folder), seed=seed, lengths=Lengths()))
        return judge(evidence)
