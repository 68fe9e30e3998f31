"""`sprue outbox ...`: what waits for sinks, what they refused, and what to do about it."""

import argparse
from datetime import UTC, datetime

from sqlalchemy import delete, select, update

from agent import schema
from agent.arguments import add_author, add_format, add_record, author_of, record_of, whole
from agent.audit import change, note
from agent.console import Format, ago, complain, print_json, print_table
from agent.forward.standing import DeadLetter, Standing, dead_letters, standings

DONE, FAILED = 0, 1
SHOWN = 20
"""Dead letters on a terminal; `--format json` has them all."""


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue outbox`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list, retry, drop")

    each = actions.add_parser("list", help="what waits, and what was refused, in the sink's words")
    each.add_argument("--sink", metavar="NAME")
    add_record(each)
    add_format(each)
    each.set_defaults(command=_list)

    for action, text in (
        ("retry", "send refused rows again; the running agent does it"),
        ("drop", "forget that rows were refused; they stay in the record"),
    ):
        each = actions.add_parser(action, help=text)
        which = each.add_mutually_exclusive_group(required=True)
        which.add_argument("id", type=whole, nargs="*", metavar="ID", default=[])
        which.add_argument("--all", action="store_true", help="every one, or every one of --sink")
        each.add_argument("--sink", metavar="NAME")
        add_author(each)
        add_record(each)
        each.set_defaults(command=_act, action=action)


def _list(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    now = datetime.now(UTC)
    letters = dead_letters(url, args.sink)
    if args.format == "json":
        print_json(_letter(letter) for letter in letters)
        return DONE
    print_sinks([each for each in standings(url) if args.sink in (None, each.name)], now)
    if not letters:
        return DONE
    print()
    print_table(
        ["id", "sink", "row", "refused", "tries", "the sink's words"],
        (
            [
                each.id,
                each.sink,
                f"{each.topic} {each.row_id}",
                f"{ago(each.at, now)} ago",
                f"{each.tries}, again soon" if each.again else each.tries,
                each.words,
            ]
            for each in letters[:SHOWN]
        ),
        right=("id",),
    )
    if len(letters) > SHOWN:
        print(f"and {len(letters) - SHOWN} more; --format json names them all")
    return DONE


def _letter(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.id,
        "sink": letter.sink,
        "topic": letter.topic,
        "row_id": letter.row_id,
        "time": letter.at,
        "tries": letter.tries,
        "again": letter.again,
        "words": letter.words,
        "body": letter.body,
    }


def _act(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    table = schema.dead_letter
    author = author_of(args)
    with change(url) as connection:
        query = select(table.c.id, table.c.sink, table.c.topic, table.c.row_id)
        if args.sink is not None:
            query = query.where(table.c.sink == args.sink)
        if not args.all:
            query = query.where(table.c.id.in_(args.id))
        found = connection.execute(query).all()
        for row in found:
            if args.action == "retry":
                connection.execute(update(table).where(table.c.id == row.id).values(again=1))
            else:
                connection.execute(delete(table).where(table.c.id == row.id))
        if found:
            old = {"rows": [[row.sink, row.topic, row.row_id] for row in found]}
            note(connection, author, args.action, "outbox", args.sink or "all sinks", old=old)
    if missing := sorted(set(args.id) - {row.id for row in found}):
        complain(
            f"no dead letter is called {', '.join(map(str, missing))}; see `sprue outbox list`"
        )
    done = "will be sent again" if args.action == "retry" else "forgotten"
    print(f"{len(found)} {done}")
    return FAILED if missing else DONE


def print_sinks(sinks: list[Standing], now: datetime) -> None:
    """A table of sinks, and a sentence for each that a person must see to."""
    print_table(
        ["sink", "kind", "waiting", "oldest", "last acknowledged", "refused", "where"],
        (
            [
                each.name,
                each.kind,
                _waiting(each),
                f"{ago(each.oldest_at, now)} ago" if each.oldest_at else "",
                f"{ago(each.acknowledged_at, now)} ago" if each.acknowledged_at else "never",
                each.letters,
                each.place,
            ]
            for each in sinks
        ),
        right=("refused",),
    )
    for each in sinks:
        if each.trouble:
            print(f"{each.name}: since {ago(each.trouble_since, now)}: {each.trouble}")
        if each.note:
            print(f"{each.name}: {each.note}")


def _waiting(sink: Standing) -> str:
    words = f"{sink.rows} rows"
    if curves := sink.waiting.get("curves"):
        words += f", curves of {curves} cycles"
    return words


def sink_lines(sinks: list[Standing]) -> list[dict[str, object]]:
    """Sinks as `sprue status --format json` prints them."""
    return [
        {
            "sink": each.name,
            "kind": each.kind,
            "place": each.place,
            "waiting": dict(each.waiting),
            "oldest_at": each.oldest_at,
            "acknowledged_at": each.acknowledged_at,
            "trouble": each.trouble,
            "trouble_since": each.trouble_since,
            "note": each.note,
            "refused": each.letters,
        }
        for each in sinks
    ]


def print_status(url: str, now: datetime, form: Format) -> None:
    """The sinks behind the machines of `sprue status`; nothing where none is configured."""
    sinks = standings(url)
    if form == "json":
        print_json(sink_lines(sinks))
    elif sinks:
        print()
        print_sinks(sinks, now)
