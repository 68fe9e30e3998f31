"""One signal of one mold: where it stands, how far it scatters, and whether that changed.

A channel learns a centre and a scatter from good cycles, then holds three charts against them: one
shot, confirmed by a second (`Shewhart`); a lasting shift (`Ewma`), of values cut at the single
shot's limit, so that one wild value is no shift; and frequent spikes (`Cusum` of how often). What
wanders in an ordinary hour has a centre that follows it, and a reference that does not.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from agent.watch.charts import Cusum, Ewma, Shewhart
from agent.watch.limits import PROVISIONAL, Limits, Scatter
from agent.watch.settling import Settling
from agent.watch.tail import Tail
from agent.watch.treatment import Treatment

ARMED = 50
"""Good cycles until a channel is armed."""
HOME = 0.7
"""Share of the limit for a shift, within which of the reference a signal is at home."""
BACK_WITHIN = 0.7
"""Share of the limit within which what has wandered off is back."""
GAIN_LEAST = 0.002
MOST_LEARNED = 5.0
"""Times a variance: a value further out counts as that far, lest a slow change be learned as
scatter before it is told."""
BOOST_LEAST, BOOST_LEAST_TIMES = 0.012, 0.1
"""A centre that was just set follows quickly at first: by a third, a quarter, ... down to this."""
REFRESH, REFRESH_KNOWN, KNOWN = 16, 32, 200
"""Good cycles from one computing of the limits to the next; more when so many are known."""
RECENT = 24
"""Newest values of a time that are kept: enough to tell a step from many small ones."""
RELEARN = 30
"""Cycles in a row off a provisional centre that prove it was learned too early."""
SPIKE_SLACK, SPIKE_LIMIT = 0.1, 2.3
"""Three spikes within eight shots are frequent ones."""

CALM, ODD, OUT = 0, 1, 2
"""What one value is: as ever; unusual, and unconfirmed; beyond what this mold does."""


class Channel:
    """What one signal of one mold on one machine is like.

    Args:
        name: The signal.
        treatment: How it is watched.
    """

    __slots__ = (
        "_boost", "_buffer", "_calm_run", "_clip", "_drift_limit", "_due", "_ease", "_far",
        "_far_mean", "_grain", "_m2", "_odd", "_odd_run", "_peak_mean", "_pull", "_s2",
        "_wandering", "centre", "frozen", "last", "leans_since", "n", "name", "out", "peak",
        "ready", "recent", "reference", "settling", "shift", "since", "single", "spikes",
        "treatment",
    )  # fmt: skip

    def __init__(self, name: str, treatment: Treatment) -> None:
        self.name = name
        self.treatment = treatment
        self.centre = 0.0
        self.reference: float | None = None
        """Where it stood when it was armed or approved; None before."""
        self.last = 0.0
        self.n = 0
        """Good cycles learned."""
        self.frozen = False
        """An open anomaly explains where it stands, so that nothing is learned from it."""
        self.out = False
        self.since: int | None = None
        """Counter of the first cycle that is not as ever, while that lasts."""
        self.leans_since: int | None = None
        """Counter since when it has stood half way to where it may wander at most."""
        self.ready = False
        """Has limits, and is not settling."""
        self.single = Shewhart(math.inf, of=2)
        self.shift = Ewma(treatment.weight, math.inf)
        self.spikes = Cusum(SPIKE_SLACK, SPIKE_LIMIT)
        self.recent: deque[float] = deque(maxlen=0 if treatment.slow else RECENT)
        self._buffer: list[float] | None = []
        self._m2 = self._s2 = 0.0
        self._clip = self._odd = self._ease = self._drift_limit = math.inf
        self._wandering = False
        self._pull = treatment.pull
        self._boost = 0.0
        self._far, self._far_mean = Tail(), Tail()
        self.peak = 0.0
        """How far the excursion that lasts has been at most."""
        self._peak_mean = 0.0
        self._grain = 0.0
        self._due = REFRESH
        self._odd_run = self._calm_run = 0
        self.settling = Settling()

    # What it is like

    @property
    def armed(self) -> bool:
        """Whether it has its own limits, not provisional ones."""
        return self._buffer is None

    @property
    def learned(self) -> int:
        """Good cycles so far, up to `ARMED`."""
        return ARMED if self._buffer is None else len(self._buffer)

    @property
    def sigma(self) -> float:
        """Scatter of one shot around the centre."""
        return math.sqrt(self._m2)

    @property
    def level(self) -> float:
        """Where it stands now: the weighted mean of the newest shots."""
        return self.centre + self.shift.value

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
    def home(self) -> float:
        """Where this mold belongs: the reference, or the centre while there is none."""
        return self.centre if self.reference is None else self.reference

    @property
    def limit(self) -> float:
        """The smallest lasting deviation that counts, in the signal's unit."""
        return self.shift.limit

    @property
    def stands(self) -> bool:
        """Whether it is beyond its limit with this very shot, and not on its way back."""
        return (
            abs(self.off) >= self.shift.limit
            or abs(self.single.run) >= self.single.of
            or self.spikes.above > self.spikes.limit
        )

    @property
    def young(self) -> bool:
        """Whether it has settled only lately, and may still be on its way."""
        return self._boost > 0 and self.treatment.slow

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

    def _learn(self, value: float, away: float, mean: float, counter: int) -> None:
        n = self.n = self.n + 1
        gain = 1.0 / n if n < 500 else GAIN_LEAST
        pull = self._pull
        scatter, mean_scatter = away * away, mean * mean
        m2, s2 = self._m2, self._s2
        if pull:
            grain = self._grain
            if scatter > MOST_LEARNED * m2 + grain:
                scatter = MOST_LEARNED * m2 + grain
            if mean_scatter > MOST_LEARNED * s2 + grain:
                mean_scatter = MOST_LEARNED * s2 + grain
        self._m2 = m2 + gain * (scatter - m2)
        self._s2 = s2 + gain * (mean_scatter - s2)
        if self._boost > pull:
            least = BOOST_LEAST if pull else BOOST_LEAST_TIMES
            pull = self._boost
            self._boost = pull / (1.0 + pull) if pull > least else 0.0
        if pull:
            step = pull * away
            self.centre += step
            self.shift.value -= step
        if self._buffer is not None:
            self._buffer.append(value)
            self._odd_run = 0
            if len(self._buffer) % PROVISIONAL == 0 or len(self._buffer) >= ARMED:
                self._from_buffer()
        else:
            self._due -= 1
            if self._due <= 0:
                self._due = REFRESH if self.n < KNOWN else REFRESH_KNOWN
                self._limits()
                self._lean(counter)

    def _lean(self, counter: int) -> None:
        """Note since when it has stood half way to where it may wander at most."""
        if self.reference is None or abs(self.level - self.reference) < 0.5 * self._drift_limit:
            self.leans_since = None
        elif self.leans_since is None:
            self.leans_since = counter

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

    def _wandered(self) -> bool:
        """Whether it stands too far from the reference, though it went there slowly."""
        if self.reference is None:
            return False
        limit = self._drift_limit * (BACK_WITHIN if self._wandering else 1.0)
        self._wandering = abs(self.level - self.reference) > limit
        return self._wandering

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

    def _from_buffer(self) -> None:
        """Take centre and scatter from the good cycles so far; arm when they are enough."""
        buffer = self._buffer
        assert buffer is not None
        if len(buffer) >= ARMED and self.treatment.slow and self._still_moving(buffer):
            del buffer[: ARMED // 2]
        self.centre = median(buffer)
        away = [value - self.centre for value in buffer]
        mad = 1.4826 * median(abs(a) for a in away)
        cut = 5 * mad if mad else math.inf
        self._m2 = max(mad**2, fmean(min(abs(a), cut) ** 2 for a in away))
        mean, means = 0.0, []
        for a in away:
            mean += self.shift.weight * (max(-cut, min(cut, a)) - mean)
            means.append(mean * mean)
        self._s2 = fmean(means)
        self.shift.value = mean
        self.n = len(buffer)
        if self._pull:
            self.centre += mean
            self.shift.value = 0.0
        if len(buffer) >= ARMED:
            self._buffer = None
            if self.reference is None:
                self.reference = fmean(buffer) if self._pull else self.centre
        self._limits()
        self.ready = True

    def _still_moving(self, buffer: Sequence[float]) -> bool:
        half = len(buffer) // 2
        gone = abs(fmean(buffer[half:]) - fmean(buffer[:half]))
        return gone > 0.5 * self.treatment.floors(self.centre)[1]

    def _limits(self) -> None:
        seen = Scatter(
            n=self.n,
            sigma=math.sqrt(self._m2),
            mean_sigma=math.sqrt(self._s2),
            far=self._far,
            far_mean=self._far_mean,
        )
        limits = Limits.of(self.treatment, self.home, seen, armed=self.armed)
        self._clip, self._odd, self._ease = limits.clip, limits.odd, limits.ease
        self.single.limit, self.shift.limit = limits.single, limits.shift
        self._grain = limits.grain
        if self.reference is not None and limits.drift < math.inf:
            self._drift_limit = limits.drift
            self._wandered()

    def relearn(self) -> None:
        """Forget what was learned: it was not this mold's habit."""
        self._buffer = []
        self.reference = None
        self.n = self._odd_run = 0
        self._far, self._far_mean = Tail(), Tail()
        self._boost = 0.0
        self._drift_limit = math.inf
        self.leans_since = None
        self.ready = self.out = self._wandering = False
        self.since = None
        self.single.run = 0
        self.shift.value = 0.0
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
_KEPT = tuple(name for name in Channel.__slots__ if name not in (*_OBJECTS, "_pull"))
