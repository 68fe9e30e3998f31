"""Where one signal of one mold stands and how far it scatters, as good cycles have taught it.

Centre and scatter come from the first cycles, robustly, and then from each one. What wanders in an
ordinary hour has a centre that follows it, and a reference that does not.
"""

import math
from collections.abc import Sequence
from statistics import fmean, median

from agent.watch.charts import Ewma, Shewhart
from agent.watch.limits import PROVISIONAL, Limits, Scatter
from agent.watch.tail import Tail
from agent.watch.treatment import Treatment

ARMED = 50
"""Good cycles until a channel is armed."""
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


class Habit:
    """What one signal is like.

    Args:
        treatment: How it is watched.
    """

    __slots__ = (
        "_boost", "_buffer", "_clip", "_drift_limit", "_due", "_ease", "_far", "_far_mean",
        "_grain", "_m2", "_odd", "_odd_run", "_pull", "_s2", "_wandering", "centre",
        "leans_since", "n", "ready", "reference", "shift", "single", "treatment",
    )  # fmt: skip

    def __init__(self, treatment: Treatment) -> None:
        self.treatment = treatment
        self.centre = 0.0
        self.reference: float | None = None
        """Where it stood when it was armed or approved; None before."""
        self.n = 0
        """Good cycles learned."""
        self.leans_since: int | None = None
        """Counter since when it has stood half way to where it may wander at most."""
        self.ready = False
        """Has limits, and is not settling."""
        self.single = Shewhart(math.inf, of=2)
        self.shift = Ewma(treatment.weight, math.inf)
        self._buffer: list[float] | None = []
        self._odd_run = 0
        """Cycles in a row off a provisional centre."""
        self._m2 = self._s2 = 0.0
        self._clip = self._odd = self._ease = self._drift_limit = math.inf
        self._wandering = False
        self._pull = treatment.pull
        self._boost = 0.0
        self._far, self._far_mean = Tail(), Tail()
        self._grain = 0.0
        self._due = REFRESH

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
    def home(self) -> float:
        """Where this mold belongs: the reference, or the centre while there is none."""
        return self.centre if self.reference is None else self.reference

    @property
    def limit(self) -> float:
        """The smallest lasting deviation that counts, in the signal's unit."""
        return self.shift.limit

    @property
    def young(self) -> bool:
        """Whether it has settled only lately, and may still be on its way."""
        return self._boost > 0 and self.treatment.slow

    # Learning

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

    def _wandered(self) -> bool:
        """Whether it stands too far from the reference, though it went there slowly."""
        if self.reference is None:
            return False
        limit = self._drift_limit * (BACK_WITHIN if self._wandering else 1.0)
        self._wandering = abs(self.level - self.reference) > limit
        return self._wandering

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

    def forget(self) -> None:
        """What was learned is no habit of this mold."""
        self._buffer = []
        self.reference = None
        self.n = self._odd_run = 0
        self._far, self._far_mean = Tail(), Tail()
        self._boost = 0.0
        self._drift_limit = math.inf
        self.leans_since = None
        self.ready = self._wandering = False
        self.single.run = 0
        self.shift.value = 0.0
