"""What `sprue molds` writes: each action is an operation of the desk, in its author's name."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from agent.arguments import author_of, record_of
from agent.audit import change
from agent.batch import MachineRow
from agent.console import complain, print_json
from agent.making import change_or_make
from agent.molds.defaults import offer
from agent.molds.desk import Desk, MoldError
from agent.molds.importing import import_molds
from agent.molds.mold import COMPONENTS
from agent.molds.resin import family
from agent.molds.servicelog import CHECKLISTS, Service

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


def add(args: argparse.Namespace) -> int:
    """`add`: register one, in a record that is made where there is none."""
    with change_or_make(*_new(args)) as connection:
        mold = Desk(connection, author_of(args)).add(args.mold, _said(args), revision=args.revision)
    return _done(args, f"{mold.name} {mold.revision} is registered.", mold=mold.name)


def edit(args: argparse.Namespace) -> int:
    """`edit`: change its data."""
    with _desk(args) as desk:
        mold = desk.edit(args.mold, _said(args))
    return _done(args, f"{mold.name} is changed.", mold=mold.name)


def plan(args: argparse.Namespace) -> int:
    """`plan`: what it should last, and when it wants care."""
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
    lives = ", ".join(f"{resin} {shots}" for resin, shots in mold.life_plan.items()) or "none"
    sentence = f"{mold.name}: life {lives}; service {', '.join(levels) or 'none'}."
    return _done(args, sentence, mold=mold.name, life_plan=dict(mold.life_plan), service=levels)


def mount(args: argparse.Namespace) -> int:
    """`mount`: what sits on a machine."""
    with _desk(args) as desk:
        entry = desk.mount(
            args.machine, args.mold, since=args.since, revision=args.revision, resin=args.resin,
            cavities_open=args.cavities_open, reason=args.reason,
        )  # fmt: skip
    return _done(args, f"{args.mold} is on {args.machine}; entry {entry}.", entry=entry)


def unmount(args: argparse.Namespace) -> int:
    """`unmount`: a machine has no mold."""
    with _desk(args) as desk:
        entry = desk.mount(args.machine, None, since=args.since, reason=args.reason)
    return _done(args, f"{args.machine} has no mold; entry {entry}.", entry=entry)


def withdraw(args: argparse.Namespace) -> int:
    """`withdraw`: take a mount back that was a mistake."""
    with _desk(args) as desk:
        desk.withdraw(args.entry, args.reason)
    return _done(args, f"Entry {args.entry} is withdrawn.", withdrawn=args.entry)


def revise(args: argparse.Namespace) -> int:
    """`revise`: begin a revision."""
    restarts = {"both": COMPONENTS, "none": ()}.get(args.restarts, (args.restarts,))
    with _desk(args) as desk:
        mold = desk.revise(
            args.mold, revision=args.revision, since=args.since, restarts=restarts,
            reason=args.reason,
        )  # fmt: skip
    return _done(args, f"{mold.name} is {mold.revision} now.", mold=mold.name,
                 revision=mold.revision)  # fmt: skip


def service(args: argparse.Namespace) -> int:
    """`service`: write into its service log."""
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


def correct(args: argparse.Namespace) -> int:
    """`correct`: add a signed row to its count."""
    with _desk(args) as desk:
        total = desk.correct(
            args.mold, args.shots, args.reason, revision=args.revision, resin=args.resin,
            kind="start" if args.start else "correction",
        )  # fmt: skip
    return _done(args, f"{args.mold} has {total} shots now.", mold=args.mold, shots=total)


def retire(args: argparse.Namespace) -> int:
    """`retire`: take it out of lists and alerts, or back."""
    with _desk(args) as desk:
        mold = desk.retire(args.mold, args.reason, back=args.back)
    state = "retired" if mold.retired else "in use"
    return _done(args, f"{mold.name} is {state}.", mold=mold.name, retired=mold.retired)


def take_list(args: argparse.Namespace) -> int:
    """`import`: take in a list, all of it or nothing."""
    with change_or_make(*_new(args), keep=not args.dry_run) as connection:
        imported = import_molds(Desk(connection, author_of(args)), args.file)
        if args.dry_run:
            connection.rollback()
    for sentence in imported.warnings:
        complain(sentence)
    n = len(imported.molds)
    molds, verb = ("mold", "is") if n == 1 else ("molds", "are")
    sentence = f"{n} {molds} {'would be' if args.dry_run else verb} registered."
    return _done(args, sentence, molds=list(imported.molds), dry_run=args.dry_run)


def _said(args: argparse.Namespace) -> dict[str, Any]:
    names = [name.replace("-", "_") for name, _kind, _text in FIELDS]
    said = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    said = {name: None if value == "" else value for name, value in said.items()}
    return said | ({"links": args.link} if args.link else {})


def _new(args: argparse.Namespace) -> tuple[str, list[MachineRow]]:
    """The record, and the machines that it begins with where nobody has made it yet."""
    if args.record:
        return record_of(args)[0], []
    from agent.config import load  # knows every driver: most commands need none

    loaded = load(args.config)
    return loaded.record_url, loaded.machine_rows


@contextmanager
def _desk(args: argparse.Namespace) -> Iterator[Desk]:
    with change(record_of(args)[0]) as connection:
        yield Desk(connection, author_of(args))


def _done(args: argparse.Namespace, sentence: str, **line: Any) -> int:
    if args.format == "json":
        print_json([line])
    else:
        print(sentence)
    return 0
