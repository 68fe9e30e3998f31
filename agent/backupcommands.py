"""`sprue backup` and `sprue restore`: copies of a record, made while the agent runs."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from agent.arguments import add_record, record_of
from agent.backup import back_up, restore
from agent.files import main_path

DONE = 0


def add_backup(one: argparse.ArgumentParser) -> None:
    """What follows `sprue backup`."""
    one.add_argument("--out", type=Path, metavar="DIR", help="default: backups beside the record")
    add_record(one)
    one.set_defaults(command=_backup)


def add_restore(one: argparse.ArgumentParser) -> None:
    """What follows `sprue restore`."""
    one.add_argument("backup", type=Path, metavar="DIR", help="the backup's folder")
    add_record(one)
    one.set_defaults(command=_restore)


def _backup(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    out = args.out or main_path(url).parent / "backups"
    console = Console(stderr=True)
    with console.status("") as shown:
        folder = back_up(url, out, datetime.now(UTC), shown.update)
    print(folder)
    return DONE


def _restore(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    console = Console(stderr=True)
    with console.status("") as shown:
        manifest = restore(args.backup, url, shown.update)
    print(f"{main_path(url)}: {manifest.cycles} cycles, as of {manifest.made_at}")
    return DONE
