"""What words on the command line mean; each raises `argparse.ArgumentTypeError` with a sentence.

And the arguments that many commands have in common.
"""

import argparse
import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.ending import MISUSED, CommandError

if TYPE_CHECKING:  # a command loads what it needs, not what others need
    from agent.audit import Author
    from agent.history import Filter
    from drivers.expectation import Expected


class ArgumentsError(CommandError):
    """Words that don't go together; the message says what is missing."""

    status = MISUSED


def positive(text: str) -> int:
    """A number of machines, 1 to 1000."""
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number from 1 to 1000")
    return int(text)


def whole(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number, 0 or more")
    return int(text)


def unit_id(text: str) -> int:
    """A Modbus unit id."""
    if not text.isdigit() or int(text) > 255:
        raise argparse.ArgumentTypeError(f"{text!r} should be a unit id, 0 to 255")
    return int(text)


def address_range(text: str) -> tuple[int, int]:
    """First and last register address, as `0-199`."""
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} should be like 0-199, up to 65535")
    return int(first), int(last)


def expectation(text: str) -> "Expected":
    """What a person sees on a screen, as `cooling_time_s=12.3`."""
    from drivers.expectation import expected

    try:
        return expected(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def tcp_port(text: str) -> int:
    """A TCP port; 0 for any."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} should be a port, 0 to 65535")
    return int(text)


def host_and_port(text: str) -> tuple[str, int]:
    """As `127.0.0.1:15999`."""
    host, colon, port = text.rpartition(":")
    if not host or not colon:
        raise argparse.ArgumentTypeError(f"{text!r} should be like 127.0.0.1:15999")
    return host, tcp_port(port)


def factor(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} should be a number above 0")
    return value


def number(text: str) -> float:
    """A number, of either sign."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} should be a number")
    return value


def shots(text: str) -> tuple[int, int]:
    """First and last counter, as `200-260`."""
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r} should be like 200-260")
    return int(first), int(last)


def instant(text: str) -> datetime:
    """A time in ISO 8601 with its offset, in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be like 2026-11-23T06:00+01:00"
        ) from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} lacks an offset: 2026-11-23T06:00+01:00, or Z")
    return at.astimezone(UTC)


def zone(text: str) -> ZoneInfo:
    """A time zone by its name in the IANA data."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be a time zone such as Europe/Berlin"
        ) from error


_SPAN = re.compile(r"(\d+(?:\.\d+)?)([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def span_of_time(text: str) -> timedelta:
    """As `90m`, `8h` or `3d`."""
    found = _SPAN.fullmatch(text)
    if not found or not 0 < float(found[1]) < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} should be like 90m, 8h or 3d")
    return float(found[1]) * _UNITS[found[2]]


def add_format(one: argparse.ArgumentParser) -> None:
    """For people or for programs."""
    one.add_argument("--format", choices=["table", "json"], default="table")


def add_record(one: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Which record, or which several ones; `record_of` reads the one."""
    which = one.add_mutually_exclusive_group()
    which.add_argument("--config", type=Path, default=Path("sprue.toml"), metavar="FILE")
    which.add_argument(
        "--record", metavar="URL", action="append" if several else "store",
        help="instead of the configuration's" + ("; again: added to it" if several else ""),
    )  # fmt: skip


def record_of(args: argparse.Namespace) -> tuple[str, ZoneInfo]:
    """The record that a command is about, and the zone it prints in.

    Raises:
        ConfigError: the configuration that should say so is not right.
    """
    if args.record:
        return args.record, ZoneInfo("UTC")
    from agent.place import load_place

    place = load_place(args.config)
    return place.record_url(args.config), ZoneInfo(place.site.timezone)


def add_filter(one: argparse.ArgumentParser) -> None:
    """Which cycles; `filter_of` reads it."""
    one.add_argument("--machine", metavar="NAME")
    one.add_argument("--mold", metavar="ID", help="that they count on now")
    one.add_argument("--revision", metavar="REV", help="of the mold")
    one.add_argument("--job", metavar="JOB")
    one.add_argument("--state", choices=["production", "test", "failed", "setup"])
    one.add_argument("--shots", type=shots, metavar="FIRST-LAST", help="of the machine's counter")
    one.add_argument("--segment", type=whole, metavar="N", help="of the machine's counter")
    one.add_argument("--since", type=instant, metavar="TIME", help="ISO 8601 with an offset")
    one.add_argument("--until", type=instant, metavar="TIME")
    said = one.add_mutually_exclusive_group()
    said.add_argument("--lot", metavar="LABEL", help="of the resin, as people entered it")
    said.add_argument("--box", metavar="LABEL", help="as people entered it")
    said.add_argument("--part-id", metavar="ID", help="as people entered it")


def filter_of(args: argparse.Namespace) -> "Filter":
    """Which cycles somebody asks for.

    Raises:
        ArgumentsError: counters without their machine, or a revision without its mold.
    """
    from agent.history import Filter

    if args.machine is None and (args.shots is not None or args.segment is not None):
        raise ArgumentsError("--shots and --segment are of one machine's counter: add --machine")
    if args.revision is not None and args.mold is None:
        raise ArgumentsError("--revision is of one mold: add --mold")
    return Filter(
        machine=args.machine,
        mold=args.mold,
        revision=args.revision,
        job=args.job,
        state=args.state,
        segment=args.segment,
        counters=args.shots,
        since=args.since,
        until=args.until,
        lot=args.lot,
        box=args.box,
        part_id=args.part_id,
    )


def add_author(one: argparse.ArgumentParser) -> None:
    """Who does it; `author_of` reads it."""
    from agent.audit import login_name

    one.add_argument("--who", default=login_name(), metavar="NAME", help="default: %(default)s")


def author_of(args: argparse.Namespace) -> "Author":
    """Who does it, now, from the command line."""
    from agent.audit import Author

    return Author(who=args.who, at=datetime.now(UTC))
