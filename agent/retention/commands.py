"""`sprue retention` and `sprue hold`: what is old enough to go, and what must stay all the same."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from agent.arguments import (
    ArgumentsError,
    add_author,
    add_format,
    add_record,
    author_of,
    instant,
    record_of,
)
from agent.audit import Author, change, login_name
from agent.config import load
from agent.console import print_json, print_table
from agent.ending import DONE
from agent.history import open_history
from agent.progress import progress_bar
from agent.retention.holds import Hold, holds, release
from agent.retention.holds import add_hold as set_hold
from agent.retention.keeping import Item, apply, plan


def add_retention(one: argparse.ArgumentParser) -> None:
    """What follows `sprue retention`."""
    one.add_argument("--apply", action="store_true", help="let it go; without, it is only told")
    one.add_argument("--config", type=Path, default=Path("sprue.toml"), metavar="FILE")
    add_format(one)
    one.set_defaults(command=_retention)


def add_hold(one: argparse.ArgumentParser) -> None:
    """What follows `sprue hold`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = actions.add_parser("list", help="all that ever were")
    add_record(each)
    add_format(each)
    each.set_defaults(command=_list)

    each = actions.add_parser("add", help="keep something, whatever its age")
    each.add_argument("--machine", metavar="NAME")
    each.add_argument("--mold", metavar="ID", help="that cycles count on")
    each.add_argument("--job", metavar="JOB")
    each.add_argument("--since", type=instant, metavar="TIME", help="ISO 8601 with an offset")
    each.add_argument("--until", type=instant, metavar="TIME")
    each.add_argument("--why", default="", metavar="TEXT")
    add_record(each)
    add_author(each)
    each.set_defaults(command=_add)

    each = actions.add_parser("release", help="end a hold")
    each.add_argument("number", type=int, metavar="N")
    each.add_argument("--why", default="", metavar="TEXT")
    add_record(each)
    add_author(each)
    each.set_defaults(command=_release)


def _retention(args: argparse.Namespace) -> int:
    loaded = load(args.config)
    settings, now = loaded.config.retention, datetime.now(UTC)
    url = loaded.record_url
    sinks = [sink.name for sink in loaded.config.forward]
    curve_sinks = [sink.name for sink in loaded.config.forward if sink.curves]
    items = plan(url, settings, sinks, curve_sinks, now)
    if not args.apply:
        _print(items, args.format)
        return DONE
    if settings.archive is None:
        raise ArgumentsError(
            f"{args.config}: retention.archive: missing; it should name the folder that files are "
            "copied to before they are removed, or be false where none is wanted"
        )
    archive = loaded.path.parent.absolute() / settings.archive if settings.archive else None
    going = sum(not item.stays for item in items)
    done = 0
    with progress_bar("Retention", going or None) as progress:

        def step(_what: str) -> None:
            nonlocal done
            done += 1
            progress(done)

        gone = apply(url, items, archive, Author(who=login_name(), at=now), step)
    if args.format == "json":
        print_json([{"files": len(gone), "bytes": sum(item.size for item in gone)}])
    else:
        print(f"{len(gone)} files are gone, {sum(item.size for item in gone) / 1e6:.1f} MB")
    return DONE


def _print(items: list[Item], form: str) -> None:
    if form == "json":
        print_json(
            {
                "kind": item.kind,
                "month": item.month,
                "machine": item.machine,
                "rows": item.rows,
                "bytes": item.size,
                "goes": not item.stays,
                "stays": item.stays or None,
            }
            for item in items
        )
        return
    print_table(
        ["kind", "month", "machine", "rows", "MB", "goes", "why it stays"],
        (
            [
                item.kind, item.month, item.machine, item.rows, f"{item.size / 1e6:.1f}",
                "no" if item.stays else "yes", item.stays,
            ]
            for item in items
        ),
        right=("rows", "MB"),
    )  # fmt: skip
    going = [item for item in items if not item.stays]
    print(f"{len(going)} files would go, {sum(item.size for item in going) / 1e6:.1f} MB")


def _list(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        found = list(holds(connection))
    if args.format == "json":
        print_json(
            {
                "number": each.number,
                "machine": each.machine,
                "mold": each.mold,
                "job": each.job,
                "since": each.since,
                "until": each.until,
                "who": each.who,
                "why": each.why,
                "at": each.at,
                "released_at": each.released_at,
                "released_by": each.released_by,
                "released_why": each.released_why,
            }
            for each in found
        )
        return DONE

    def when(at: datetime | None) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""

    print_table(
        ["hold", "machine", "mold", "job", "since", "until", "who", "why", "set", "released"],
        (
            [
                each.number, each.machine, each.mold, each.job, when(each.since), when(each.until),
                each.who, each.why, when(each.at),
                f"{when(each.released_at)} {each.released_by}: {each.released_why}"
                if each.released_at else "",
            ]
            for each in found
        ),
    )  # fmt: skip
    return DONE


def _add(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    hold = Hold(
        machine=args.machine, mold=args.mold, job=args.job, since=args.since, until=args.until,
        why=args.why,
    )  # fmt: skip
    with change(url) as connection:
        number = set_hold(connection, author_of(args), hold)
    print(f"hold {number} is set")
    return DONE


def _release(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    with change(url) as connection:
        release(connection, author_of(args), args.number, args.why)
    print(f"hold {args.number} is released")
    return DONE
