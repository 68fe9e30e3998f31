"""The phases of a cycle on a bar: golden ones as marks, one cycle's below; assets/phase-bar.js
moves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.catalogue import Catalogue
from dashboards.figures import number

PHASES: Mapping[str, str] = {
    "fill": "fill_time_s",
    "hold": "hold_time_s",
    "cool": "cooling_time_s",
    "open": "mold_open_time_s",
    "eject": "ejection_time_s",
    "close": "mold_close_time_s",
}
"""In the order of a cycle that begins with filling, and the signals that tell their lengths."""

NARROW = 6.0
"""Per cent of the bar; a shorter phase has no room for its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One phase, in per cent of the bar's width."""

    name: str
    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBar:
    """What the template draws, and the script starts from."""

    golden: Sequence[Stretch]
    cycle: Sequence[Stretch]
    ticks: Sequence[tuple[float, str]]
    lengths_s: Mapping[str, float]
    """Golden ones; those of the last cycle where there are none."""
    span_s: float


def phase_bar(
    golden: Mapping[str, float], last: Mapping[str, float], span_s: float, strings: Catalogue
) -> PhaseBar:
    """Lay both on one scale.

    Args:
        golden: Lengths by phase; empty before there are any.
        last: Of the cycle that is shown.
        span_s: Length of the whole bar.
        strings: Of the page.
    """

    def stretches(lengths: Mapping[str, float], decimals: int) -> list[Stretch]:
        found, at = [], 0.0
        for name in PHASES:
            length = lengths.get(name)
            if length is None:
                continue
            word = strings[f"phase.{name}"]
            width = round(100 * length / span_s, 2)
            text = f"{word} {number(length, decimals)}" if width >= NARROW else ""
            if decimals == 1 and text:
                text += " s"
            found.append(Stretch(name=name, x=round(100 * at / span_s, 2), width=width, text=text))
            at += length
        return found

    every = 2.0 if span_s <= 40 else 10.0 if span_s <= 160 else 60.0
    marks = range(int(span_s / every) + 1)
    ticks = [(round(100 * n * every / span_s, 2), number(n * every)) for n in marks]
    return PhaseBar(
        golden=stretches(golden, 2),
        cycle=stretches(last, 1),
        ticks=ticks,
        lengths_s=dict(golden or last),
        span_s=span_s,
    )
