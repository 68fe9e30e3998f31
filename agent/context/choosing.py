"""Which cycles are meant by a lot, a box or the id of a part."""

from dataclasses import replace

from sqlalchemy import Connection

from agent.context.book import read_entries
from agent.context.entry import KINDS
from agent.context.error import ContextError
from agent.context.stretch import stretches
from agent.history import Filter, Span


def resolved(connection: Connection, wanted: Filter) -> Filter:
    """A filter whose words of people are stretches of cycles, as the record has them now.

    Raises:
        ContextError: nobody entered such a lot, box or id.
    """
    for kind, label in (("lot", wanted.lot), ("box", wanted.box), ("id", wanted.part_id)):
        if label is not None:
            return replace(wanted, spans=_spans(connection, kind, label))
    return wanted


def _spans(connection: Connection, kind: str, label: str) -> tuple[Span, ...]:
    # Where what follows ends another, all of its kind say where one ends.
    only = None if KINDS[kind].follows else label
    entries = read_entries(connection, kinds=[kind], label=only)
    if not any(each.label == label for each in entries):
        raise ContextError(
            f"no {kind} {label!r} was entered; 'sprue context list --kind {kind}' lists them"
        )
    found = {
        each.span: None for each in stretches(connection, entries) if each.entry.label == label
    }
    return tuple(found)
