"""`sprue watch ...`: what people tell the watch. The running agent hears it within a second."""

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.arguments import (
    add_author,
    add_format,
    add_record,
    author_of,
    instant,
    number,
    record_of,
    shots,
)
from agent.audit import change
from agent.console import Format, print_json, print_table
from agent.drift import Drift, read_drifts
from agent.files import main_path
from agent.history import open_history
from agent.watchwords import (
    Golden,
    SheetLimit,
    approve,
    carry,
    read_golden,
    read_limits,
    set_limit,
)


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue watch`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = actions.add_parser("list", help="what was approved and carried over, and by whom")
    each.add_argument("--mold", metavar="ID")
    _finish(each, _list, writes=False)

    each = actions.add_parser("approve", help="what the mold on a machine is like now is golden")
    each.add_argument("machine", metavar="MACHINE")
    each.add_argument("--shots", type=shots, metavar="FIRST-LAST", help="as these shots were")
    each.add_argument("--note", default="", metavar="TEXT")
    _finish(each, _approve)

    each = actions.add_parser("carry", help="a new revision begins as the old one is")
    each.add_argument("mold", metavar="MOLD")
    each.add_argument("old", metavar="FROM", help="revision")
    each.add_argument("new", metavar="TO", help="revision")
    each.add_argument("--machine", required=True, metavar="NAME", help="on which it was learned")
    each.add_argument("--note", default="", metavar="TEXT")
    _finish(each, _carry)

    each = actions.add_parser("drift", help="how far molds are off their golden times, by day")
    each.add_argument("--mold", metavar="ID")
    each.add_argument("--days", type=int, default=7, metavar="N", help="today and before; 7")
    _finish(each, _drift, writes=False)

    each = actions.add_parser("limits", help="the set-up sheet's limits, as they were entered")
    each.add_argument("--mold", metavar="ID")
    _finish(each, _limits, writes=False)

    each = actions.add_parser("limit", help="set a limit of a mold's set-up sheet, or lift it")
    each.add_argument("mold", metavar="MOLD")
    each.add_argument("signal", metavar="SIGNAL")
    each.add_argument("--low", type=number, metavar="NUMBER", help="in the signal's unit")
    each.add_argument("--high", type=number, metavar="NUMBER")
    each.add_argument("--lift", action="store_true", help="no limit any more")
    each.add_argument("--revision", metavar="NAME", help="default: the present one")
    each.add_argument("--since", type=instant, metavar="TIME", help="in force from then; now")
    _finish(each, _limit)


def _finish(one: argparse.ArgumentParser, command: Any, *, writes: bool = True) -> None:
    if writes:
        add_author(one)
    add_record(one)
    add_format(one)
    one.set_defaults(command=command, misuse=one.error)


def _list(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        found = read_golden(connection, args.mold)
    _print_golden(found, args.format, zone)
    return 0


def _approve(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    main_path(url)  # which a plant record has not: no watch runs over one
    with open_history(url) as history, change(url) as connection:
        found = approve(
            connection, author_of(args), args.machine, cycles=args.shots,
            history=history, words=args.note,
        )  # fmt: skip
    _print_golden([found], args.format, zone)
    return 0


def _carry(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    main_path(url)
    with change(url) as connection:
        found = carry(
            connection, author_of(args), args.machine, args.mold, args.old, args.new,
            words=args.note,
        )  # fmt: skip
    _print_golden([found], args.format, zone)
    return 0


def _drift(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history:
        found = list(read_drifts(history, datetime.now(UTC), args.days, zone, args.mold))
    _print_drifts(found, args.format)
    return 0


def _limits(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        found = read_limits(connection, args.mold)
    _print_limits(found, args.format, zone)
    return 0


def _limit(args: argparse.Namespace) -> int:
    if args.lift == (args.low is not None or args.high is not None):
        args.misuse("say --low, --high or both; or --lift alone")
    url, zone = record_of(args)
    main_path(url)
    with change(url) as connection:
        found = set_limit(
            connection, author_of(args), args.mold, args.signal, revision=args.revision,
            low=args.low, high=args.high, since=args.since,
        )  # fmt: skip
    _print_limits([found], args.format, zone)
    return 0


def _print_golden(found: Iterable[Golden], form: Format, zone: ZoneInfo) -> None:
    if form == "json":
        print_json(
            {
                "number": each.number,
                "action": each.action,
                "machine": each.machine,
                "mold": each.mold,
                "revision": each.revision,
                "from_revision": each.from_revision,
                "segment": each.cycles[0] if each.cycles else None,
                "first": each.cycles[1] if each.cycles else None,
                "last": each.cycles[2] if each.cycles else None,
                "levels": dict(each.levels),
                "curves": {
                    name: {"shots": curve["n"], "values": curve["mean"]}
                    for name, curve in each.curves.items()
                },
                "time": each.at,
                "who": each.who,
                "note": each.note,
            }
            for each in found
        )
        return
    print_table(
        ["no", "action", "machine", "mold", "from", "shots", "curves", "when", "who", "note"],
        (
            [
                each.number,
                each.action,
                each.machine,
                f"{each.mold} {each.revision}",
                each.from_revision,
                f"{each.cycles[1]} to {each.cycles[2]}" if each.cycles else "as it stood",
                len(each.curves) or None,
                each.at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
                each.who,
                each.note,
            ]
            for each in found
        ),
        right=("no", "curves"),
    )


def _print_drifts(found: Iterable[Drift], form: Format) -> None:
    if form == "json":
        print_json(
            {
                **asdict(each),
                "day": each.day.isoformat(),
                "off": round(each.off, 4),
                "percent": round(each.percent, 3),
            }
            for each in found
        )
        return
    print_table(
        ["day", "machine", "mold", "signal", "golden", "mean", "off", "%", "parts lost a shift",
         "cycles", "approved by"],
        (
            [
                each.day.isoformat(),
                each.machine,
                f"{each.mold} {each.revision}",
                each.signal,
                f"{each.golden:.2f}",
                f"{each.mean:.2f}",
                f"{each.off:+.2f}",
                f"{each.percent:+.1f}",
                None if each.parts_lost is None else f"{each.parts_lost:.0f}",
                each.cycles,
                each.approved_by or "nobody",
            ]
            for each in found
        ),
        right=("golden", "mean", "off", "%", "parts lost a shift", "cycles"),
    )  # fmt: skip


def _print_limits(found: Iterable[SheetLimit], form: Format, zone: ZoneInfo) -> None:
    if form == "json":
        print_json(
            {
                "number": each.number,
                "mold": each.mold,
                "revision": each.revision,
                "signal": each.signal,
                "low": each.low,
                "high": each.high,
                "since": each.since,
                "who": each.who,
            }
            for each in found
        )
        return
    print_table(
        ["no", "mold", "signal", "low", "high", "since", "who"],
        (
            [
                each.number,
                f"{each.mold} {each.revision}",
                each.signal,
                each.low,
                each.high if (each.low, each.high) != (None, None) else "lifted",
                each.since.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
                each.who,
            ]
            for each in found
        ),
        right=("no", "low", "high"),
    )
