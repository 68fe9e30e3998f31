"""All signals of a mold at once: a second opinion, where each alone is as ever.

Principal components of what good shots scatter around their channels' centres: how far a shot lies
within them (T2), and how far beside them (Q). Both are smoothed, and held against what they are in
good shots themselves, so that neither independence nor normal tails are assumed. It never says what
is wrong, only which signals carry it, and it waits for the first opinion.

Source:
    Hotelling's T2 and the squared prediction error of a PCA model, and their contributions:
    Jackson and Mudholkar (1979); Miller, Swanson and Heckler (1998).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agent.watch.channel import Channel
from drivers import Value

Numbers = NDArray[np.float64]

LEARNED = 250
"""Good shots until the components are known."""
MEASURED = 500
"""Shots more, until it is known how the two statistics scatter, and something may be said."""
FOLLOWS = 3000
"""Shots over which that is renewed."""
SIGNALS_LEAST = 4
CUT = 4.0
"""A single value counts as so many of its own scatters at most: the single shot has a chart."""
FLOOR_SHARE = 0.25
"""Of the floor for a shift: the least scatter that is believed."""
EXPLAINED = 0.8
"""Share of the scatter that the components hold."""
WEIGHT = 0.1
SIGMAS, TIMES = 8.0, 1.6
"""Limits: the larger of so many of its own scatters above, and so many times its mean."""
LEAST = 4.0
"""The least limit, in variances of one signal: what lies within the floors is nobody's concern."""
SPREAD_LEAST = 0.05
"""The same of an axis: displays that stand have none."""
LASTS = 10
CALM = 25
NAMED, NAMED_LEAST = 4, 0.05
"""Signals whose share is told, and the least of one."""


@dataclass(frozen=True, slots=True)
class Strange:
    """Shots that are unlike the good ones as a whole."""

    t2: float
    t2_limit: float
    q: float
    q_limit: float
    shares: Mapping[str, float]
    """Of the statistic that is further beyond its limit, by signal; the largest first."""


class Statistic:
    """One of the two, smoothed, and what it is in good shots."""

    __slots__ = ("mean", "square", "value")

    def __init__(self) -> None:
        self.value = self.mean = self.square = 0.0

    @property
    def limit(self) -> float:
        """From which on it is strange."""
        return max(LEAST, TIMES * self.mean, self.mean + SIGMAS * math.sqrt(self.square))

    def learn(self, n: int) -> None:
        """What it is now is good; the n-th of them."""
        gain = 1.0 / min(n, FOLLOWS)
        off = min(self.value, self.limit if n > MEASURED else math.inf) - self.mean
        self.mean += gain * off
        self.square += gain * (off * off - self.square)


