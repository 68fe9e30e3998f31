"""`sprue levels MACHINE`: temperatures, flows and what else holds, between shots too."""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agent.arguments import add_record, instant, record_of
from agent.console import print_json, print_table
from agent.ending import DONE, FAILED
from agent.files import main_path

if TYPE_CHECKING:
    from agent.cycle import Curve

USUAL = timedelta(hours=8)
LISTED_MOST = 50
"""Rows of a table, the newest; programs get all."""


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue levels`."""
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--since", type=instant, metavar="TIME", help="default: eight hours ago")
    one.add_argument("--until", type=instant, metavar="TIME", help="default: now")
    one.add_argument(
        "--signal", action="append", metavar="NAME", help="only this one; may be said again"
    )
    one.add_argument("--format", choices=["table", "json", "csv"], default="table")
    add_record(one)
    one.set_defaults(command=_levels)


def _levels(args: argparse.Namespace) -> int:
    from agent.slowpast import slow_past  # with numpy

    url, zone = record_of(args)
    until = args.until or datetime.now(UTC)
    since = args.since or until - USUAL
    found = slow_past(main_path(url), args.machine, since, until)
    if args.signal:
        found = {name: curve for name, curve in found.items() if name in args.signal}
    if not found:
        print(f"sprue: nothing was kept of {args.machine} in that time", file=sys.stderr)
        return FAILED
    rows = _rows(found)
    if args.format == "json":
        print_json({"time": at, "machine": args.machine, "values": row} for at, row in rows)
    elif args.format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["time", "machine", *found])
        for at, row in rows:
            writer.writerow(
                [
                    at.isoformat(timespec="microseconds"),
                    args.machine,
                    *(row.get(name, "") for name in found),
                ]
            )
    else:
        shown = list(rows)[-LISTED_MOST:]
        print_table(
            ["time", *found],
            [
                (f"{at.astimezone(zone):%m-%d %H:%M:%S}", *(row.get(name) for name in found))
                for at, row in shown
            ],
            right=list(found),
        )
    return DONE


def _rows(found: "Mapping[str, Curve]") -> Iterator[tuple[datetime, dict[str, float]]]:
    """What was seen at each instant, oldest first."""
    rows: dict[datetime, dict[str, float]] = {}
    for name, curve in found.items():
        # With no more digits than they have in the record.
        exact = (
            (round(value, 6) for value in curve.values.tolist())
            if curve.resolution
            else (float(str(value)) for value in curve.values.astype("float32"))
        )
        for t_s, value in zip(curve.t_s.tolist(), exact, strict=True):
            at = curve.started_at + timedelta(seconds=t_s)
            rows.setdefault(at, {})[name] = value
    yield from sorted(rows.items(), key=lambda each: each[0])
