"""One signal of one mold, held against its habit: whether where it stands has changed.

Three charts do it: one shot, confirmed by a second (`Shewhart`); a lasting shift (`Ewma`), of
values cut at the single shot's limit, so that one wild value is no shift; and frequent spikes
(`Cusum` of how often). What is as ever is learned (`agent.watch.habit`).
"""

import math
from collections import deque
from collections.abc import Mapping
from statistics import fmean, median
from typing import Any

from agent.watch.charts import Cusum
from agent.watch.habit import Habit
from agent.watch.limits import PROVISIONAL
from agent.watch.settling import Settling
from agent.watch.tail import Tail
from agent.watch.treatment import Treatment

HOME = 0.7
"""Share of the limit for a shift, within which of the reference a signal is at home."""
RECENT = 24
"""Newest values of a time that are kept: enough to tell a step from many small ones."""
RELEARN = 30
"""Cycles in a row off a provisional centre that prove it was learned too early."""
SPIKE_SLACK, SPIKE_LIMIT = 0.1, 2.3
"""Three spikes within eight shots are frequent ones."""

CALM, ODD, OUT = 0, 1, 2
"""What one value is: as ever; unusual, and unconfirmed; beyond what this mold does."""


class Channel(Habit):
    """Watches one signal of one mold on one machine.

    Args:
        name: The signal.
        treatment: How it is watched.
    """

    __slots__ = (
        "_calm_run", "_peak_mean", "frozen", "last", "name", "out", "peak", "recent", "settling",
        "since", "spikes",
    )  # fmt: skip

    def __init__(self, name: str, treatment: Treatment) -> None:
        super().__init__(treatment)
        self.name = name
        self.last = 0.0
        self.frozen = False
        """An open anomaly explains where it stands, so that nothing is learned from it."""
        self.out = False
        self.since: int | None = None
        """Counter of the first cycle that is not as ever, while that lasts."""
        self.spikes = Cusum(SPIKE_SLACK, SPIKE_LIMIT)
        self.recent: deque[float] = deque(maxlen=0 if treatment.slow else RECENT)
        self.peak = 0.0
        """How far the excursion that lasts has been at most."""
        self._peak_mean = 0.0
        self._calm_run = 0
        self.settling = Settling()

    # What it is like

    @property
    def now(self) -> float:
        """Where it stands for a person: the newest value, once a second one has confirmed it."""
        if not self.treatment.slow:
            return self.centre + self.off
        return self.last if abs(self.single.run) >= self.single.of else self.level

    @property
    def off(self) -> float:
        """How far the newest shots are from where this mold belongs.

        For times the mean of the newest, at most three; for what wanders the mean's.
        """
        if self.treatment.slow:
            # A centre that follows has partly caught up with a slow change.
            moving, drifted = self.now - self.centre, self.now - self.home
            return drifted if abs(drifted) > abs(moving) else moving
        recent = list(self.recent) or [self.last]
        if self.spikes.above > self.spikes.limit and abs(self.single.run) < self.single.of:
            # Now and then: how far it is off when it is.
            spikes = [value for value in recent if value - self.centre > self.single.limit]
            return fmean(spikes or recent[-1:]) - self.centre
        return fmean(recent[-min(3, abs(self.single.run) or 3) :]) - self.centre

    @property
    def stands(self) -> bool:
        """Whether it is beyond its limit with this very shot, and not on its way back."""
        return (
            abs(self.off) >= self.shift.limit
            or abs(self.single.run) >= self.single.of
            or self.spikes.above > self.spikes.limit
        )

    @property
    def calm_run(self) -> int:
        """Cycles in a row that were as ever."""
        return self._calm_run

    # One value

    def take(self, value: float, counter: int) -> int:
        """Judge one value of a good cycle, and learn from it: CALM, ODD or OUT."""
        self.last = value
        if not self.ready:
            return self._unready(value)
        self.recent.append(value)
        away = value - self.centre
        # What `shift.take` does; a call for each value of each shot would be a tenth of it all.
        shift, odd = self.shift, self._odd
        if -odd < away < odd:  # and so within where it is cut
            mean = shift.value = shift.value + shift.weight * (away - shift.value)
            ease = self._ease
            if -ease < mean < ease and not self._wandering:
                self._calm_run += 1
                if self.since is not None:
                    self._back()
                if self.spikes.above:
                    self.spikes.take(0.0)
                if not self.frozen:
                    self._learn(value, away, mean, counter)
                return CALM
            return self._unusual(away, away, counter)
        cut = max(-self._clip, min(self._clip, away))
        shift.value += shift.weight * (cut - shift.value)
        return self._unusual(away, cut, counter)

    def _unusual(self, away: float, cut: float, counter: int) -> int:
        self._calm_run = 0
        over = abs(self.shift.value) > self.shift.limit
        if self.since is None:
            self.since = counter
        confirmed = self.single.take(away)
        spike = not self.treatment.slow and away > self.single.limit
        often = self.spikes.take(1.0 if spike else 0.0)
        if away < 0 and self._makes_up(away):
            self.spikes.restart()
        if confirmed or over or often:
            self.out = self.out or not self._homing()
        if self._wandered():
            self.out = True
        if self._buffer is not None:
            self._odd_run += 1
            if self._odd_run >= RELEARN:
                self.relearn()
                return CALM
        self.peak = max(self.peak, min(abs(away), 4 * self._clip))
        if self.out:
            return OUT
        if not self.frozen:
            mean = self.shift.value
            self._peak_mean = max(self._peak_mean, abs(mean))
            if abs(away) <= self.single.limit:
                if abs(mean) <= self._ease:
                    self._learn(self.last, cut, mean, counter)
                else:  # on its way: followed, and not taken for scatter
                    self.centre += self._pull * away
                    self.shift.value -= self._pull * away
        return ODD

    def _makes_up(self, away: float) -> bool:
        """Whether it is as short as the one before was long: a stamp came late, not a shot."""
        if len(self.recent) < 2:
            return False
        before = self.recent[-2] - self.centre
        return before > self.single.limit and abs(before + away) < self.single.limit

    def _back(self) -> None:
        """An excursion is over; if it was none to be told of, it says how far good ones reach."""
        if not self.out and not self.frozen:
            if self.peak > self._odd:
                self._far.take(self.peak - self._odd)
            if self._peak_mean > self._ease:
                self._far_mean.take(self._peak_mean - self._ease)
        self.peak = self._peak_mean = 0.0
        self.single.run = 0
        self.since = None
        self.out = False

    def _homing(self) -> bool:
        """Whether it left where it has been for where it belongs: no news, after a stop least."""
        if self.reference is None or not self._pull:
            return False
        return abs(self.level - self.reference) < HOME * self.shift.limit

    # Learning

    def _unready(self, value: float) -> int:
        if self.settling.left:
            self._settle(value)
            return CALM
        assert self._buffer is not None
        self._buffer.append(value)
        if len(self._buffer) >= PROVISIONAL:
            self._from_buffer()
        return CALM

    def relearn(self) -> None:
        """Forget what was learned: it was not this mold's habit."""
        self.forget()
        self.out, self.since = False, None
        self.spikes.restart()

    def step(self, by: float) -> None:
        """It stands so much further on, and is watched from there; where it belongs stays known."""
        if not self.ready:
            return
        if self.reference is None:
            self.reference = self.centre
        self._stand_at(self.centre + by)
        self.single.run = 0
        self.spikes.restart()
        self.out, self.since = False, None
        self._boost = 1 / 3

    def home_again(self) -> None:
        """It is back where it belongs."""
        self._stand_at(self.home)
        self.single.run = 0
        self.spikes.restart()
        self.out, self.since = False, None
        self._boost = 0.0

    def _stand_at(self, level: float) -> None:
        if self._buffer:
            self._buffer = [value + level - self.centre for value in self._buffer]
        self.centre = level
        self.shift.value = 0.0

    def move(self, shots: int, *, far: bool) -> None:
        """Something else changed, and this follows to a level of its own within some shots.

        Args:
            shots: At least so many.
            far: The change is so large that where it was is no measure any more.
        """
        if self.frozen or not (self.ready or self.settling.left):
            return
        if far:
            self.reference = None
        self.out, self.since = False, None
        self.restart(shots)

    def approve(self, level: float | None = None) -> None:
        """It belongs where it stands now, by a person's word; or at a level that they chose."""
        if not self.ready:
            return
        if self._pull:
            self.reference = self.level if level is None else level
        else:
            newest = list(self.recent)[-PROVISIONAL:] or [self.level]
            self.reference = self.centre = median(newest) if level is None else level
            self.shift.value = 0.0
        self.out, self.since, self._wandering = False, None, False
        self.peak = self._peak_mean = 0.0
        self.single.run = 0
        self.spikes.restart()
        self._limits()

    # After a stop

    def restart(self, shots: int) -> None:
        """The press stood, or begins: that many shots say nothing.

        What moves slowly then goes on settling until it has no slope any more, and is compared
        with where it settled; where it may settle at most is the reference's business.
        """
        if not self.settling.start(shots):
            return
        self.ready = False
        self.single.run = 0
        self.spikes.restart()
        self.recent.clear()

    def _settle(self, value: float) -> None:
        if not self.treatment.slow:
            settled = self.settling.count()
        else:
            floor = self.treatment.floors(max(abs(value), abs(self.home)))[1]
            flat = max(floor / 8, 0.5 * self.sigma)
            settled = self.settling.take(value, flat, known=self.armed)
        if settled:
            self._settled()

    def _settled(self) -> None:
        if self._buffer is not None and len(self._buffer) < PROVISIONAL:
            return
        self.ready = True
        if self._pull and not self.frozen:
            self.centre, self.shift.value = self.settling.level, 0.0
            self._boost = 1 / 8
            if self.reference is None and self.armed:
                self.reference = self.centre
            self._limits()
        elif self._pull:
            self.shift.value = self.settling.level - self.centre
        else:
            self.shift.value = 0.0

    # Over a restart of ours

    def save(self) -> dict[str, Any]:
        """Everything it knows, as JSON values; what is infinite or not a number is left out."""
        kept: dict[str, Any] = {
            name: value
            for name in _KEPT
            if not (isinstance(value := getattr(self, name), float) and not math.isfinite(value))
        }
        kept["tails"] = [self._far.n, self._far.excess, self._far_mean.n, self._far_mean.excess]
        kept["settling"] = self.settling.save()
        kept["recent"] = list(self.recent)
        kept["charts"] = [
            None if math.isinf(self.single.limit) else self.single.limit,
            self.single.run,
            None if math.isinf(self.shift.limit) else self.shift.limit,
            self.shift.value,
            self.spikes.above,
        ]
        return kept

    @classmethod
    def load(cls, name: str, treatment: Treatment, kept: Mapping[str, Any]) -> "Channel":
        """The channel that `save` kept."""
        channel = cls(name, treatment)
        for field in _KEPT:
            if field in kept:
                setattr(channel, field, kept[field])
        far, excess, far_mean, excess_mean = kept["tails"]
        channel._far, channel._far_mean = Tail(far, excess), Tail(far_mean, excess_mean)
        channel.settling.load(kept["settling"])
        channel.recent.extend(kept["recent"])
        single, run, shift, mean, above = kept["charts"]
        channel.single.limit = math.inf if single is None else single
        channel.single.run = run
        channel.shift.limit = math.inf if shift is None else shift
        channel.shift.value = mean
        channel.spikes.above = above
        return channel


_OBJECTS = (
    "name", "treatment", "recent", "single", "shift", "spikes", "settling", "_far", "_far_mean",
)  # fmt: skip
_KEPT = tuple(
    name for name in (*Habit.__slots__, *Channel.__slots__) if name not in (*_OBJECTS, "_pull")
)