class Together:
    """What all signals of one mold on one machine are like together."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.n = 0
        """Good shots so far."""
        self._moments: Numbers = np.zeros((0, 0))
        self._scales: Numbers = np.zeros(0)
        self._axes: Numbers = np.zeros((0, 0))
        """Shape (components, signals)."""
        self._spreads: Numbers = np.zeros(0)
        """Variance along each axis."""
        self._smooth: Numbers = np.zeros(0)
        """Smoothed contributions to T2 and to Q, shape (2, signals)."""
        self._t2, self._q = Statistic(), Statistic()
        self._off = self._calm = 0

    @property
    def known(self) -> bool:
        """Whether it says something."""
        return self.n >= LEARNED + MEASURED

    def take(
        self,
        values: Mapping[str, Value],
        channels: Mapping[str, Channel],
        *,
        learn: bool,
        judge: bool,
    ) -> Strange | Literal["calm"] | None:
        """One good shot.

        Args:
            values: Its values.
            channels: What each signal is like alone.
            learn: Nothing about it is told by a single signal.
            judge: Nothing else explains it.

        Returns:
            What is strange, once that has lasted; `calm` once it has been as ever for long enough.
        """
        if not self.names:
            shown = sorted(channels.keys() & values.keys())
            if len(shown) < SIGNALS_LEAST or not all(_is_known(channels[n]) for n in shown):
                return None
            self.names = tuple(shown)
            self._moments = np.zeros((len(self.names),) * 2)
        away = self._away(values, channels)
        if away is None:
            return None
        if self.n < LEARNED:
            if learn:
                self._learn(away, channels)
            return None
        self._measure(np.clip(away / self._scales, -CUT, CUT))
        if not self.known:
            if learn:
                self._learned()
            return None
        return self._judge(learn=learn, judge=judge)

    def _away(self, values: Mapping[str, Value], channels: Mapping[str, Channel]) -> Numbers | None:
        """How far each signal is from its centre; None where one is missing or settles."""
        away = []
        for name in self.names:
            channel, value = channels.get(name), values.get(name)
            if channel is None or not channel.ready or not isinstance(value, int | float):
                return None
            away.append(value - channel.centre)
        return np.array(away)

    def _learn(self, away: Numbers, channels: Mapping[str, Channel]) -> None:
        cut = np.array([CUT * _scatter(channels[name]) for name in self.names])
        cut_away = np.clip(away, -cut, cut)
        self.n += 1
        self._moments += (np.outer(cut_away, cut_away) - self._moments) / self.n
        if self.n == LEARNED:
            least = np.array([_scatter(channels[name], 0.0) for name in self.names])
            self._scales = np.maximum(np.sqrt(np.diag(self._moments)), least)
            spreads, axes = np.linalg.eigh(self._moments / np.outer(self._scales, self._scales))
            spreads, axes = spreads[::-1], axes.T[::-1]
            held = np.cumsum(spreads) < EXPLAINED * spreads.sum()
            k = min(int(held.sum()) + 1, len(self.names) - 1)
            self._axes, self._spreads = axes[:k].copy(), np.maximum(spreads[:k], SPREAD_LEAST)

    def _measure(self, scaled: Numbers) -> None:
        scores = self._axes @ scaled
        weighed = self._axes.T @ (scores / self._spreads)
        beside = scaled - self._axes.T @ scores
        now = np.array([scaled * weighed, beside * beside])
        if not self._smooth.size:
            self._smooth = now
        self._smooth = self._smooth + WEIGHT * (now - self._smooth)
        self._t2.value, self._q.value = (float(part) for part in self._smooth.sum(axis=1))

    def _learned(self) -> None:
        self.n += 1
        for each in (self._t2, self._q):
            each.learn(self.n - LEARNED)

    def _judge(self, *, learn: bool, judge: bool) -> Strange | Literal["calm"] | None:
        beyond = [each.value / each.limit for each in (self._t2, self._q)]
        if max(beyond) <= 1.0:
            self._off, self._calm = 0, self._calm + 1
            if learn:
                self._learned()
            return "calm" if self._calm == CALM else None
        if not judge:
            return None
        self._off, self._calm = self._off + 1, 0
        if self._off != LASTS:
            return None
        parts = np.maximum(self._smooth[int(beyond[1] > beyond[0])], 0.0)
        shares = parts / parts.sum()
        order = [at for at in np.argsort(-shares)[:NAMED] if shares[at] >= NAMED_LEAST]
        return Strange(
            t2=self._t2.value,
            t2_limit=self._t2.limit,
            q=self._q.value,
            q_limit=self._q.limit,
            shares={self.names[at]: float(shares[at]) for at in order},
        )

    def pause(self) -> None:
        """The press stood, or something is open that explains what it sees: begin anew."""
        self._smooth = np.zeros(0)
        self._off = 0

    def save(self) -> dict[str, Any]:
        """As JSON values; `load` takes it."""
        return {
            "names": list(self.names),
            "n": self.n,
            "moments": self._moments.tolist() if self.n < LEARNED else [],
            "scales": self._scales.tolist(),
            "axes": self._axes.tolist(),
            "spreads": self._spreads.tolist(),
            "smooth": self._smooth.tolist(),
            "statistics": [[s.value, s.mean, s.square] for s in (self._t2, self._q)],
            "runs": [self._off, self._calm],
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Together":
        """What `save` kept."""
        together = cls()
        together.names, together.n = tuple(kept["names"]), kept["n"]
        together._moments = np.array(kept["moments"])
        together._scales = np.array(kept["scales"])
        together._axes = np.array(kept["axes"])
        together._spreads = np.array(kept["spreads"])
        together._smooth = np.array(kept["smooth"])
        for each, parts in zip((together._t2, together._q), kept["statistics"], strict=True):
            each.value, each.mean, each.square = parts
        together._off, together._calm = kept["runs"]
        return together


def _is_known(channel: Channel) -> bool:
    return channel.ready and channel.armed


def _scatter(channel: Channel, share: float = 1.0) -> float:
    """The scatter of one signal: its own, times a share, or the least that is believed."""
    floor = FLOOR_SHARE * channel.treatment.floors(channel.home)[1]
    return max(share * channel.sigma, floor)
