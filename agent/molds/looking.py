"""`sprue molds list`, `show` and `timeline`: what the record, or several of them, know of molds."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from agent.arguments import record_of
from agent.audit import Author, login_name
from agent.console import complain, harmless, print_json, print_table
from agent.files import RecordError, is_plant, main_path, reader
from agent.history import open_history, refuse_other_version
from agent.molds.desk import Desk
from agent.molds.lines import in_words, list_lines, show_line, timeline_lines
from agent.molds.plantwide import Plantwide, add_up, furthest, read_source
from agent.molds.shelf import Shelf, read_shelf, read_words


def molds(args: argparse.Namespace) -> int:
    """`list`: every mold revision, of one record or of several added."""
    if args.record and len(args.record) > 1:
        found = _plantwide(args.record)
        for remark in found.remarks:
            complain(remark)
        lines = [
            line | {"shots_by_record": found.shots.get(line["mold"] or "", {})}
            for line in list_lines(found.shelf, retired=args.all)
        ]
    else:
        lines = list(list_lines(_shelf_of(args), retired=args.all))
    if args.format == "json":
        print_json(lines)
        return 0
    columns = {
        "mold": "mold", "revision": "revision", "part": "part", "machine": "on", "shots": "shots",
        "bounds": "possible", "unobserved": "not observed", "dry": "dry",
        "planned_shots": "planned", "used": "used",
        "remaining": "left", "service": "service",
    }  # fmt: skip
    if not any(_cell("bounds", line) for line in lines):
        del columns["bounds"]
    print_table(
        [*columns.values()],
        ([_cell(key, line) for key in columns] for line in lines),
        right=("shots", "possible", "not observed", "dry", "planned", "used", "left"),
    )
    if unknown := sorted({str(line["mold"]) for line in lines if not line["registered"]}):
        names = ", ".join(harmless(name).replace("\n", " ") for name in unknown)
        print(f"Not registered: {names}. 'sprue molds add NAME' takes their data.")
    return 0


def _cell(key: str, line: dict[str, Any]) -> object:
    if key == "bounds":
        low, high = line["shots_min"], line["shots_max"]
        return f"{low} to {high}" if low < high else None
    value = line[key]
    return f"{value:.0%}" if key == "used" and value is not None else value


def one(args: argparse.Namespace) -> int:
    """`show`: all that is known of one."""
    with _reading(record_of(args)[0]) as connection:
        return _print_mold(args, connection)


def _print_mold(args: argparse.Namespace, connection: Connection) -> int:
    line = show_line(connection, args.mold, datetime.now(UTC))
    if args.format == "json":
        print_json([line])
        return 0
    zone = record_of(args)[1]
    rows: list[tuple[str, str]] = []
    for key, value in line.items():
        several = isinstance(value, list | tuple) and value and isinstance(value[0], dict)
        texts = [in_words(each, zone) for each in (value if several else [value])]
        heads = [key.replace("_", " "), *[""] * len(texts)]
        rows += [(head, text) for head, text in zip(heads, texts, strict=False) if text]
    print_table(["what", "is"], rows)
    return 0


def timeline(args: argparse.Namespace) -> int:
    """`timeline`: what sat on a machine, by whose word."""
    url, zone = record_of(args)
    with _reading(url) as connection:
        words = read_words(connection, [args.machine]).get(args.machine, [])
    lines = list(timeline_lines(words))
    if args.format == "json":
        print_json(lines)
        return 0
    heads = [
        "since",
        "until",
        "mold",
        "revision",
        "resin",
        "source",
        "who",
        "entry",
        "machine_says",
    ]
    times = ("since", "until")
    print_table(
        heads,
        (
            [line[k].astimezone(zone) if k in times and line[k] else line[k] for k in heads]
            for line in lines
        ),
    )
    return 0


def _shelf_of(args: argparse.Namespace) -> Shelf:
    """The molds of a record; none where the configuration's was not made yet."""
    if args.record:
        url = args.record[0]
    else:
        url, _zone = record_of(args)
        if not main_path(url).is_file():
            complain(f"no {main_path(url)} yet; 'sprue molds add', 'import' or 'run' makes it")
            return Shelf(molds={}, took={})
    with _reading(url) as connection:
        return read_shelf(connection)


def _plantwide(urls: Sequence[str]) -> Plantwide:
    """The molds of several records, added."""
    author = Author(who=login_name(), at=datetime.now(UTC))
    with ExitStack() as open_:
        records = {_name(url): open_.enter_context(_reading(url)) for url in urls}
        names, remarks = furthest([*records.items()])
        found = add_up(
            [
                read_source(records[name], name, Desk(records[name], author).shots_at)
                for name in names
            ]
        )
    given_twice = [f"{name} is given twice" for name in records if _paths(urls).count(name) > 1]
    return replace(found, remarks=[*given_twice, *remarks, *found.remarks])


def _paths(urls: Sequence[str]) -> list[str]:
    return [_name(url) for url in urls]


def _name(url: str) -> str:
    return url if is_plant(url) else str(main_path(url))


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    if is_plant(url):
        with open_history(url) as history, history.connect() as connection:
            yield connection
        return
    path = main_path(url)
    engine = reader(path)
    try:
        with engine.connect() as connection:
            refuse_other_version(connection, path)
            yield connection
    except DatabaseError as error:
        raise RecordError(f"record: {path}: {error.orig}") from error
    finally:
        engine.dispose()
