"""What goes first where memory has to hold what the disk does not take: curves, never shots."""

from dataclasses import replace

from agent.batch import Batch
from agent.ledger import Entry

FLAG = "curves_not_kept"


def without_curves(batch: Batch) -> Batch:
    """The same without its curves; each cycle that had some says so in its flags."""
    return replace(batch, entries=[_lightened(entry) for entry in batch.entries])


def _lightened(entry: Entry) -> Entry:
    if entry.booked is None or not entry.booked.cycle.curves:
        return entry
    cycle = replace(entry.booked.cycle, curves={}, flags=(*entry.booked.cycle.flags, FLAG))
    return replace(entry, booked=replace(entry.booked, cycle=cycle))
