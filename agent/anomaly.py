"""One deviation, open until closed, with kind, cause, evidence and words.

Whoever finds one (the ledger's entries, a mold's life, the watch) yields it; the same `id` again
is the same anomaly in a newer state. What people do to it (acknowledge, comment, mute) is kept
apart, so that a machine's word never writes over a person's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agent.ending import CommandError
from drivers import Value

Severity = Literal["info", "warning", "alarm"]

SHORT_MOST = 26
"""Letters that fit on a tile."""

CAUSES: Mapping[str, tuple[str, ...]] = {
    "cooling_time": (
        "timer_changed", "staircase_drift", "recovery_exceeds_timer", "cut_short",
        "out_of_limits", "unexplained",
    ),
    "cooling_heat": (
        "mold_temperature", "coolant_flow_low", "coolant_supply_warm", "fouling",
        "temperature_control_fault", "unexplained",
    ),
    "cycle_time": (
        "hold_time_changed", "fill_changed", "open_close_changed", "ejection_delay",
        "operator_wait", "interrupted", "unexplained",
    ),
    "process": (
        "pressure_shift", "cushion_shift", "recovery_shift", "melt_temperature",
        "program_changed", "curve_off_golden", "unexplained",
    ),
    "shot_count": (
        "counter_reset", "counter_wrapped", "counter_rolled_back", "shots_unobserved",
        "duplicate", "double_pulse", "counter_stalled", "dry_cycles", "counters_disagree",
        "cavity_ratio", "mold_unknown", "mold_changed_unannounced",
    ),
    "mold_life": (
        "life_80", "life_90", "life_100", "service_due_soon", "service_due", "service_overdue",
    ),
    "blind": ("unreachable", "refused", "garbled", "stale"),
}  # fmt: skip
"""Every kind, and the causes that it may name."""


class AnomalyError(CommandError):
    """What was asked for can't be done; the message says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One deviation, as it stands after the observation that yielded it."""

    id: str
    """The same for the same deviation whoever computes it, and in every replay: made of what it is
    about and of the shot that began it, never of a clock or a number drawn."""
    time: datetime
    """End of the cycle, or instant, at which it was raised; UTC."""
    machine: str | None
    mold: str | None = None
    revision: str | None = None
    segment: int | None = None
    counter: int | None = None
    """The shot at which it was raised."""
    since_counter: int | None = None
    """The first shot affected."""
    until_counter: int | None = None
    """The last shot affected, once closed."""
    kind: str
    cause: str
    signal: str | None = None
    value: Value | None = None
    expected: Value | None = None
    limit: float | None = None
    """The limit that was crossed, in the signal's unit."""
    severity: Severity = "warning"
    message: str
    """One or two sentences for a person: what changed, by how much, since when, why."""
    short: str = ""
    """The same for a tile; at most `SHORT_MOST` letters."""
    likely: str = ""
    """The likely cause in words; empty where the message says all."""
    advice: str = ""
    """What to try."""
    evidence: Mapping[str, Value] = field(default_factory=dict)
    """Numbers that the verdict rests on, by name; what a page shows as a table."""
    follows: str | None = None
    """Id of the anomaly that this one is a consequence of."""
    closed_at: datetime | None = None
    """None while it is open."""

    def __post_init__(self) -> None:
        """Refuse what no reader would understand.

        Raises:
            ValueError: a kind or cause outside the vocabulary, or a `short` that is too long.
        """
        if self.cause not in CAUSES.get(self.kind, ()):
            raise ValueError(f"no anomaly is called {self.kind}/{self.cause}")
        if len(self.short) > SHORT_MOST:
            raise ValueError(f"longer than {SHORT_MOST} letters: {self.short!r}")

    @property
    def is_open(self) -> bool:
        """Whether it still holds."""
        return self.closed_at is None
