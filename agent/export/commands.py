"""`sprue export`: says what a selection holds and what is missing in it, then writes it."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.arguments import add_author, add_filter, add_record, author_of, filter_of, record_of
from agent.console import complain
from agent.export.coverage import Coverage
from agent.export.signature import key_path
from agent.export.survey import Survey, survey
from agent.export.writing import FORMATS, Order, export
from agent.history import open_history
from agent.place import load_place
from agent.progress import progress_bar

DONE, MISUSED = 0, 2


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue export`."""
    one.add_argument("--format", choices=FORMATS, default="csv")
    one.add_argument("--out", type=Path, default=Path(), metavar="DIR")
    one.add_argument("--dry-run", action="store_true", help="say what it would hold, and end")
    one.add_argument("--units", action="store_true", help="CSV: a second row, of units")
    one.add_argument("--curves", action="store_true", help="Parquet: the curves, too")
    one.add_argument(
        "--sign", type=Path, nargs="?", const=Path(), metavar="KEY",
        help="sign the manifest; without KEY by the one that 'sprue keys make' made",
    )  # fmt: skip
    add_filter(one)
    add_author(one)
    add_record(one)
    one.set_defaults(command=_export)


def _export(args: argparse.Namespace) -> int:
    if args.units and args.format != "csv":
        complain(f"--units is for csv; {args.format} always says its units")
        return MISUSED
    if args.curves and args.format != "parquet":
        complain(f"--curves is for parquet; {args.format} can't hold them")
        return MISUSED
    url, zone = record_of(args)
    author = author_of(args)
    with open_history(url) as opened, opened.held() as history:
        found = survey(history, filter_of(args), author.at)
        for line in sentences(found, zone):
            print(line, file=sys.stdout if args.dry_run else sys.stderr)
        if args.dry_run:
            return DONE
        order = Order(
            form=args.format,
            folder=args.out,
            zone=zone,
            author=author,
            units=args.units,
            curves=args.curves,
            key=None
            if args.sign is None
            else key_path(None if args.sign == Path() else args.sign, url),
            site="" if args.record else load_place(args.config).site.name,
        )
        with progress_bar("Exporting", found.rows) as progress:
            path = export(history, url, found, order, progress)
    print(path)
    return DONE


def sentences(found: Survey, zone: ZoneInfo) -> Iterator[str]:
    """What a selection holds, for a person: a line a machine, and the sum."""
    for each in found.coverage:
        since, until = (
            at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
            for at in (each.since, each.until)
        )
        yield f"{each.machine}: {_amounts([each])}; {since} to {until}"
    if len(found.coverage) != 1:
        yield f"together: {_amounts(found.coverage)}"


def _amounts(covered: list[Coverage] | Any) -> str:
    cycles = sum(each.cycles for each in covered)
    shots = sum(each.shots for each in covered)
    unobserved = sum(each.unobserved for each in covered)
    edges = sum(each.unobserved_at_edges for each in covered)
    minutes = sum(each.blind_s for each in covered) / 60
    more = f" and up to {edges} at its boundaries" if edges else ""
    return (
        f"{cycles} cycles recorded ({shots} shots), {unobserved} shots not observed{more}, "
        f"blind for {minutes:.1f} min"
    )
