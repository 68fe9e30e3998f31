"""`python -m bench.moldyear`: a year of the small-batch shop, with an agent that is killed."""

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.moldyear.outages import DAY_S, KINDS
from bench.moldyear.shop import moment
from bench.moldyear.year import RECORD, Missed, Outcome, Year, resumed, tally

EVERY_DAYS = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Walk the year and say which mold revisions came out exact, bounded or wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.moldyear", description=__doc__)
    parser.add_argument("--days", type=float, default=365.0, help="of simulated time")
    parser.add_argument("--kills", type=int, default=365, help="by SIGKILL, at random times")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shorter", type=int, default=1, help="by how much runs are cut short")
    parser.add_argument(
        "--outages",
        default="",
        help=f"only of these kinds, with commas: {', '.join(each.word for each in KINDS)}",
    )
    parser.add_argument(
        "--keep", type=Path, help="a folder for the record, the list of outages and checkpoints"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in that folder"
    )
    args = parser.parse_args(argv)
    if args.resume and args.keep is None:
        parser.error("--resume needs --keep, the folder with the checkpoint")
    if args.keep is not None and not args.resume and (args.keep / RECORD).exists():
        parser.error(f"{args.keep} has a record already; choose another folder, or --resume")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if args.resume:
            year = resumed(folder)
        else:
            kinds = tuple(filter(None, args.outages.split(",")))
            year = Year.begin(
                days=args.days, kills=args.kills, seed=args.seed, shorter=args.shorter, kinds=kinds
            )
        every_s = EVERY_DAYS * DAY_S if args.keep else 0.0
        outcome = year.walk(folder, every_s, lambda line: print(line, file=sys.stderr, flush=True))
        if args.keep:
            write_outages(folder / "outages.csv", outcome.missed)
    for sentence in outcome.wrong:
        print(sentence, file=sys.stderr)
    print(told(outcome), f"{time.monotonic() - began:.0f} s")
    return 1 if outcome.wrong else 0


def told(outcome: Outcome) -> str:
    """What came of it, for a person."""
    shots, wrong = sum(outcome.truth.values()), len(outcome.wrong)
    kinds = tally(outcome.missed)
    lengths = ", ".join(f"{kinds[each.word]} of {each.word}" for each in KINDS)
    closings = sum(each.closings for each in outcome.missed)
    changes = sum(each.mounts for each in outcome.missed)
    return (
        f"{outcome.days:g} days, {outcome.closings:,} closings, {shots:,} of them shots, on "
        f"{len(outcome.truth)} mold revisions. {outcome.kills} kills ({lengths}), which hid "
        f"{closings:,} closings and {changes} mold changes; {outcome.entries} late entries. "
        f"{outcome.exact} revisions exact, "
        f"{len(outcome.truth) - outcome.exact - wrong} with bounds that hold the truth, {wrong} "
        f"wrong; on {len(outcome.clear)} nothing but closings was missed, and never for hours. "
        f"Bounds are {outcome.doubt:,} shots wide in all, the numbers {outcome.off:,} off."
    )


def write_outages(path: Path, missed: Sequence[Missed]) -> None:
    """One line an outage."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["killed", "away_s", "kind", "closings", "mold_changes", "disturbed"])
        for each in missed:
            away_s = each.outage.up_s - each.outage.at_s
            rows.writerow(
                [
                    moment(each.outage.at_s).isoformat(timespec="seconds"),
                    f"{away_s:.0f}",
                    each.outage.kind,
                    each.closings,
                    each.mounts,
                    each.disturbed,
                ]
            )


if __name__ == "__main__":
    sys.exit(main())
