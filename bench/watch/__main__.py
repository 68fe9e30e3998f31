"""`python -m bench.watch`: false alarms, delays and causes of the watch, and the page of them."""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from agent.progress import progress_bar
from bench.__main__ import machine
from bench.watch import FIRST_REPORTED
from bench.watch.campaign import CleanOutcome, Results, Task, tasks, work
from bench.watch.cost import costs
from bench.watch.molded import CASES, INTERFACES
from bench.watch.page import tables

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "watch.md"
BELOW = f"seeds below {FIRST_REPORTED} are for that"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the evaluation; print its tables, or put them into the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.watch", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=1,
        help=f"first seed; from {FIRST_REPORTED} on for the page, below for tuning",
    )  # fmt: skip
    parser.add_argument("--cycles", type=int, default=30_000, help="clean ones, for each mold")
    parser.add_argument("--each", type=int, default=10, help="streams of each trouble")
    parser.add_argument("--part", help="only this part, such as 'molded faults'")
    parser.add_argument("--fault", help="only this fault of the menu")
    parser.add_argument("--interface", action="append", choices=tuple(INTERFACES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbose", action="store_true", help="say what went wrong")
    parser.add_argument("--page", action="store_true", help=f"write {PAGE.name}")
    args = parser.parse_args(argv)
    if args.page and args.seed < FIRST_REPORTED:
        parser.error(f"the page reports seeds from {FIRST_REPORTED} on")
    results = Results()
    wanted = [
        task
        for task in tasks(
            args.seed, cycles=args.cycles, each=args.each,
            interfaces=args.interface or tuple(INTERFACES),
        )
        if (args.part is None or task.part == args.part)
        and (args.fault is None or _fault(task) == args.fault)
    ]  # fmt: skip
    with (
        ProcessPoolExecutor(args.jobs, mp_context=multiprocessing.get_context("spawn")) as pool,
        progress_bar("Watching", len(wanted)) as progress,
    ):
        futures = [pool.submit(work, task) for task in wanted]
        for n, future in enumerate(as_completed(futures), 1):
            outcome = future.result()
            if isinstance(outcome, CleanOutcome):
                results.clean.append(outcome)
            else:
                results.faults.append(outcome)
            progress(n)
    results.faults.sort(key=lambda each: (each.task.case, each.task.seed, each.task.interface))
    if args.verbose:
        for each in results.faults:
            if each.verdict.judged in ("wrong", "missed"):
                print(f"{each.verdict.stream} (seed {each.task.seed}): {each.verdict.judged}, "
                      f"said {each.verdict.said}", file=sys.stderr)  # fmt: skip
    found = tables(results, costs() if args.part is None and args.fault is None else ())
    if not args.page:
        print(found)
        return 0
    command = f"python -m bench.watch --page --seed {args.seed}"
    command += f" --cycles {args.cycles} --each {args.each}"
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, foot = rest.partition(END)
    seeds = (
        f"`{command}`: seeds {args.seed} to {args.seed + args.each - 1}, on which nothing was ever "
        f"tuned ({BELOW}). Costs: {machine()}."
    )
    PAGE.write_text(f"{head}{BEGIN}\n\n{seeds}\n\n{found}\n{END}{foot}", encoding="utf-8")
    return 0


def _fault(task: Task) -> str | None:
    return CASES[task.case].fault if task.part == "molded faults" else None


if __name__ == "__main__":
    sys.exit(main())
