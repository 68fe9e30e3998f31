"""`python -m bench.recovery`: the whole fault menu, trial by trial, and the page of it."""

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from bench.recovery.page import page, row
from bench.recovery.trials import trials
from bench.recovery.verdict import Verdict
from bench.recovery.working import judged

SIDE_BY_SIDE = 8
"""Trials at a time, each in a process of its own: they mostly wait."""
SEED = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Run trials, print each row as it comes, write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument("--fault", help="only this one")
    parser.add_argument("--protocol", help="only this one: modbus, flat or euromap77")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE)
    parser.add_argument("--out", type=Path, help="the page to write")
    args = parser.parse_args(argv)
    every = list(trials())
    try:
        wanted = [every.index(each) for each in trials(args.fault, args.protocol)]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    done: dict[int, Verdict] = {}
    with ProcessPoolExecutor(
        args.side_by_side, mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        futures = {pool.submit(judged, n, args.seed): n for n in wanted}
        for future in as_completed(futures):
            try:
                verdict = done[futures[future]] = future.result()
            except Exception as error:  # noqa: BLE001 - the others of a long run are worth having
                print(f"{every[futures[future]]}: {error!r}", file=sys.stderr)
                continue
            print(row(verdict), flush=True)
            for sentence in verdict.wrong[:5]:
                print(f"    {sentence}", flush=True)
    if args.out:
        rows = [done[n] for n in sorted(done)]
        args.out.write_text(page(rows, datetime.now(UTC), args.seed), encoding="utf-8")
    return 0 if len(done) == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
