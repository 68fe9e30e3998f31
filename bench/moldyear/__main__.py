"""`python -m bench.moldyear`: a year of the small-batch shop, with an agent that is killed."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.moldyear.year import walk


def main(argv: Sequence[str] | None = None) -> int:
    """Walk the year and say which mold revisions came out exact, bounded or wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.moldyear", description=__doc__)
    parser.add_argument("--days", type=float, default=365.0, help="of simulated time")
    parser.add_argument("--kills", type=int, default=365, help="by SIGKILL, at random times")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shorter", type=int, default=1, help="by how much runs are cut short")
    parser.add_argument("--keep", type=Path, help="a folder to leave the record in")
    args = parser.parse_args(argv)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if args.keep is not None:
            args.keep.mkdir(parents=True, exist_ok=True)
        outcome = walk(
            args.keep or Path(folder),
            days=args.days, kills=args.kills, seed=args.seed, shorter=args.shorter,
        )  # fmt: skip
    for sentence in outcome.wrong:
        print(sentence, file=sys.stderr)
    for sentence in outcome.missed:
        print(f"{sentence}; something came and went untold", file=sys.stderr)
    shots = sum(outcome.truth.values())
    print(
        f"{outcome.days:g} days, {outcome.closings:,} closings, {shots:,} of them shots, on "
        f"{len(outcome.truth)} mold revisions; {outcome.kills} kills, {outcome.entries} late "
        f"entries: {outcome.exact} revisions exact, {len(outcome.wrong)} wrong, "
        f"{len(outcome.missed)} outside of their bounds where something came and went untold, the "
        f"others with bounds that hold the truth; bounds are {outcome.doubt:,} shots wide in all, "
        f"and the numbers {outcome.off:,} off. {time.monotonic() - began:.0f} s"
    )
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
