"""`sprue molds ...`: what molds are, where they sat, what they took, what was done to them."""

import argparse
from pathlib import Path
from typing import Any

from agent.arguments import add_author, add_format, add_record, instant, whole
from agent.molds import looking, saying
from agent.molds.mold import COMPONENTS
from agent.molds.servicelog import KINDS


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue molds`."""
    actions = one.add_subparsers(required=True, metavar="ACTION", help="list where none is given")

    each = _action(actions, "list", looking.molds, "every mold revision: shots, life", several=True)
    each.add_argument("--all", action="store_true", help="retired ones too")
    each = _action(
        actions, "show", looking.one, "all that is known of one", writes=False, mold=True
    )
    each = _action(actions, "timeline", looking.timeline, "what sat on a machine", writes=False)
    each.add_argument("machine", metavar="MACHINE")

    for name, call, text in (
        ("add", saying.add, "register one"),
        ("edit", saying.edit, "change its data"),
    ):
        each = _action(actions, name, call, text, mold=True)
        for field, kind, what in saying.FIELDS:
            each.add_argument(f"--{field}", type=kind, help=what or None, metavar=field.upper())
        each.add_argument("--link", action="append", metavar="URL", help="a document")
        if name == "add":
            each.add_argument("--revision", default="A", metavar="NAME")

    each = _action(
        actions, "plan", saying.plan, "what it should last, when it wants care", mold=True
    )
    each.add_argument(
        "--life", action="append", type=_life, metavar="RESIN=SHOTS", help="or FAMILY=, any="
    )
    each.add_argument(
        "--service", action="append", type=_rule, metavar="LEVEL=SHOTS[,DAYSd]", help="4=5000,180d"
    )
    each.add_argument("--defaults", action="store_true", help="take the estimates for its alloy")

    each = _action(actions, "mount", saying.mount, "say what sits on a machine")
    each.add_argument("machine", metavar="MACHINE")
    each.add_argument("mold", metavar="MOLD")
    each.add_argument("--revision", metavar="NAME", help="default: the one it had at the time")
    each.add_argument("--resin", metavar="NAME")
    each.add_argument("--cavities-open", type=whole, metavar="N")
    _add_since(each)
    each = _action(actions, "unmount", saying.unmount, "say that a machine has no mold")
    each.add_argument("machine", metavar="MACHINE")
    _add_since(each)
    each = _action(actions, "withdraw", saying.withdraw, "take back a mount that was a mistake")
    each.add_argument("entry", type=whole, metavar="NUMBER", help="as `timeline` lists it")
    each.add_argument("--reason", required=True, metavar="TEXT")

    each = _action(actions, "revise", saying.revise, "begin a revision: a re-cut", mold=True)
    each.add_argument("--revision", metavar="NAME", help="default: the next letter or number")
    each.add_argument(
        "--restarts", choices=[*COMPONENTS, "both", "none"], default="inserts",
        help="whose life begins anew; default: %(default)s",
    )  # fmt: skip
    _add_since(each)

    each = _action(actions, "service", saying.service, "write into its service log", mold=True)
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

    each = _action(actions, "correct", saying.correct, "add a signed row to its count", mold=True)
    each.add_argument("shots", type=int, metavar="SHOTS", help="to add; `-- -20` takes away")
    each.add_argument("--reason", required=True, metavar="TEXT")
    each.add_argument("--revision", metavar="NAME")
    each.add_argument("--resin", metavar="NAME")
    each.add_argument("--start", action="store_true", help="taken before Sprue counted")

    each = _action(actions, "retire", saying.retire, "take it out of lists and alerts", mold=True)
    each.add_argument("--back", action="store_true", help="take it back")
    each.add_argument("--reason", default="", metavar="TEXT")

    each = _action(
        actions, "import", saying.take_list, "a mold list in CSV, with its present counts"
    )
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
