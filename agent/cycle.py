"""The record of one closing of a mold, and the curves that belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from drivers import Origin, Value
from drivers.unchanging import unchanging

if TYPE_CHECKING:  # a list of cycles waits for no library of curves
    import numpy as np
    from numpy.typing import NDArray

Closing = Literal["shot", "dry"]
"""`dry` is a closing without plastic: it wears the guides, not the cavity."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One signal sampled during one shot.

    Samples that are missing are missing: nothing is interpolated, so the spacing may be uneven.
    """

    started_at: datetime
    """UTC, time of the first sample."""
    t_s: "NDArray[np.float64]"
    """Seconds since `started_at`, rising, shape (samples,)."""
    values: "NDArray[np.float64]"
    """Shape (samples,), in the unit that the signal's name ends in."""
    resolution: float | None = None
    """The step of the sensor's number; None where unknown."""


@unchanging
class Cycle:
    """One shot or dry cycle, before the ledger has said which mold and segment it counts on."""

    machine: str
    counter: int
    time: datetime
    """Its end, UTC: by the machine's clock where it stamps its cycles, else by ours."""
    received_at: datetime
    """When we learned of it, UTC, our clock."""
    announced: bool = False
    """The machine announced this very cycle (an event), rather than showing a higher counter."""
    time_uncertainty_s: float = 0.0
    """The end lies at most this much before `time`."""
    fresh: bool = True
    """False where we did not see it end: read after an outage, `time` is only the latest."""
    closing: Closing = "shot"
    state: str = "production"
    """`production`, `test`, `failed`, or `setup` where the press was not in an automatic mode."""
    mode: str | None = None
    job: str | None = None
    mold: str | None = None
    """The id that the machine gave, if it gives one; the ledger decides."""
    resin: str | None = None
    """The material that the machine says is loaded, if it says so."""
    cavities: int | None = None
    """Open ones, if the machine says so."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """The machine's other counters as they stood with this cycle, by signal."""
    looked_at: datetime | None = None
    """When we last saw the counter before this cycle ended; None where nobody looked."""
    unbroken: bool = False
    """It was announced over a connection that has stood since the one before was: whatever ended
    in between would have been announced as well."""
    stood: bool = False
    """The counter did not move, and the phases show that the mold closed all the same."""
    values: Mapping[str, Value] = field(default_factory=dict)
    provenance: Mapping[str, Origin] = field(default_factory=dict)
    """By signal, for every key of `values`."""
    uncertainty: Mapping[str, float] = field(default_factory=dict)
    """By signal, plus or minus, in the signal's unit; only where it is more than the resolution."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    """Words about this record: `time_uncertain`, `curve_cut`, `implausible:cushion_mm`, ..."""


@unchanging
class Booked:
    """A cycle with its place in the ledger: what is written to the record and shown."""

    cycle: Cycle
    segment: int
    mold: str | None
    """None where nobody knows which mold is on the machine."""
    revision: str | None
