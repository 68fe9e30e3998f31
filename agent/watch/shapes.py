"""The curves of one mold: learned from good shots, frozen by a person, held against each shot.

Only golden curves are judged: a shape has no floor that would be right for every mold, so that a
person has to have looked at it first.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agent.cycle import Booked, Cycle
from agent.watch.envelope import Departure, Envelope, began_at, lengths_s, on_grid
from agent.watch.words import amount

CONFIRMED = 3
"""Shots in a row whose curve leaves the golden one."""
CALM = 10
"""Shots in a row within it that end an anomaly."""
CHOSEN_LEAST = 5
"""Shots that a person has to choose at the least, for a middle that means something."""
LEARNED_MOST = 500
"""Shots that a curve is learned from."""
_WORDS = {"fill": "filling", "hold": "holding", "cooling": "cooling"}


class Shapes:
    """What the curves of one mold on one machine are like."""

    def __init__(self) -> None:
        self.envelopes: dict[str, Envelope] = {}
        """By signal."""
        self.golden = False
        self._off: dict[str, int] = {}
        self._calm: dict[str, int] = {}

    def take(self, booked: Booked, *, learn: bool) -> list[tuple[str, Departure | None]]:
        """Hold a shot's curves against the golden ones, or learn from them.

        Args:
            booked: The shot.
            learn: It is good, and nothing is open.

        Returns:
            Signals that have left their golden curve in enough shots, with where; and, with None,
            those that have been within it for long enough.
        """
        cycle = booked.cycle
        phases, began = lengths_s(cycle), began_at(cycle.curves)
        if phases is None or began is None:
            return []
        found: list[tuple[str, Departure | None]] = []
        for name, curve in cycle.curves.items():
            envelope = self.envelopes.get(name) or Envelope(phases)
            values = on_grid(curve, began, phases, envelope.phases)
            if values is None:
                continue
            self.envelopes[name] = envelope
            if not self.golden:
                if learn and envelope.n < LEARNED_MOST:
                    envelope.learn(values)
            elif envelope.known:
                found += self._judge(name, envelope.judge(values))
        return found

    def _judge(self, name: str, left: Departure | None) -> list[tuple[str, Departure | None]]:
        if left is None:
            self._off[name] = 0
            calm = self._calm[name] = self._calm.get(name, 0) + 1
            return [(name, None)] if calm == CALM else []
        self._calm[name] = 0
        off = self._off[name] = self._off.get(name, 0) + 1
        return [(name, left)] if off == CONFIRMED else []

    def approve(self, chosen: Mapping[str, Envelope]) -> None:
        """What was learned is golden; of signals whose shots a person chose, what those were."""
        self.golden = True
        self.envelopes |= chosen
        self._off, self._calm = {}, {}

    def save(self) -> dict[str, Any]:
        """As JSON values; `load` takes it."""
        return {
            "envelopes": {name: each.save() for name, each in self.envelopes.items()},
            "golden": self.golden,
            "off": dict(self._off),
            "calm": dict(self._calm),
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Shapes":
        """What `save` kept."""
        shapes = cls()
        shapes.envelopes = {name: Envelope.load(e) for name, e in kept["envelopes"].items()}
        shapes.golden = kept["golden"]
        shapes._off, shapes._calm = dict(kept["off"]), dict(kept["calm"])
        return shapes


def chosen_curves(shots: Iterable[Cycle]) -> dict[str, Envelope]:
    """The golden curve of each signal that a person chose shots of; shots without are left out."""
    found: dict[str, Envelope] = {}
    for cycle in shots:
        phases, began = lengths_s(cycle), began_at(cycle.curves)
        if phases is None or began is None:
            continue
        for name, curve in cycle.curves.items():
            envelope = found.get(name) or Envelope(phases)
            values = on_grid(curve, began, phases, envelope.phases)
            if values is not None:
                envelope.chosen = True
                envelope.learn(values)
                found[name] = envelope
    return {name: each for name, each in found.items() if each.n >= CHOSEN_LEAST}


def told(name: str, left: Departure) -> str:
    """`Injection pressure leaves the golden curve 1.2 s into holding: 38 bar above, for 0.8 s.`"""
    called = name.rpartition("_")[0].replace("_", " ").capitalize()
    way = "above" if left.most > 0 else "below"
    return (
        f"{called} leaves the golden curve {left.at_s:.1f} s into {_WORDS[left.phase]}: "
        f"{amount(name, abs(left.most))} {way}, for {left.lasts_s:.1f} s; "
        f"{100 * left.share:.0f} % of the curve is outside its band."
    )
