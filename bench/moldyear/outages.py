"""How long an agent that was killed is away: as long as it takes until it is started again.

Mostly that is a supervisor's restart of seconds; now and then a computer starts anew, somebody has
to come, or nobody does until Monday.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from random import Random

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Kind:
    """Outages of one sort; their lengths spread evenly over the orders of magnitude."""

    word: str
    share: float
    least_s: float
    most_s: float


KINDS = (
    Kind("seconds", 0.72, 5.0, MINUTE_S),
    Kind("minutes", 0.18, MINUTE_S, 30 * MINUTE_S),
    Kind("hours", 0.09, HOUR_S, 14 * HOUR_S),
    Kind("weekend", 0.01, 40 * HOUR_S, 66 * HOUR_S),
)
SHORT = ("seconds", "minutes")
"""After these life is the truth to the shot, where nothing but closings was missed."""

APART_S = 10 * MINUTE_S
"""From one to the next at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One kill, and when the agent is back."""

    at_s: float
    up_s: float
    kind: str

    @property
    def is_short(self) -> bool:
        """Whether it is one of seconds or minutes."""
        return self.kind in SHORT


def drawn(random: Random, kills: int, end_s: float, kinds: Sequence[str] = ()) -> list[Outage]:
    """Outages at random times, in their order.

    Args:
        random: Draws them.
        kills: How many.
        end_s: Before it they begin.
        kinds: Only these; all by their shares if none is named.
    """
    among = [each for each in KINDS if not kinds or each.word in kinds]
    found: list[Outage] = []
    up_s = 0.0
    for drawn_s in sorted(random.uniform(0.0, end_s) for _ in range(kills)):
        at_s = max(drawn_s, up_s + APART_S)
        kind = random.choices(among, [each.share for each in among])[0]
        up_s = at_s + exp(random.uniform(log(kind.least_s), log(kind.most_s)))
        found.append(Outage(at_s=at_s, up_s=up_s, kind=kind.word))
    return [each for each in found if each.at_s < end_s]
