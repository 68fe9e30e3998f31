"""The command line: its commands by name, each loaded when it is asked for and not before."""

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from typing import Any, NamedTuple

from agent.console import complain
from agent.ending import FAILED, CommandError


class Command(NamedTuple):
    """One word after `sprue`."""

    add: str
    """`module:function` that adds what follows the word to an `argparse.ArgumentParser`."""
    help: str


COMMANDS: Mapping[str, Command] = {
    "demo": Command("agent.runcommands:add_demo", "a simulated plant, the agent and its pages"),
    "run": Command("agent.runcommands:add_run", "the agent"),
    "reload": Command(
        "agent.reloadcommand:add", "the running agent takes in what has changed in its file"
    ),
    "serve": Command("agent.servecommand:add", "the pages over a plant record"),
    "check": Command("agent.checkcommand:add", "is the configuration right?"),
    "doctor": Command("agent.doctorcommand:add", "what is wrong around it, and what to do"),
    "discover": Command(
        "agent.discovercommands:add_discover", "what is at an address; prints a configuration"
    ),
    "trust": Command(
        "agent.discovercommands:add_trust", "show a machine's certificate, and pin it"
    ),
    "simulate": Command("agent.simulatecommands:add_simulate", "simulated presses alone"),
    "fault": Command(
        "agent.simulatecommands:add_fault", "break a press of a running simulator, or mend it"
    ),
    "status": Command(
        "agent.recordcommands:add_status", "machines, links, blind intervals, what was lost"
    ),
    "cycles": Command("agent.recordcommands:add_cycles", "the newest cycles"),
    "levels": Command("agent.levelscommand:add", "temperatures and flows, between shots too"),
    "anomalies": Command("agent.anomalycommands:add", "what was found, and what people say to it"),
    "watch": Command(
        "agent.watchcommands:add", "what people tell the watch: golden cycles, limits"
    ),
    "outbox": Command("agent.forward.commands:add", "what waits for sinks, and what they refused"),
    "plant": Command(
        "agent.plantrecord.commands:add", "the plant record: its agents, and whose a machine is"
    ),
    "backup": Command(
        "agent.backupcommands:add_backup", "a checked copy of the record; the agent may run"
    ),
    "restore": Command(
        "agent.backupcommands:add_restore",
        "put a backup where a record is to be; never over one",
    ),
    "verify": Command(
        "agent.verifycommand:add", "whether all is as it was written; the agent may run"
    ),
    "compact": Command(
        "agent.archive.commands:add_compact", "move cycles of closed months to Parquet files"
    ),
    "retention": Command(
        "agent.retention.commands:add_retention", "what is old enough to go, and letting it go"
    ),
    "hold": Command("agent.retention.commands:add_hold", "what must be kept, whatever its age"),
    "users": Command("agent.usercommands:add_users", "who may log in to the pages, and as what"),
    "tokens": Command("agent.usercommands:add_tokens", "by which programs are let in"),
    "molds": Command("agent.molds.commands:add", "molds: data, life, mounts, services"),
    "context": Command("agent.context.commands:add", "lots, boxes and what else no machine says"),
    "replay": Command("agent.replaycommand:add", "past cycles through assembly, ledger and watch"),
    "export": Command("agent.export.commands:add", "process records as files"),
    "sign": Command("agent.export.signcommands:add_sign", "sign an export off, by name"),
    "keys": Command("agent.export.signcommands:add_keys", "the key that signs manifests"),
    "audit": Command("agent.auditcommand:add", "who changed, exported or signed what"),
}

LISTING = ("anomalies", "context", "hold", "molds", "outbox", "tokens", "users", "watch")
"""Commands with actions, of which `list` is the one that needs not be said."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 1 failed, 2 misused."""
    args = parser().parse_args(with_action(sys.argv[1:] if argv is None else argv))
    try:
        status: int = args.command(args)
    except CommandError as error:
        complain(error)
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def with_action(argv: Sequence[str]) -> list[str]:
    """The words of a command line; a command that lists where nobody says otherwise lists.

    >>> with_action(["anomalies", "--limit", "5"])
    ['anomalies', 'list', '--limit', '5']
    """
    words = list(argv)
    if words[:1] and words[0] in LISTING:
        option = len(words) == 1 or words[1].startswith("-")
        if option and words[1:2] not in (["-h"], ["--help"]):
            words.insert(1, "list")
    return words


def parser() -> argparse.ArgumentParser:
    """The whole command line; what follows a command is known once it is parsed."""
    top = argparse.ArgumentParser(
        prog="sprue", description="Watches injection molding: one record per shot."
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=_CommandParser)
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help).add = command.add
    return top


class _CommandParser(argparse.ArgumentParser):
    """Loads the module of its command as the first word is parsed: none waits for all."""

    add: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.add:
            add, self.add = self.add, None
            _load(add)(self)
        return super().parse_known_args(args, namespace)


def _load(name: str) -> Any:
    """Load it, and look for garbage once, at the end: again and again takes a tenth more."""
    gc.disable()
    try:
        return resolve_name(name)
    finally:
        gc.enable()


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"sprue {version('sprue')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
