"""`sprue reload`: the running agent takes in what has changed in its configuration."""

import argparse
import os
import signal
import time
from pathlib import Path

from agent.config import load
from agent.ending import DONE, CommandError
from agent.files import agent_at, main_path, reader
from agent.reloading import Told, digest_of, last_told

WAIT_S = 60.0
"""How long the agent may take; machines that it leaves are given time to say farewell."""
LOOK_S = 0.1


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue reload`."""
    one.add_argument("config", type=Path, nargs="?", default=Path("sprue.toml"), metavar="CONFIG")
    one.set_defaults(command=_reload)


def _reload(args: argparse.Namespace) -> int:
    record = main_path(load(args.config).record_url)  # what is wrong is said here, and not asked
    process = agent_at(record)
    if process is None or not hasattr(signal, "SIGHUP"):
        raise CommandError(
            f"reload: no agent that can be asked writes to {record}; 'sprue run {args.config}' "
            "starts one with what the file says now"
        )
    before, here = _told(record), args.config.absolute()
    digest = digest_of(here)
    try:
        os.kill(process, signal.SIGHUP)
    except PermissionError as error:
        raise CommandError(
            f"reload: the agent (process {process}) is another user's; ask as that user, or root"
        ) from error
    told = _answer(record, before.audit if before else 0, process, here, digest)
    if not told.taken:
        raise CommandError("\n".join(told.sentences))
    if told.path != str(here):
        print(f"The agent reads {told.path}, and not {here}:")
    print("\n".join(told.sentences))
    return DONE


def _answer(record: Path, since: int, process: int, here: Path, digest: str) -> Told:
    """What the agent says to the file as it is; not what it says to another wish before.

    Raises:
        CommandError: it says nothing.
    """
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        told = _told(record)
        if told is not None and told.audit > since and told.is_about(here, digest):
            return told
        time.sleep(LOOK_S)
    raise CommandError(
        f"reload: the agent (process {process}) has said nothing for {WAIT_S:g} s; its log may"
    )


def _told(record: Path) -> Told | None:
    engine = reader(record)
    try:
        with engine.connect() as connection:
            return last_told(connection)
    finally:
        engine.dispose()
