"""`sprue sign` and `sprue keys`: people sign exports off, and a key signs manifests."""

import argparse
import getpass
import sys
from pathlib import Path

from agent.arguments import add_author, add_record, author_of, record_of, whole
from agent.audit import change, note
from agent.ending import DONE
from agent.export.proof import KEY_MADE
from agent.export.signature import (
    NAME,
    fingerprint,
    key_path,
    make_key,
    public_key,
    public_path,
    public_pem,
)
from agent.export.signing import needs_password, prove, sign
from agent.history import open_history


def add_sign(one: argparse.ArgumentParser) -> None:
    """What follows `sprue sign`."""
    one.add_argument("file", type=Path, metavar="FILE", help="an exported file, or its manifest")
    one.add_argument("--meaning", required=True, metavar="TEXT", help="reviewed, released, ...")
    one.add_argument("--corrects", type=whole, metavar="N", help="row of the signature before")
    add_author(one)
    add_record(one)
    one.set_defaults(command=_sign)


def add_keys(one: argparse.ArgumentParser) -> None:
    """What follows `sprue keys`."""
    actions = one.add_subparsers(required=True, metavar="ACTION")
    each = actions.add_parser("make", help="make the key that signs manifests")
    _add_key(each)
    add_author(each)
    add_record(each)
    each.set_defaults(command=_make)
    each = actions.add_parser("show", help="its public half, and its fingerprint")
    _add_key(each)
    add_record(each)
    each.set_defaults(command=_show)


def _add_key(one: argparse.ArgumentParser) -> None:
    one.add_argument("--key", type=Path, metavar="FILE", help=f"default: {NAME} beside the record")


def _sign(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    digest = prove(args.file, url)
    with open_history(url) as history, history.connect() as connection:
        asks = needs_password(connection)
    password = _password(args.who) if asks else None
    with change(url) as connection:
        number = sign(
            connection, author_of(args), args.file, digest, args.meaning, password=password,
            corrects=args.corrects,
        )  # fmt: skip
    print(f"{args.file.name}: signed by {args.who}: {args.meaning} (row {number} of the audit log)")
    return DONE


def _password(who: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(f"Password of {who}: ")


def _make(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    path = key_path(args.key, url)
    with change(url) as connection:
        key = make_key(path)
        mark = fingerprint(key)
        note(connection, author_of(args), KEY_MADE, "key", mark, new={"public": public_pem(key)})
    print(f"{path}: keep it; whoever has it can sign in your name")
    print(f"{public_path(path)}: give it to those who check, and tell them: {mark}")
    return DONE


def _show(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    key = public_key(public_path(key_path(args.key, url)))
    print(public_pem(key), end="")
    print(fingerprint(key))
    return DONE
