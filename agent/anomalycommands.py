"""`sprue anomalies ...`: what was found, and what people say to it. Works while the agent runs."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection

from agent.anomalies import STATES, Deed, Wanted, act, anomalies, figures, find
from agent.anomaly import CAUSES
from agent.anomalylisting import (
    print_anomalies,
    print_anomaly,
    print_figures,
    print_mutes,
)
from agent.arguments import (
    add_author,
    add_format,
    add_record,
    author_of,
    instant,
    record_of,
    span_of_time,
    whole,
)
from agent.audit import change
from agent.history import open_history
from agent.muting import end_mute, mute_all, mute_like, mutes

DEEDS: dict[str, tuple[Deed, str]] = {
    "ack": ("ack", "say that somebody has seen to it"),
    "comment": ("comment", "add words to it"),
    "close": ("close", "say that it is over"),
}


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue anomalies`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = actions.add_parser("list", help="the newest ones")
    _add_list(each)
    each.set_defaults(command=_list)

    each = actions.add_parser("show", help="all that is known of one")
    _add_name(each)
    _add_reading(each)
    each.set_defaults(command=_show)

    for name, (deed, text) in DEEDS.items():
        each = actions.add_parser(name, help=text)
        _add_name(each)
        each.add_argument("text", nargs="?" if name != "comment" else None, default="",
                          metavar="TEXT", help="in words")  # fmt: skip
        if name == "close":
            each.add_argument("--not-a-fault", action="store_true", help="it should not have been")
        _add_writing(each)
        each.set_defaults(command=_act, deed=deed)

    each = actions.add_parser("mute", help="call nobody for it, until a time and for a reason")
    each.add_argument("anomaly", nargs="?", metavar="ANOMALY", help="and all that are like it")
    each.add_argument("--machine", metavar="NAME")
    each.add_argument("--mold", metavar="ID")
    each.add_argument("--kind", metavar="KIND[/CAUSE]")
    end = each.add_mutually_exclusive_group(required=True)
    end.add_argument("--until", type=instant, metavar="TIME", help="ISO 8601 with an offset")
    end.add_argument("--for", dest="span", type=span_of_time, metavar="SPAN", help="90m, 8h, 3d")
    each.add_argument("--reason", required=True, metavar="TEXT")
    _add_writing(each)
    each.set_defaults(command=_mute)

    each = actions.add_parser("unmute", help="end a mute before its time")
    each.add_argument("number", type=whole, metavar="NUMBER", help="as `mutes` lists it")
    _add_writing(each)
    each.set_defaults(command=_unmute)

    each = actions.add_parser("mutes", help="what is muted, and was")
    _add_reading(each)
    each.set_defaults(command=_mutes)

    each = actions.add_parser("figures", help="how often each was raised, and was no fault")
    _add_reading(each)
    each.set_defaults(command=_figures)


def _add_list(one: argparse.ArgumentParser) -> None:
    one.add_argument("--limit", type=whole, default=20, metavar="N", help="0 for all")
    one.add_argument("--machine", metavar="NAME")
    one.add_argument("--mold", metavar="ID")
    one.add_argument("--kind", type=_kind, default=(None, None), metavar="KIND[/CAUSE]")
    one.add_argument("--state", choices=[*STATES, "all"], help="default: those that are not closed")
    one.add_argument(
        "--since", type=instant, metavar="TIME", help="raised; ISO 8601 with an offset"
    )
    one.add_argument("--until", type=instant, metavar="TIME")
    _add_reading(one)


def _add_name(one: argparse.ArgumentParser) -> None:
    one.add_argument("anomaly", metavar="ANOMALY", help="number or id")


def _add_reading(one: argparse.ArgumentParser) -> None:
    add_record(one)
    add_format(one)


def _add_writing(one: argparse.ArgumentParser) -> None:
    add_author(one)
    add_record(one)
    add_format(one)


def _kind(text: str) -> tuple[str, str | None]:
    """A kind, or a kind and one of its causes."""
    kind, _, cause = text.partition("/")
    if kind not in CAUSES:
        raise argparse.ArgumentTypeError(f"{kind!r} should be one of {', '.join(CAUSES)}")
    if cause and cause not in CAUSES[kind]:
        known = ", ".join(CAUSES[kind])
        raise argparse.ArgumentTypeError(f"{kind} has no cause {cause!r}; it has {known}")
    return kind, cause or None


@contextmanager
def _reading(args: argparse.Namespace) -> Iterator[Connection]:
    url, _zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        yield connection


def _list(args: argparse.Namespace) -> int:
    states = STATES if args.state == "all" else (args.state,) if args.state else STATES[:2]
    kind, cause = args.kind
    wanted = Wanted(
        machine=args.machine, mold=args.mold, kind=kind, cause=cause, states=states,
        since=args.since, until=args.until,
    )  # fmt: skip
    with _reading(args) as connection:
        found = anomalies(connection, wanted, now=_now(), newest=args.limit or None)
    print_anomalies(found, form=args.format, zone=record_of(args)[1])
    return 0


def _show(args: argparse.Namespace) -> int:
    with _reading(args) as connection:
        found = find(connection, args.anomaly, now=_now())
    print_anomaly(found, form=args.format, zone=record_of(args)[1])
    return 0


def _act(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    deed: Deed = "not_a_fault" if getattr(args, "not_a_fault", False) else args.deed
    with change(url) as connection:
        found = act(connection, author_of(args), args.anomaly, deed, args.text)
    print_anomalies([found], form=args.format, zone=zone)
    return 0


def _mute(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    author = author_of(args)
    until = args.until or author.at + args.span
    with change(url) as connection:
        if args.anomaly is not None:
            like = find(connection, args.anomaly, now=author.at).anomaly
            found = mute_like(connection, author, like, until=until, reason=args.reason)
        else:
            kind, _, cause = (args.kind or "").partition("/")
            found = mute_all(
                connection, author, machine_name=args.machine, mold_name=args.mold,
                kind=kind or None, cause=cause or None, until=until, reason=args.reason,
            )  # fmt: skip
    print_mutes([found], form=args.format, zone=zone)
    return 0


def _unmute(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with change(url) as connection:
        found = end_mute(connection, author_of(args), args.number)
    print_mutes([found], form=args.format, zone=zone)
    return 0


def _mutes(args: argparse.Namespace) -> int:
    with _reading(args) as connection:
        found = mutes(connection)
    print_mutes(found, form=args.format, zone=record_of(args)[1])
    return 0


def _figures(args: argparse.Namespace) -> int:
    with _reading(args) as connection:
        found = figures(connection)
    print_figures(found, form=args.format)
    return 0


def _now() -> datetime:
    return datetime.now(UTC)
