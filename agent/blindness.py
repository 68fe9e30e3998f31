"""Anomalies of machines that we can't see: what a blind interval means to a person."""

from datetime import timedelta

from agent.anomaly import Anomaly
from agent.batch import Blind
from agent.ledger import Mount
from agent.rows import to_ns

LASTING = timedelta(seconds=60)
"""A link that comes back sooner is a blind interval in the record, and nothing to call for."""

CAUSES = {
    "unreachable": "unreachable",
    "refused": "refused",
    "mistaken": "refused",
    "garbled": "garbled",
    "stale": "stale",
}
"""By cause of the interval. Without one: an agent that did not run has nobody to tell, and what our
own queue lost is over when it is known."""

WORDS = {
    "unreachable": ("can't be reached", "No data: unreachable"),
    "refused": ("refuses us", "No data: refused"),
    "garbled": ("answers off its map", "No data: garbled"),
    "stale": ("shows nothing new", "No data: stale"),
}


def blindness(blind: Blind, so_far: timedelta, mount: Mount | None) -> Anomaly | None:
    """The anomaly that a blind interval is, once it has lasted.

    Args:
        blind: As it stands now; one with an end closes the anomaly.
        so_far: How long it has lasted.
        mount: The mold on the machine, as far as we know.
    """
    cause = CAUSES.get(blind.cause)
    if cause is None or so_far < LASTING:
        return None
    says, short = WORDS[cause]
    return Anomaly(
        id=f"blind:{blind.machine}:{to_ns(blind.since)}",
        time=blind.since + so_far if blind.until is None else blind.since + LASTING,
        machine=blind.machine,
        mold=mount.mold if mount else None,
        revision=mount.revision if mount else None,
        kind="blind",
        cause=cause,
        severity="alarm" if cause == "refused" else "warning",
        message=f"{blind.machine} {says}: {blind.why}",
        short=short,
        closed_at=blind.until,
    )
