"""The watch of one machine: booked cycles and notices in, anomalies out.

It has no clock and does no I/O: the same cycles lead to the same anomalies from a socket, from a
file, and with a restart in between.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from agent.anomaly import Anomaly
from agent.cycle import Booked, Cycle
from agent.watch.baseline import Baseline, Key
from agent.watch.baselines import Baselines
from agent.watch.causes import Causes
from agent.watch.channel import Channel
from agent.watch.cuts import Cuts
from agent.watch.derived import with_cooling, with_rise
from agent.watch.facts import Facts
from agent.watch.openings import Openings
from agent.watch.sheet import Sheet
from agent.watch.stops import LEAST_S, MODES_STOPPED, SEMI, STOP_S, STRETCHED, Stops
from agent.watch.supply import Supply
from agent.watch.telling import interrupted, of_all, of_curve
from agent.watch.together import Strange
from agent.watch.units import Units
from drivers import Change, Notice, Value

NOTHING_CHOSEN: Mapping[str, Any] = MappingProxyType({})


class Watch:
    """Watches one machine.

    Args:
        machine: Its name.
        supply: What it has in common with the plant's other presses; one object for all of them.
        facts: What people know of a mold revision; asked when a mold comes on and after `reload`.
        together: Whether all signals are looked at together too, as a second opinion.
    """

    def __init__(
        self,
        machine: str,
        supply: Supply | None = None,
        facts: Callable[[str, str], Facts | None] = lambda mold, revision: None,
        *,
        together: bool = False,
    ) -> None:
        self.machine = machine
        self._supply = supply or Supply()
        self._facts = facts
        self._together = together
        self._baselines = Baselines()
        self._sheet = Sheet(Facts())
        self._units = Units()
        self._opened = Openings(machine, self._supply)
        self._causes = Causes(machine, self._opened, self._supply)
        self._cuts = Cuts()
        self._stops = Stops()

    @property
    def baseline(self) -> Baseline | None:
        """Of the mold that is on; None before the first shot of a known mold."""
        return self._baselines.on

    @property
    def opened(self) -> Sequence[Anomaly]:
        """The anomalies that are open."""
        own = (opened.anomaly for opened in self._opened)
        return [*own, *self._sheet.opened, *self._units.opened]

    def take(self, seen: Booked | Notice) -> Sequence[Anomaly]:
        """What follows from a booked cycle or a notice: new anomalies, and new states of open ones.

        Cycles of one machine must come in order of time.
        """
        if isinstance(seen, Notice):
            self._notice(seen)
            return ()
        return self._cycle(seen)

    # What people say

    def approve(
        self,
        who: str,
        at: datetime,
        levels: Mapping[str, float] = NOTHING_CHOSEN,
        curves: Mapping[str, Mapping[str, Any]] = NOTHING_CHOSEN,
        of: tuple[str, str] | None = None,
    ) -> Sequence[Anomaly]:
        """Where everything of a mold stands is golden; what was open on it is over.

        Args:
            who: The person whose word it is.
            at: When they said so.
            levels: Where signals belong instead, by the cycles that they chose.
            curves: The same of curves, as `Envelope.save` has them.
            of: Mold and revision; None for the one that is on. One that has left meanwhile is
                golden as it stood when it left.
        """
        baseline = self._baselines.newest(of)
        if baseline is None:
            return ()
        baseline.approve(who, at, levels, curves)
        if baseline is not self.baseline:
            return ()
        return self._opened.close_all(baseline, at, self._stops.counter)

    def carry(self, mold: str, old: str, new: str) -> bool:
        """Let a new revision of a mold begin with what the old one is like, by a person's word.

        Returns:
            Whether there was anything to carry.
        """
        return self._baselines.carry(mold, old, new)

    def reload(self) -> None:
        """People have changed facts of molds."""
        if self.baseline is not None:
            mold, revision, _ = self.baseline.key
            self._sheet = self._sheet.renewed(self._facts(mold, revision) or Facts())

    # What the machine says

    def _notice(self, notice: Notice) -> None:
        if notice.change is Change.MODE:
            if str(notice.new) in MODES_STOPPED:
                self._stops.left_automatic = True
        elif notice.change is Change.PARAMETER:
            self._causes.told(notice, self.baseline.good + 1 if self.baseline else 0)

    def _cycle(self, booked: Booked) -> Sequence[Anomaly]:
        cycle = booked.cycle
        if booked.mold is None or not cycle.fresh or cycle.closing == "dry":
            return ()
        found: list[Anomaly] = []
        key = self._baselines.key(booked.mold, booked.revision or "", cycle.resin)
        baseline = self.baseline
        if baseline is None or baseline.key != key:
            if baseline is not None:
                found += self._opened.close_all(baseline, cycle.time, self._stops.counter)
            found += self._sheet.close(cycle.time, self._stops.counter)
            found += self._units.close(cycle.time, self._stops.counter)
            baseline = self._mount(key)
            self._stops.left_automatic = True
        usual = baseline.channels.get("cycle_time_s")
        usual_s = self._usual_s(cycle, usual)
        stood_s = None if usual_s is None else self._stops.stood_s(booked, usual_s)
        if cycle.state != "production":
            return [*found, *self._off_production(booked, baseline)]
        if usual_s is not None and stood_s is not None and stood_s > LEAST_S:
            lost_s = self._stops.lost_s(booked, usual_s)
            if usual is not None and self._is_stretched(cycle, usual, baseline):
                found.append(interrupted(booked, stood_s, usual_s))
            elif lost_s is not None and baseline.paused():
                found.append(interrupted(booked, lost_s, usual_s))
            baseline.restart(stood_s)
        self._stops.note(booked)
        booked, told = self._units.take(booked, baseline.channels)
        found += told
        cycle = booked.cycle
        values = with_rise(with_cooling(cycle.values, baseline), baseline)
        odd, out = baseline.take(values, cycle.counter)
        self._causes.shown(cycle.values, baseline)
        found += self._sheet.take(booked, baseline, self._opened.shown)
        if odd or self._cuts.low or self._opened or self._causes.pending:
            found += self._cuts.take(booked, baseline, values)
            found += self._causes.take(booked, baseline, values, out)
        if cycle.curves and not baseline.warming_up:
            found += self._shapes(booked, baseline, odd=odd)
        if self._together:
            found += self._all_signals(booked, baseline, values, odd=odd)
        return found

    def _mount(self, key: Key) -> Baseline:
        before = self.baseline.good if self.baseline else 0
        baseline = self._baselines.mount(key, self._stops.at)
        self._causes.mount(baseline.good - before)  # each counts its own cycles
        self._sheet = Sheet(self._facts(key[0], key[1]) or Facts())
        self._cuts = Cuts()
        return baseline

    def _usual_s(self, cycle: Cycle, usual: Channel | None) -> float | None:
        """Length of a cycle of this mold, else of this one; None where neither is known."""
        if usual is not None and usual.n:
            return usual.centre
        lasted = cycle.values.get("cycle_time_s")
        return float(lasted) if isinstance(lasted, int | float) else self._stops.pace_s

    # Single shots

    def _is_stretched(self, cycle: Cycle, usual: Channel, baseline: Baseline) -> bool:
        lasted = cycle.values.get("cycle_time_s")
        if not isinstance(lasted, int | float) or cycle.mode == SEMI or not usual.ready:
            return False
        waits = any("cycle_time_s" in opened.consequences.holds for opened in self._opened)
        longest = max(
            STRETCHED * usual.centre,
            usual.centre + max(LEAST_S, 8 * usual.sigma, 2 * usual.single.limit),
        )
        if waits or not longest < lasted < STOP_S:
            return False
        # Where the machine says that the open mold waited, or a part stuck, that is what it was.
        late_s = sum(
            float(value) - channel.centre
            for name in ("pause_time_s", "ejection_time_s")
            if (channel := baseline.channels.get(name)) is not None and channel.ready
            if isinstance(value := cycle.values.get(name), int | float)
        )
        return late_s < 0.7 * (lasted - usual.centre)

    def _off_production(self, booked: Booked, baseline: Baseline) -> list[Anomaly]:
        """A shot that failed or a test: judged by nothing but a cut cooling time.

        So is the first one by hand: it may be the one for which somebody took over.
        """
        by_hand = booked.cycle.state == "setup"
        if by_hand and self._stops.left_automatic:
            return []
        if not by_hand:
            self._stops.note(booked)
        self._stops.left_automatic |= by_hand
        return [] if booked.cycle.state == "test" else self._cuts.failed(booked, baseline)

    # Curves

    def _shapes(self, booked: Booked, baseline: Baseline, *, odd: bool) -> list[Anomaly]:
        found: list[Anomaly] = []
        cycle = booked.cycle
        for name, left in baseline.shapes.take(booked, learn=not odd and not self._opened):
            shown = next((o for o in self._opened if o.curve == name), None)
            if left is None and shown is not None:
                found.append(self._opened.close(shown, baseline, cycle.time, cycle.counter))
            elif left is not None and shown is None:
                root = next((o for o in self._opened if not (o.curve or o.together)), None)
                anomaly = of_curve(booked, name, left, root.anomaly.id if root else None)
                found.append(self._opened.add(anomaly))
        return found

    # All signals together

    def _all_signals(
        self, booked: Booked, baseline: Baseline, values: Mapping[str, Value], *, odd: bool
    ) -> list[Anomaly]:
        cycle, together = booked.cycle, baseline.together
        shown = next((o for o in self._opened if o.together), None)
        if any(o is not shown for o in self._opened):
            together.pause()  # a cause with a name explains it
            return [self._opened.close(shown, baseline, cycle.time, cycle.counter)] if shown else []
        said = together.take(
            values,
            baseline.channels,
            learn=not odd and shown is None,
            judge=not self._causes.pending,
        )
        if said == "calm" and shown is not None:
            return [self._opened.close(shown, baseline, cycle.time, cycle.counter)]
        if not isinstance(said, Strange) or shown is not None:
            return []
        return [self._opened.add(of_all(booked, baseline, said))]

    # Over a restart of ours

    def save(self) -> dict[str, Any]:
        """Everything it knows, as JSON values; `load` takes it."""
        return {
            "baselines": self._baselines.save(),
            "key": list(self.baseline.key) if self.baseline else None,
            "opened": self._opened.save(),
            **self._causes.save(),
            "stops": self._stops.save(),
            "low": self._cuts.low,
            "sheet": self._sheet.save(),
            "units": self._units.save(),
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Know again what `save` kept."""
        self._baselines = Baselines.load(kept["baselines"], kept["key"])
        if kept["key"] is not None:
            mold, revision, _resin = kept["key"]
            self._sheet = Sheet(self._facts(mold, revision) or Facts())
            self._sheet.load(kept["sheet"])
        self._opened.load(kept["opened"])
        self._causes.load(kept)
        self._stops = Stops.load(kept["stops"])
        self._cuts.low = kept["low"]
        self._units.load(kept.get("units", {}))
