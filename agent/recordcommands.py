"""`sprue status` and `sprue cycles`: what the record says, for a terminal or a program."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from agent import listing
from agent.arguments import add_filter, add_format, add_record, filter_of, record_of, whole
from agent.console import Format, print_json
from agent.context.choosing import resolved
from agent.ending import DONE
from agent.files import is_plant, main_path, trouble_of
from agent.history import open_history
from agent.openlog import long_log


def add_status(one: argparse.ArgumentParser) -> None:
    """What follows `sprue status`."""
    add_record(one)
    add_format(one)
    one.set_defaults(command=_status)


def add_cycles(one: argparse.ArgumentParser) -> None:
    """What follows `sprue cycles`."""
    one.add_argument("--limit", type=whole, default=20, metavar="N", help="0 for all")
    add_filter(one)
    add_record(one)
    add_format(one)
    one.set_defaults(command=_cycles)


def _status(args: argparse.Namespace) -> int:
    from agent.forward.commands import print_status

    now = datetime.now(UTC)
    url, ends = args.record, {}
    if not url:
        from agent.certificates import expiring
        from agent.config import load

        loaded = load(args.config)
        url, ends = loaded.record_url, expiring(loaded, now)
    with open_history(url) as history:
        listing.status(history, now, form=args.format, expiring=ends)
    if is_plant(url):
        return DONE
    _print_trouble(main_path(url), args.format)
    print_status(url, now, args.format)
    return DONE


def _print_trouble(path: Path, form: Format) -> None:
    """Why the agent can't write its record now, or will not be able to for long."""
    for words in (trouble_of(path), long_log(path)):
        if words and form == "json":
            print_json([{"record": str(path), "trouble": words}])
        elif words:
            print(f"record: {path}: {words}")


def _cycles(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history:
        with history.connect() as connection:
            wanted = resolved(connection, filter_of(args))
        listing.cycles(history, wanted, limit=args.limit, form=args.format, zone=zone)
    return DONE
