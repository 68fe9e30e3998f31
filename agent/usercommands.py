"""`sprue users ...` and `sprue tokens ...`: who may use the pages. Works while the agent runs."""

import argparse
import getpass
import sys
from datetime import UTC, datetime, timedelta

from agent.arguments import (
    add_author,
    add_format,
    add_record,
    author_of,
    instant,
    record_of,
    span_of_time,
)
from agent.audit import change
from agent.console import print_json, print_table
from agent.history import open_history
from agent.making import change_or_make
from agent.users.error import UserError
from agent.users.people import add_person, people, remove_person, set_password, set_role
from agent.users.roles import ROLES, SCOPES
from agent.users.tokens import ApiToken, add_token, revoke_token, tokens

USUAL_DAYS = 365


def add_users(one: argparse.ArgumentParser) -> None:
    """What follows `sprue users`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = actions.add_parser("list", help="all of them")
    add_record(each)
    add_format(each)
    each.set_defaults(command=_list)

    each = actions.add_parser("add", help="let somebody in; asks for the password")
    each.add_argument("name", metavar="NAME")
    each.add_argument("--role", choices=ROLES, default="viewer", help="default: viewer")
    _add_writing(each)
    each.set_defaults(command=_add)

    each = actions.add_parser("remove", help="let somebody in no longer")
    each.add_argument("name", metavar="NAME")
    _add_writing(each)
    each.set_defaults(command=_remove)

    each = actions.add_parser("passwd", help="another password; ends what is logged in")
    each.add_argument("name", metavar="NAME")
    _add_writing(each)
    each.set_defaults(command=_passwd)

    each = actions.add_parser("role", help="what somebody may do")
    each.add_argument("name", metavar="NAME")
    each.add_argument("role", choices=ROLES)
    _add_writing(each)
    each.set_defaults(command=_role)


def add_tokens(one: argparse.ArgumentParser) -> None:
    """What follows `sprue tokens`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = actions.add_parser("list", help="all of them; never the tokens themselves")
    add_record(each)
    add_format(each)
    each.set_defaults(command=_list_tokens)

    each = actions.add_parser("add", help="make one; it is printed once, and never again")
    each.add_argument("name", metavar="NAME", help="of what it is for; its deeds are signed so")
    each.add_argument("--scope", choices=SCOPES, default="viewer", help="default: viewer")
    end = each.add_mutually_exclusive_group()
    end.add_argument("--until", type=instant, metavar="TIME", help="ISO 8601 with an offset")
    end.add_argument(
        "--for", dest="span", type=span_of_time, default=timedelta(days=USUAL_DAYS),
        metavar="SPAN", help="8h, 90d; default: a year",
    )  # fmt: skip
    _add_writing(each)
    each.set_defaults(command=_add_token)

    each = actions.add_parser("revoke", help="end one before its time")
    each.add_argument("name", metavar="NAME")
    _add_writing(each)
    each.set_defaults(command=_revoke)


def _add_writing(one: argparse.ArgumentParser) -> None:
    add_author(one)
    add_record(one)


def _list(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        found = people(connection)
    if args.format == "json":
        print_json({"name": each.name, "role": each.role, "since": each.since} for each in found)
    else:
        rows = [
            (each.name, each.role, f"{each.since.astimezone(zone):%Y-%m-%d %H:%M}")
            for each in found
        ]
        print_table(["name", "role", "since"], rows)
    return 0


def _add(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    password = _password(f"Password of {args.name}: ")
    with change_or_make(url) as connection:
        found = add_person(connection, author_of(args), args.name, args.role, password)
    print(f"{found.name} may log in as {found.role}.")
    return 0


def _remove(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    with change(url) as connection:
        remove_person(connection, author_of(args), args.name)
        left = len(people(connection))
    print(f"{args.name} is removed, and logged out everywhere.")
    if not left:
        print("There are no users any more: only this computer may see the pages.")
    return 0


def _passwd(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    password = _password(f"New password of {args.name}: ")
    with change(url) as connection:
        set_password(connection, author_of(args), args.name, password)
    print(f"{args.name} has another password, and is logged out everywhere.")
    return 0


def _role(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    with change(url) as connection:
        found = set_role(connection, author_of(args), args.name, args.role)
    print(f"{found.name} is {found.role}.")
    return 0


def _list_tokens(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    now = datetime.now(UTC)
    with open_history(url) as history, history.connect() as connection:
        found = tokens(connection)
    if args.format == "json":
        print_json(
            {
                "name": each.name, "scope": each.scope, "state": _state(each, now),
                "made_by": each.made_by, "since": each.since, "until": each.until,
                "used_at": each.used_at, "revoked_at": each.revoked_at,
            }
            for each in found
        )  # fmt: skip
    else:
        rows = [
            (
                each.name, each.scope, _state(each, now),
                f"{each.until.astimezone(zone):%Y-%m-%d}",
                f"{each.used_at.astimezone(zone):%Y-%m-%d}" if each.used_at else "never",
                each.made_by,
            )
            for each in found
        ]  # fmt: skip
        print_table(["name", "scope", "state", "until", "last used", "made by"], rows)
    return 0


def _add_token(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    author = author_of(args)
    until = args.until or author.at + args.span
    with change_or_make(url) as connection:
        found, secret = add_token(connection, author, args.name, args.scope, until)
    print(f"{found.name}, good for {found.scope} until {found.until:%Y-%m-%d %H:%M} UTC. "
          "It is shown this once:", file=sys.stderr)  # fmt: skip
    print(secret)
    return 0


def _revoke(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    with change(url) as connection:
        revoke_token(connection, author_of(args), args.name)
    print(f"{args.name} lets nobody in any more.")
    return 0


def _state(each: ApiToken, now: datetime) -> str:
    if each.revoked_at is not None:
        return "revoked"
    return "good" if each.is_good(now) else "expired"


def _password(prompt: str) -> str:
    """From the terminal without echo, twice; or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(prompt)
    if getpass.getpass("Once more: ") != first:
        raise UserError("the two passwords differ; nothing was changed")
    return first
