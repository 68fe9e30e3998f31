"""`sprue compact`: move cycles of closed months to Parquet files; the agent may run."""

import argparse
from datetime import UTC, datetime, timedelta

from agent.archive.compacting import Plan, compact, end_of_closed, plan
from agent.arguments import ArgumentsError, add_format, add_record, record_of, span_of_time
from agent.audit import Author, login_name
from agent.console import print_json, print_table
from agent.ending import DONE
from agent.place import load_place
from agent.progress import progress_bar


def add_compact(one: argparse.ArgumentParser) -> None:
    """What follows `sprue compact`."""
    one.add_argument("--dry-run", action="store_true", help="say what would be moved, no more")
    one.add_argument(
        "--after", type=span_of_time, metavar="SPAN",
        help="since when a month must have ended, as 90d; default: history.move_after_days",
    )  # fmt: skip
    add_record(one)
    add_format(one)
    one.set_defaults(command=_compact)


def _compact(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    now = datetime.now(UTC)
    before = end_of_closed(now, _after(args))
    found = plan(url, before)
    if args.dry_run:
        _print(found, args.format)
        return DONE
    with progress_bar("Moving cycles", found.cycles or None) as progress:
        moved = compact(url, before, Author(who=login_name(), at=now), progress)
    if args.format == "json":
        print_json([{"moved": moved, "waiting": found.waiting}])
    else:
        print(f"{moved} cycles from before {before:%Y-%m-%d} UTC are in Parquet files now")
        _print_waiting(found)
    return DONE


def _after(args: argparse.Namespace) -> timedelta:
    if args.after is not None:
        after: timedelta = args.after
        return after
    days = None if args.record else load_place(args.config).history.move_after_days
    if days is None:
        raise ArgumentsError(
            "nothing says which months may move: set history.move_after_days in the configuration, "
            "or add --after 90d"
        )
    return timedelta(days=days)


def _print(found: Plan, form: str) -> None:
    if form == "json":
        print_json(
            {"month": each.month, "machine": each.machine, "cycles": each.cycles}
            for each in found.closed
        )
        return
    print_table(
        ["month", "machine", "cycles"],
        ([each.month, each.machine, each.cycles] for each in found.closed),
        right=("cycles",),
    )
    print(f"{found.cycles} cycles would be moved")
    _print_waiting(found)


def _print_waiting(found: Plan) -> None:
    if found.waiting:
        print(f"{found.waiting} more stay until every sink has been told of them")
