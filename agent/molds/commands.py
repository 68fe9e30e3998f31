"""`sprue molds ...`: what molds are, where they sat, what they took, what was done to them."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from agent.arguments import (
    add_author,
    add_format,
    add_record,
    author_of,
    instant,
    record_of,
    whole,
)
from agent.audit import Author, change, login_name
from agent.batch import MachineRow
from agent.console import complain, harmless, print_json, print_table
from agent.files import RecordError, is_plant, main_path, reader
from agent.history import open_history, refuse_other_version
from agent.making import change_or_make
from agent.molds.defaults import offer
from agent.molds.desk import Desk, MoldError
from agent.molds.importing import import_molds
from agent.molds.lines import in_words, list_lines, show_line, timeline_lines
from agent.molds.mold import COMPONENTS
from agent.molds.plantwide import Plantwide, add_up, furthest, read_source
from agent.molds.resin import family
from agent.molds.servicelog import CHECKLISTS, KINDS, Service
from agent.molds.shelf import Shelf, read_shelf, read_words

FIELDS: Sequence[tuple[str, type, str]] = (
    ("part", str, "what it makes"),
    ("description", str, ""),
    ("alloy", str, "7075-T6, QC-10, P20, H13, steel, other"),
    ("resin", str, "that it usually takes"),
    ("cavities", int, ""),
    ("planned-shots", int, "life of the inserts, in any resin that has no plan of its own"),
    ("base-shots", int, "life of the base"),
    ("expected-cycle-s", float, ""),
    ("wall-mm", float, "of the part, at its thickest"),
    ("owner", str, "the customer's ownership mark"),
    ("location", str, "where it is when it is on no machine"),
)


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue molds`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = _action(actions, "list", _list, "every mold revision: shots, life", several=True)
    each.add_argument("--all", action="store_true", help="retired ones too")
    each = _action(actions, "show", _show, "all that is known of one", writes=False, mold=True)
    each = _action(actions, "timeline", _timeline, "what sat on a machine", writes=False)
    each.add_argument("machine", metavar="MACHINE")

    for name, call, text in (("add", _add, "register one"), ("edit", _edit, "change its data")):
        each = _action(actions, name, call, text, mold=True)
        for field, kind, what in FIELDS:
            each.add_argument(f"--{field}", type=kind, help=what or None, metavar=field.upper())
        each.add_argument("--link", action="append", metavar="URL", help="a document")
        if name == "add":
            each.add_argument("--revision", default="A", metavar="NAME")

    each = _action(actions, "plan", _plan, "what it should last, when it wants care", mold=True)
    each.add_argument(
        "--life", action="append", type=_life, metavar="RESIN=SHOTS", help="or FAMILY=, any="
    )
    each.add_argument(
        "--service", action="append", type=_rule, metavar="LEVEL=SHOTS[,DAYSd]", help="4=5000,180d"
    )
    each.add_argument("--defaults", action="store_true", help="take the estimates for its alloy")

    each = _action(actions, "mount", _mount, "say what sits on a machine")
    each.add_argument("machine", metavar="MACHINE")
    each.add_argument("mold", metavar="MOLD")
    each.add_argument("--revision", metavar="NAME", help="default: the one it had at the time")
    each.add_argument("--resin", metavar="NAME")
    each.add_argument("--cavities-open", type=whole, metavar="N")
    _add_since(each)
    each = _action(actions, "unmount", _unmount, "say that a machine has no mold")
    each.add_argument("machine", metavar="MACHINE")
    _add_since(each)
    each = _action(actions, "withdraw", _withdraw, "take back a mount that was a mistake")
    each.add_argument("entry", type=whole, metavar="NUMBER", help="as `timeline` lists it")
    each.add_argument("--reason", required=True, metavar="TEXT")

    each = _action(actions, "revise", _revise, "begin a revision: a re-cut", mold=True)
    each.add_argument("--revision", metavar="NAME", help="default: the next letter or number")
    each.add_argument(
        "--restarts", choices=[*COMPONENTS, "both", "none"], default="inserts",
        help="whose life begins anew; default: %(default)s",
    )  # fmt: skip
    _add_since(each)

    each = _action(actions, "service", _service, "write into its service log", mold=True)
    each.add_argument("what", nargs="?", default="", metavar="TEXT", help="what was done")
    each.add_argument("--kind", choices=KINDS, default="service")
    each.add_argument("--level", type=whole, metavar="1-5")
    each.add_argument("--at", type=instant, metavar="TIME", help="default: now")
    each.add_argument("--done-by", default="", metavar="NAME")
    each.add_argument("--shots", type=whole, metavar="N", help="default: as counted at that time")
    for name in ("defect", "cavity", "action", "replaced"):
        each.add_argument(f"--{name}", metavar="TEXT")
    each.add_argument("--hours", type=float, metavar="H")
    each.add_argument("--cost", type=float, metavar="MONEY")
    each.add_argument("--link", action="append", default=[], metavar="URL")
    each.add_argument("--done", action="append", default=[], metavar="POINT", help="of a checklist")
    each.add_argument("--corrects", type=whole, metavar="NUMBER", help="replaces that entry")

    each = _action(actions, "correct", _correct, "add a signed row to its count", mold=True)
    each.add_argument("shots", type=int, metavar="SHOTS", help="to add; `-- -20` takes away")
    each.add_argument("--reason", required=True, metavar="TEXT")
    each.add_argument("--revision", metavar="NAME")
    each.add_argument("--resin", metavar="NAME")
    each.add_argument("--start", action="store_true", help="taken before Sprue counted")

    each = _action(actions, "retire", _retire, "take it out of lists and alerts", mold=True)
    each.add_argument("--back", action="store_true", help="take it back")
    each.add_argument("--reason", default="", metavar="TEXT")

    each = _action(actions, "import", _import, "a mold list in CSV, with its present counts")
    each.add_argument("file", type=Path, metavar="FILE")
    each.add_argument("--dry-run", action="store_true", help="check, and write nothing")


def _action(
    actions: Any,
    name: str,
    call: Any,
    text: str,
    *,
    writes: bool = True,
    mold: bool = False,
    several: bool = False,
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = actions.add_parser(name, help=text)
    if mold:
        one.add_argument("mold", metavar="MOLD")
    if writes and not several:
        add_author(one)
    add_record(one, several=several)
    add_format(one)
    one.set_defaults(command=call)
    return one


def _add_since(one: argparse.ArgumentParser) -> None:
    one.add_argument("--since", type=instant, metavar="TIME", help="default: now")
    one.add_argument("--reason", default="", metavar="TEXT")


def _life(text: str) -> tuple[str, int]:
    resin, equals, shots = text.partition("=")
    if not equals or not shots.isdigit() or not int(shots):
        raise argparse.ArgumentTypeError(f"{text!r} should be like PA66-GF30=5000 or abs=40000")
    return resin, int(shots)


def _rule(text: str) -> dict[str, float | int]:
    level, _, rest = text.partition("=")
    rule: dict[str, float | int] = {}
    try:
        rule["level"] = int(level)
        for word in rest.split(","):
            if word.endswith("d"):
                rule["days"] = float(word[:-1])
            else:
                rule["shots"] = int(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be like 4=5000, 4=5000,180d or 5=365d"
        ) from error
    return rule


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


@contextmanager
def _desk(args: argparse.Namespace) -> Iterator[Desk]:
    with change(record_of(args)[0]) as connection:
        yield Desk(connection, author_of(args))


def _new(args: argparse.Namespace) -> tuple[str, list[MachineRow]]:
    """The record, and the machines that it begins with where nobody has made it yet."""
    if args.record:
        return record_of(args)[0], []
    from agent.config import load  # knows every driver: most commands need none

    loaded = load(args.config)
    return loaded.record_url, loaded.machine_rows


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


def _list(args: argparse.Namespace) -> int:
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
        "unobserved": "not observed", "dry": "dry", "planned_shots": "planned", "used": "used",
        "remaining": "left", "service": "service",
    }  # fmt: skip
    print_table(
        [*columns.values()],
        ([_cell(key, line) for key in columns] for line in lines),
        right=("shots", "not observed", "dry", "planned", "used", "left"),
    )
    if unknown := sorted({str(line["mold"]) for line in lines if not line["registered"]}):
        names = ", ".join(harmless(name).replace("\n", " ") for name in unknown)
        print(f"Not registered: {names}. 'sprue molds add NAME' takes their data.")
    return 0


def _cell(key: str, line: dict[str, Any]) -> object:
    value = line[key]
    return f"{value:.0%}" if key == "used" and value is not None else value


def _show(args: argparse.Namespace) -> int:
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


def _timeline(args: argparse.Namespace) -> int:
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


def _said(args: argparse.Namespace) -> dict[str, Any]:
    names = [name.replace("-", "_") for name, _kind, _text in FIELDS]
    said = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    said = {name: None if value == "" else value for name, value in said.items()}
    return said | ({"links": args.link} if args.link else {})


def _done(args: argparse.Namespace, sentence: str, **line: Any) -> int:
    if args.format == "json":
        print_json([line])
    else:
        print(sentence)
    return 0


def _add(args: argparse.Namespace) -> int:
    with change_or_make(*_new(args)) as connection:
        mold = Desk(connection, author_of(args)).add(args.mold, _said(args), revision=args.revision)
    return _done(args, f"{mold.name} {mold.revision} is registered.", mold=mold.name)


def _edit(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        mold = desk.edit(args.mold, _said(args))
    return _done(args, f"{mold.name} is changed.", mold=mold.name)


def _plan(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        mold = desk.mold(args.mold)
        fields: dict[str, Any] = {}
        if args.defaults:
            offered = offer(mold.alloy, family(mold.resin))
            if offered is None:
                raise MoldError(f"{mold.name}: nothing is known of alloy {mold.alloy}; say --life")
            rules = [{"level": r.level, "shots": r.shots, "what": r.what} for r in offered.service]
            fields = {"life_plan": dict(offered.life), "service_plan": rules}
        if args.life:
            fields["life_plan"] = fields.get("life_plan", dict(mold.life_plan)) | dict(args.life)
        if args.service:
            fields["service_plan"] = args.service
        mold = desk.edit(args.mold, fields)
    levels = [f"level {r.level}" for r in mold.service_plan]
    sentence = f"{mold.name}: life {dict(mold.life_plan)}, service {', '.join(levels) or 'none'}."
    return _done(args, sentence, mold=mold.name, life_plan=dict(mold.life_plan), service=levels)


def _mount(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        entry = desk.mount(
            args.machine, args.mold, since=args.since, revision=args.revision, resin=args.resin,
            cavities_open=args.cavities_open, reason=args.reason,
        )  # fmt: skip
    return _done(args, f"{args.mold} is on {args.machine}; entry {entry}.", entry=entry)


def _unmount(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        entry = desk.mount(args.machine, None, since=args.since, reason=args.reason)
    return _done(args, f"{args.machine} has no mold; entry {entry}.", entry=entry)


def _withdraw(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        desk.withdraw(args.entry, args.reason)
    return _done(args, f"Entry {args.entry} is withdrawn.", withdrawn=args.entry)


def _revise(args: argparse.Namespace) -> int:
    restarts = {"both": COMPONENTS, "none": ()}.get(args.restarts, (args.restarts,))
    with _desk(args) as desk:
        mold = desk.revise(
            args.mold, revision=args.revision, since=args.since, restarts=restarts,
            reason=args.reason,
        )  # fmt: skip
    return _done(args, f"{mold.name} is {mold.revision} now.", mold=mold.name,
                 revision=mold.revision)  # fmt: skip


def _service(args: argparse.Namespace) -> int:
    points = CHECKLISTS.get(args.kind, ())
    checklist = {point: point in args.done for point in (*points, *args.done)} if args.done else {}
    author = author_of(args)
    entry = Service(
        mold=args.mold, at=args.at or author.at - timedelta(microseconds=1), kind=args.kind,
        level=args.level, what=args.what, done_by=args.done_by, shots=args.shots,
        defect=args.defect, cavity=args.cavity, action=args.action, replaced=args.replaced,
        hours=args.hours, cost=args.cost, links=args.link, checklist=checklist,
        corrects=args.corrects,
    )  # fmt: skip
    with _desk(args) as desk:
        kept = desk.service(entry)
    sentence = f"Entry {kept.id}: {kept.kind} of {kept.mold} {kept.revision} at {kept.shots} shots."
    return _done(args, sentence, entry=kept.id, mold=kept.mold, shots=kept.shots)


def _correct(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        total = desk.correct(
            args.mold, args.shots, args.reason, revision=args.revision, resin=args.resin,
            kind="start" if args.start else "correction",
        )  # fmt: skip
    return _done(args, f"{args.mold} has {total} shots now.", mold=args.mold, shots=total)


def _retire(args: argparse.Namespace) -> int:
    with _desk(args) as desk:
        mold = desk.retire(args.mold, args.reason, back=args.back)
    state = "retired" if mold.retired else "in use"
    return _done(args, f"{mold.name} is {state}.", mold=mold.name, retired=mold.retired)


def _import(args: argparse.Namespace) -> int:
    with change_or_make(*_new(args), keep=not args.dry_run) as connection:
        imported = import_molds(Desk(connection, author_of(args)), args.file)
        if args.dry_run:
            connection.rollback()
    for sentence in imported.warnings:
        complain(sentence)
    verb = "would be registered" if args.dry_run else "are registered"
    return _done(args, f"{len(imported.molds)} molds {verb}.", molds=list(imported.molds),
                 dry_run=args.dry_run)  # fmt: skip
