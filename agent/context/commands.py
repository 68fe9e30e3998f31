"""`sprue context ...`: lots, boxes, part numbers and what else no machine says of its shots."""

import argparse
from pathlib import Path
from typing import Any

from agent.arguments import (
    add_author,
    add_format,
    add_record,
    author_of,
    instant,
    record_of,
    shots,
    whole,
)
from agent.audit import change
from agent.console import print_json, print_table
from agent.context.book import Book, read_entries
from agent.context.entry import KINDS, Entry, Said
from agent.context.error import ContextError
from agent.context.importing import import_entries
from agent.ending import DONE
from agent.history import open_history


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue context`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = actions.add_parser("list", help="what was entered")
    each.add_argument("--kind", choices=KINDS)
    each.add_argument("--label", metavar="TEXT")
    each.add_argument("--machine", metavar="NAME")
    each.add_argument("--mold", metavar="ID")
    each.add_argument("--all", action="store_true", help="also what was corrected or withdrawn")
    add_record(each)
    add_format(each)
    each.set_defaults(command=_list)

    each = actions.add_parser("add", help="enter a lot, a box, ...")
    each.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    each.add_argument("label", metavar="LABEL")
    each.add_argument("--machine", metavar="NAME")
    each.add_argument("--shots", type=shots, metavar="FIRST-LAST", help="of the machine's counter")
    each.add_argument("--from-shot", type=whole, metavar="N", help="until the next of its kind")
    each.add_argument("--segment", type=whole, metavar="N", help="default: the newest that fits")
    each.add_argument("--since", type=instant, metavar="TIME", help="ISO 8601 with an offset")
    each.add_argument("--until", type=instant, metavar="TIME")
    each.add_argument("--mold", metavar="ID", help="of part and sheet")
    each.add_argument("--revision", metavar="REV", help="of the mold; default: the present one")
    each.add_argument(
        "--with", dest="details", type=_detail, action="append", default=[], metavar="NAME=TEXT",
        help="; ".join(f"{kind.name}: {', '.join(kind.details)}" for kind in KINDS.values()),
    )  # fmt: skip
    each.add_argument("--corrects", type=whole, metavar="N", help="in whose place this one is")
    _add_writing(each)
    each.set_defaults(command=_add)

    each = actions.add_parser("withdraw", help="take an entry back; it stays to be read")
    each.add_argument("number", type=whole, metavar="N")
    each.add_argument("--why", required=True, metavar="TEXT")
    _add_writing(each)
    each.set_defaults(command=_withdraw)

    each = actions.add_parser("import", help="enter a list, CSV: all of it or nothing")
    each.add_argument("file", type=Path, metavar="FILE")
    each.add_argument("--kind", choices=KINDS, help="of rows that don't say theirs")
    each.add_argument("--dry-run", action="store_true", help="say what would be entered, and end")
    _add_writing(each)
    each.set_defaults(command=_import)


def _add_writing(one: argparse.ArgumentParser) -> None:
    add_author(one)
    add_record(one)


def _detail(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} should be like resin=ABS")
    return name, value


def _list(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        found = read_entries(
            connection,
            kinds=[args.kind] if args.kind else (),
            label=args.label,
            machine_name=args.machine,
            mold_name=args.mold,
            every=args.all,
        )
    if args.format == "json":
        print_json(each.to_json() for each in found)
        return DONE
    _print(found, zone)
    return DONE


def _print(found: list[Entry], zone: Any) -> None:
    def time(at: Any) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""

    rows = [
        (
            each.number, each.kind, each.label,
            each.machine or f"{each.mold} {each.revision}",
            _shots(each), time(each.since), time(each.until),
            ", ".join(f"{name}: {text}" for name, text in each.details.items()),
            _fate(each), each.who,
        )
        for each in found
    ]  # fmt: skip
    heads = ["no", "kind", "label", "of", "shots", "since", "until", "details", "", "by"]
    print_table(heads, rows, right=["no"])


def _shots(each: Entry) -> str:
    if each.first is None:
        return ""
    last = "..." if each.last is None else each.last
    return f"{each.first} to {last} (segment {each.segment})"


def _fate(each: Entry) -> str:
    if each.corrects is None:
        return ""
    return f"{'withdraws' if each.withdrawn else 'corrects'} {each.corrects}"


def _add(args: argparse.Namespace) -> int:
    if args.shots and args.from_shot is not None:
        raise ContextError("--shots says the first shot already: leave --from-shot out")
    first, last = args.shots or (args.from_shot, None)
    said = Said(
        kind=args.kind,
        label=args.label,
        machine=args.machine,
        mold=args.mold,
        revision=args.revision,
        segment=args.segment,
        first=first,
        last=last,
        since=args.since,
        until=args.until,
        details=dict(args.details),
    )
    url, zone = record_of(args)
    with change(url) as connection:
        entry = Book(connection, author_of(args)).enter(said, corrects=args.corrects)
    _print([entry], zone)
    return DONE


def _withdraw(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with change(url) as connection:
        entry = Book(connection, author_of(args)).withdraw(args.number, args.why)
    _print([entry], zone)
    return DONE


class _DryRunError(Exception):
    """Nothing is to be kept."""


def _import(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    found: list[Entry] = []
    try:
        with change(url) as connection:
            book = Book(connection, author_of(args))
            found = import_entries(book, args.file, zone, args.kind)
            if args.dry_run:
                raise _DryRunError
    except _DryRunError:
        _print(found, zone)
        print(f"{len(found)} entries would be made; nothing was written")
        return DONE
    print(f"{len(found)} entries were made")
    return DONE
