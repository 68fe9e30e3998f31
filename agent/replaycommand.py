"""`sprue replay`: past cycles through assembly, ledger and watch, and what these make of them."""

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.arguments import zone
from agent.console import complain
from agent.ending import DONE, FAILED, MISUSED
from agent.progress import progress_bar
from agent.replay import Printer, Replay, print_sums, replay_file, replay_record


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue replay`."""
    one.add_argument(
        "file", metavar="FILE", help="CSV or JSON lines, an export say; or a record's URL"
    )
    one.add_argument(
        "--ledger", action="store_true", help="what every mold revision took, at the end"
    )
    one.add_argument("--all", action="store_true", help="changes of state of anomalies too")
    one.add_argument("--together", action="store_true", help="look at all signals together too")
    one.add_argument(
        "--fail-on-anomaly", action="store_true", help="exit with 1 where there is any"
    )
    one.add_argument("--machine", metavar="NAME", help="of rows that name none")
    one.add_argument(
        "--zone", type=zone, default=ZoneInfo("UTC"), metavar="NAME",
        help="of times without an offset, such as Europe/Berlin; default UTC",
    )  # fmt: skip
    one.set_defaults(command=_replay)


def _replay(args: argparse.Namespace) -> int:
    replay, printer = Replay(together=args.together), Printer(every=args.all)
    if args.file.startswith("sqlite:"):
        if args.ledger:
            complain("of a record, 'sprue molds list' says what every mold revision took")
            return MISUSED
        with progress_bar("Replaying", 1000) as progress:
            for anomalies in replay_record(args.file, together=args.together, progress=progress):
                printer.take(anomalies)
        return FAILED if args.fail_on_anomaly and printer.opened else DONE
    with progress_bar("Replaying", 1000) as progress:
        for outcome in replay_file(
            Path(args.file),
            replay,
            zone=args.zone,
            machine=args.machine,
            complain=complain,
            progress=progress,
        ):
            if outcome.anomalies and not args.ledger:
                printer.take(outcome.anomalies)
    if args.ledger:
        print_sums(replay.sums)
    return FAILED if args.fail_on_anomaly and printer.opened else DONE
