"""`sprue discover` and `sprue trust`: what is at an address, and who it has to prove to be."""

import argparse
import logging
from pathlib import Path

from agent.arguments import address_range, expectation, unit_id
from agent.config import load
from agent.discover import discover
from agent.discoveropcua import Visit
from agent.ending import DONE
from agent.stopping import log_to_stderr
from agent.trust import trust
from drivers.secret import Secret
from drivers.security import POLICIES


def add_discover(one: argparse.ArgumentParser) -> None:
    """What follows `sprue discover`."""
    one.add_argument(
        "url",
        metavar="URL",
        help="opc.tcp://HOST:PORT, modbus://HOST:PORT, modbus+rtu://HOST:PORT or "
        "modbus+serial:DEVICE",
    )
    one.add_argument(
        "--expect", type=expectation, action="append", default=[], metavar="SIGNAL=NUMBER",
        help="Modbus: where does this number of the machine's screen stand? may be repeated",
    )  # fmt: skip
    one.add_argument(
        "--unit", type=unit_id, action="append", metavar="N", help="Modbus: ask this unit only"
    )
    one.add_argument(
        "--registers", type=address_range, metavar="FIRST-LAST", help="Modbus: look in these only"
    )
    one.add_argument("--out", type=Path, metavar="DIR", help="write files instead of printing")
    one.add_argument(
        "--security", choices=[*POLICIES], metavar="POLICY",
        help="OPC UA: secured by this policy; default: the best that the server offers, where it "
        "lets nobody in unsecured",
    )  # fmt: skip
    one.add_argument("--user", metavar="NAME", help="OPC UA: log in as this user, secured")
    one.add_argument(
        "--password-env", metavar="VARIABLE", help="the environment variable with the password"
    )
    one.add_argument(
        "--pki", type=Path, metavar="DIR",
        help="folder of our key and of what is pinned; default: pki, beside the configuration",
    )  # fmt: skip
    _add_pinning(one)
    one.set_defaults(command=_discover)


def add_trust(one: argparse.ArgumentParser) -> None:
    """What follows `sprue trust`."""
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--config", type=Path, default=Path("sprue.toml"), metavar="FILE")
    _add_pinning(one)
    one.set_defaults(command=_trust)


def _add_pinning(one: argparse.ArgumentParser) -> None:
    one.add_argument("--yes", action="store_true", help="pin what is shown without a question")
    one.add_argument(
        "--ignore-dates", action="store_true", help="whether it has expired does not matter"
    )


def _discover(args: argparse.Namespace) -> int:
    log_to_stderr(logging.ERROR)
    pki = args.pki or (args.out or Path()) / "pki"
    visit = Visit(
        url=args.url,
        policy=args.security,
        user=args.user,
        password=Secret(env=args.password_env) if args.password_env else None,
        pki=pki,
        yes=args.yes,
        ignore_dates=args.ignore_dates,
    )
    discover(
        visit,
        args.out,
        units=tuple(args.unit) if args.unit else None,
        registers=args.registers,
        expect=tuple(args.expect),
    )
    return DONE


def _trust(args: argparse.Namespace) -> int:
    trust(load(args.config), args.machine, yes=args.yes, ignore_dates=args.ignore_dates)
    return DONE
