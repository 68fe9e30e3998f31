"""What one mold revision is like on one machine, in one resin: its channels, and since when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from agent.watch.channel import CALM, OUT, Channel
from agent.watch.envelope import Envelope
from agent.watch.habit import ARMED
from agent.watch.limits import PROVISIONAL
from agent.watch.shapes import Shapes
from agent.watch.together import Together
from agent.watch.treatment import SET_POINTS, TREATMENTS
from drivers import Value

State = Literal["warm-up", "learning", "provisional", "armed", "golden"]
Key = tuple[str, str, str]
"""Mold, revision, resin; the resin is empty where nobody knows it."""

START_SHOTS, LONG_SHOTS, STOP_SHOTS, PAUSE_SHOTS = 20, 20, 12, 6
"""Shots that say nothing of slow signals, after a start and by how long the press stood."""
LONG_S, STOP_S, PAUSE_S = 600.0, 150.0, 50.0
HABIT_KNOWN, HABIT_CYCLES = 100, 3000
"""Good cycles until a press's pauses are known, and within which a second one is its habit."""
TIMES_SHOTS = 3
"""The same for times, and after a short stop one less."""


WATER = ("mold_temp_c", "coolant_in_c", "coolant_out_c", "coolant_flow_l_min")
"""What would show that a mold's water fails."""


