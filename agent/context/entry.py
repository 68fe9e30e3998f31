"""What people say of a stretch of shots: its kinds, and what each of them needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One thing that can be said."""

    name: str
    label: str
    """What its label is, for people."""
    on_mold: bool = False
    """Of a mold's revision; otherwise of a machine."""
    follows: bool = False
    """One without an end holds until the next such on the same machine or mold begins."""
    one_shot: bool = False
    """Of one shot alone."""
    details: tuple[str, ...] = ()
    """What else may be said."""


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="lot", label="lot of the resin", follows=True,
            details=("resin", "supplier", "certificate", "note"),
        ),
        Kind(name="operator", label="who stood at the machine", follows=True, details=("note",)),
        Kind(name="cavities", label="open cavities, as 1,2,4", follows=True, details=("note",)),
        Kind(
            name="box", label="label of the box",
            details=("cavities", "count", "customer", "note"),
        ),
        Kind(name="id", label="id of the part", one_shot=True, details=("cavity", "note")),
        Kind(
            name="part", label="part number", on_mold=True, follows=True,
            details=("part_revision", "name", "customer", "note"),
        ),
        Kind(
            name="sheet", label="version of the set-up sheet", on_mold=True, follows=True,
            details=("document", "approved_by", "note"),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says, before it is looked at."""

    kind: str
    label: str
    machine: str | None = None
    mold: str | None = None
    revision: str | None = None
    """Of the mold; None for the present one."""
    segment: int | None = None
    """Of the counters; None for the newest in which they are."""
    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    """Cycles that ended at or after."""
    until: datetime | None = None
    """Cycles that ended before."""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Said):
    """What stands in the record. It is never changed: what was wrong is corrected by another."""

    number: int
    corrects: int | None
    """The entry in whose place this one is."""
    withdrawn: bool
    """Takes back the one that it corrects."""
    at: datetime
    who: str

    def to_json(self) -> dict[str, Any]:
        """As JSON values; what is not known is left out."""
        values = {
            "number": self.number, "kind": self.kind, "label": self.label,
            "machine": self.machine, "mold": self.mold, "revision": self.revision,
            "segment": self.segment, "first": self.first, "last": self.last,
            "since": self.since, "until": self.until, "details": dict(self.details) or None,
            "corrects": self.corrects, "withdrawn": self.withdrawn or None,
            "at": self.at, "who": self.who,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value is not None}
