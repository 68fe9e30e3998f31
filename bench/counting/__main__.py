"""`python -m bench.counting`: random scripts of what counters do, held against their truth."""

import argparse
import sys
import time
from collections.abc import Sequence

from bench.counting.script import Writer
from bench.counting.verdict import Verdict, judge, tally

SHOWN = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Write scripts, walk them, and say how many came out exact, bounded or wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.counting", description=__doc__)
    parser.add_argument("--scripts", type=int, default=10_000, help="how many (default 10,000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    parser.add_argument("--only", help="events that may happen, separated by commas")
    args = parser.parse_args(argv)
    only = tuple(args.only.split(",")) if args.only else None
    began = time.process_time()
    verdicts: list[Verdict] = []
    for seed in range(args.seed, args.seed + args.scripts):
        verdict = judge(Writer(seed, only).write())
        verdicts.append(verdict)
        for sentence in (*verdict.wrong, *verdict.wide):
            print(f"script {seed}: {sentence}; {', '.join(verdict.script.did)}", file=sys.stderr)
    found = tally(verdicts)
    told = sum(len(each.script.reports) for each in verdicts)
    clear = sum(each.script.is_clear for each in verdicts)
    print(
        f"{len(verdicts):,} scripts, {told:,} reports: {found['exact']:,} exact, "
        f"{found['bounded']:,} bounded, {found['wrong']:,} wrong, {found['too wide']:,} with "
        f"bounds wider than the doubt; in {clear:,} nothing was in doubt. "
        f"{time.process_time() - began:.0f} s of processor time"
    )
    return 1 if found["wrong"] or found["too wide"] else 0


if __name__ == "__main__":
    sys.exit(main())