class Baseline:
    """The channels of one mold on one machine.

    Args:
        key: Mold, revision and resin.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        self.channels: dict[str, Channel] = {}
        self.sets: dict[str, float] = {}
        """Set points as last shown, by signal."""
        self.approved_by: str | None = None
        self.approved_at: datetime | None = None
        self.golden: dict[str, float] = {}
        """Where each signal belongs, by a person's word."""
        self.gives_cooling = False
        """The machine has given a cooling time itself."""
        self.shapes = Shapes()
        """Of its curves, where the machine shows any."""
        self.together = Together()
        """Of all signals at once, where that is asked for."""
        self.paused_at: int | None = None
        """Number of the good cycle before which the press last stood for less than a stop."""
        self.good = 0
        """Good cycles so far."""
        self.left_at: datetime | None = None
        """End of its last shot before something else was on; None for what is on."""
        self._settled_in = START_SHOTS
        self._names: tuple[str, ...] = ()
        """Of the values of the last good cycle; they are mostly those of the next one."""
        self._judges: Sequence[Channel | None] = ()
        """A channel for each of these names; None where nobody judges it."""

    @property
    def state(self) -> State:
        """How far it is: what a page shows beside the mold."""
        if self._settled_in > 0:
            return "warm-up"
        learned = [channel.learned for channel in self.channels.values()]
        if not learned or max(learned) < PROVISIONAL:
            return "learning"
        if sorted(learned)[len(learned) // 2] < ARMED:
            return "provisional"
        return "golden" if self.approved_by else "armed"

    @property
    def warming_up(self) -> bool:
        """Whether the last stop is so near that slow signals say nothing."""
        return self._settled_in > 0

    @property
    def blind_to_coolant(self) -> bool:
        """Whether no signal of this mold would show that its water fails."""
        return self.channels.keys().isdisjoint(WATER)

    def paused(self) -> bool:
        """The press stood for less than a stop; whether that is news, and not its habit."""
        before, self.paused_at = self.paused_at, self.good
        return self.good >= HABIT_KNOWN and (before is None or self.good - before >= HABIT_CYCLES)

    def restart(self, stood_s: float | None) -> None:
        """The press stood so long, or this mold begins (None)."""
        if stood_s is None or stood_s >= LONG_S:
            slow, times = START_SHOTS if stood_s is None else LONG_SHOTS, TIMES_SHOTS
        elif stood_s >= STOP_S:
            slow, times = STOP_SHOTS, TIMES_SHOTS
        elif stood_s >= PAUSE_S:
            slow, times = PAUSE_SHOTS, TIMES_SHOTS - 1
        else:
            return
        self._settled_in = max(self._settled_in, slow)
        self.together.pause()
        for channel in self.channels.values():
            channel.restart(slow if channel.treatment.slow else times)

    def take(self, values: Mapping[str, Value], counter: int) -> tuple[bool, list[Channel]]:
        """Judge a good cycle's values, and learn from them.

        Returns:
            Whether any value is not as ever, and the channels that are out.
        """
        self.good += 1
        if self._settled_in > 0:
            self._settled_in -= 1
        names = tuple(values)
        if names != self._names:
            self._names = names
            self._judges = [self._judge(name, value) for name, value in values.items()]
        odd = False
        out: list[Channel] = []
        for channel, value in zip(self._judges, values.values(), strict=True):
            if channel is None:
                continue
            if value.__class__ is not float:
                if value.__class__ is not int:
                    continue
                value = float(value)
            verdict = channel.take(value, counter)
            if verdict != CALM:
                odd = True
                if verdict == OUT:
                    out.append(channel)
        return odd, out

    def _judge(self, name: str, value: Value) -> Channel | None:
        """The channel of a signal, made where it is one to watch."""
        if (channel := self.channels.get(name)) is not None:
            return channel
        if (treatment := TREATMENTS.get(name)) is None:
            return None
        if isinstance(value, bool | str):
            self._names = ()  # a number may come yet
            return None
        channel = self.channels[name] = Channel(name, treatment)
        if self._settled_in > 0 or self.good <= 1:
            left = max(self._settled_in, 1)
            channel.restart(left if treatment.slow else min(TIMES_SHOTS, left))
        return channel

    def changed_sets(self, values: Mapping[str, Value]) -> list[tuple[str, float, float]]:
        """Set points that this cycle shows otherwise than the last: name, old, new."""
        changed = []
        for name in SET_POINTS:
            value, old = values.get(name), self.sets.get(name)
            if value == old or value is None or isinstance(value, bool | str):
                continue
            if old is not None:
                changed.append((name, old, float(value)))
            self.sets[name] = float(value)
        return changed

    def approve(
        self,
        who: str,
        at: datetime,
        levels: Mapping[str, float],
        curves: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Where everything stands now is golden, by the word of a person.

        Args:
            who: The person.
            at: When they said so.
            levels: Where signals belong that they chose cycles for; the others stand as they do.
            curves: Golden curves of the chosen cycles, as `Envelope.save` has them.
        """
        for name, channel in self.channels.items():
            channel.approve(levels.get(name))
        self.shapes.approve({name: Envelope.load(each) for name, each in curves.items()})
        self.approved_by, self.approved_at = who, at
        self.golden = {
            name: channel.home for name, channel in self.channels.items() if channel.ready
        } | self.sets

    def carried_to(self, revision: str) -> "Baseline":
        """The same knowledge for a new revision of the mold, by a person's word."""
        mold, _, resin = self.key
        carried = Baseline.load({**self.save(), "key": [mold, revision, resin]})
        carried.restart(None)
        return carried

    def frozen(self, names: Iterable[str], *, frozen: bool) -> None:
        """Stop or resume learning of some signals."""
        for name in names:
            if (channel := self.channels.get(name)) is not None:
                channel.frozen = frozen

    def save(self) -> dict[str, Any]:
        """Everything it knows, as JSON values."""
        return {
            "key": list(self.key),
            "good": self.good,
            "paused_at": self.paused_at,
            "left_at": self.left_at.isoformat() if self.left_at else None,
            "gives_cooling": self.gives_cooling,
            "settled_in": self._settled_in,
            "sets": dict(self.sets),
            "approved_by": self.approved_by,
            "approved_at": self.approved_at.isoformat() if self.approved_at else None,
            "golden": dict(self.golden),
            "shapes": self.shapes.save(),
            "together": self.together.save() if self.together.names else None,
            "channels": {name: channel.save() for name, channel in self.channels.items()},
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Baseline":
        """The baseline that `save` kept; signals that nobody watches any more are dropped."""
        mold, revision, resin = kept["key"]
        baseline = cls((mold, revision, resin))
        baseline.good = kept["good"]
        baseline.paused_at = kept["paused_at"]
        left = kept.get("left_at")
        baseline.left_at = datetime.fromisoformat(left) if left else None
        baseline.gives_cooling = kept["gives_cooling"]
        baseline._settled_in = kept["settled_in"]
        baseline.sets = dict(kept["sets"])
        baseline.approved_by = kept["approved_by"]
        at = kept["approved_at"]
        baseline.approved_at = datetime.fromisoformat(at) if at else None
        baseline.golden = dict(kept["golden"])
        baseline.shapes = Shapes.load(kept["shapes"])
        if kept.get("together"):
            baseline.together = Together.load(kept["together"])
        for name, channel in kept["channels"].items():
            if (treatment := TREATMENTS.get(name)) is not None:
                baseline.channels[name] = Channel.load(name, treatment, channel)
        return baseline
