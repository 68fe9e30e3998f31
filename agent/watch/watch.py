"""The watch of one machine: booked cycles and notices in, anomalies out.

It has no clock and does no I/O: the same cycles lead to the same anomalies from a socket, from a
file, and with a restart in between.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from agent.anomaly import Anomaly
from agent.cycle import Booked, Cycle
from agent.watch import heat, process, times
from agent.watch.baseline import Baseline, Key
from agent.watch.baselines import Baselines
from agent.watch.channel import Channel
from agent.watch.derived import COOLING, with_cooling, with_rise
from agent.watch.facts import Facts
from agent.watch.openings import Openings
from agent.watch.sheet import Sheet
from agent.watch.stops import LEAST_S, MODES_STOPPED, STOP_S, STRETCHED, Stops
from agent.watch.supply import Supply
from agent.watch.telling import cut, interrupted, of_all, of_curve
from agent.watch.times import SEMI
from agent.watch.together import Strange
from agent.watch.units import Units
from agent.watch.verdict import Edit, Elsewhere, Scene, Verdict, Wait
from drivers import Change, Notice, Value

Office = Literal["times", "heat", "process"]
"""Who judges: in this order, as what is wrong with the first explains the next."""
OFFICES: Sequence[Office] = ("times", "heat", "process")
_OFFICE: Mapping[str, Office] = {
    "times": "times", "coolant": "heat", "mold": "heat", "melt": "process", "process": "process",
}  # fmt: skip
_VERDICT: Mapping[Office, Callable[[Scene], Verdict | Wait | None]] = {
    "times": times.verdict, "heat": heat.verdict, "process": process.verdict,
}  # fmt: skip

NOTHING_CHOSEN: Mapping[str, Any] = MappingProxyType({})

EDITS_LAST = 4
"""Good cycles for which a changed setting may be the cause of a step."""
SWING_CYCLES = 40
"""Within which a signal that was out on both sides swings."""
CUT_SHARE, CUT_S = 0.15, 1.0
"""How much shorter a single cooling time is that was cut."""


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
        self._since: dict[Office, int] = {}
        self._edits: list[Edit] = []
        self._swings: dict[str, list[tuple[int, int]]] = {}
        self._stops = Stops()
        self._low: list[Any] | None = None
        """Counter and cooling time of the last shot, where it was too short."""

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
            cycle = self.baseline.good + 1 if self.baseline else 0
            self._edits.append(
                Edit(name=notice.name, old=notice.old, new=notice.new, who=notice.who, cycle=cycle)
            )

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
        if (changed := baseline.changed_sets(cycle.values)) or self._edits:
            self._note_edits(changed, baseline)
        found += self._sheet.take(booked, baseline, self._opened.shown)
        if odd or self._low or self._opened or self._since:
            found += self._judge(booked, baseline, values, out)
        if cycle.curves and not baseline.warming_up:
            found += self._shapes(booked, baseline, odd=odd)
        if self._together:
            found += self._all_signals(booked, baseline, values, odd=odd)
        return found

    def _mount(self, key: Key) -> Baseline:
        before = self.baseline.good if self.baseline else 0
        baseline = self._baselines.mount(key, self._stops.at)
        by = baseline.good - before  # each counts its own cycles
        self._edits = [replace(edit, cycle=edit.cycle + by) for edit in self._edits]
        self._sheet = Sheet(self._facts(key[0], key[1]) or Facts())
        self._since, self._swings, self._low = {}, {}, None
        return baseline

    def _usual_s(self, cycle: Cycle, usual: Channel | None) -> float | None:
        """Length of a cycle of this mold, else of this one; None where neither is known."""
        if usual is not None and usual.n:
            return usual.centre
        lasted = cycle.values.get("cycle_time_s")
        return float(lasted) if isinstance(lasted, int | float) else self._stops.pace_s

    def _note_edits(self, changed: list[tuple[str, float, float]], baseline: Baseline) -> None:
        now = baseline.good
        told = {edit.name for edit in self._edits}
        self._edits += [
            Edit(name=name, old=old, new=new, who=None, cycle=now)
            for name, old, new in changed
            if name not in told
        ]
        self._edits = [edit for edit in self._edits if now - edit.cycle < EDITS_LAST]

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
        cycle = booked.cycle
        by_hand = cycle.state == "setup"
        if by_hand and self._stops.left_automatic:
            return []
        if not by_hand:
            self._stops.note(booked)
        self._stops.left_automatic |= by_hand
        cooling = baseline.channels.get("cooling_time_s")
        value = with_cooling(cycle.values, baseline).get(COOLING)
        if cycle.state == "test" or cooling is None or not cooling.ready:
            return []
        if not isinstance(value, int | float) or not _is_cut(float(value), cooling):
            return []
        return [cut(booked, cycle.counter, float(value), cooling.centre)]

    def _watch_cut(
        self, booked: Booked, baseline: Baseline, values: Mapping[str, Value]
    ) -> list[Anomaly]:
        """A single low cooling time is told when the next one is as ever: a timer would stay."""
        cooling = baseline.channels.get(COOLING)
        if cooling is None or not cooling.ready or COOLING not in values:
            return []
        low, self._low = self._low, None
        if _is_cut(cooling.last, cooling) and not cooling.frozen:
            if low is None and abs(cooling.single.run) == 1:
                self._low = [booked.cycle.counter, cooling.last]
            return []
        if low is None or abs(cooling.last - cooling.centre) > cooling.single.limit:
            return []
        return [cut(booked, low[0], low[1], cooling.centre)]

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
            values, baseline.channels, learn=not odd and shown is None, judge=not self._since
        )
        if said == "calm" and shown is not None:
            return [self._opened.close(shown, baseline, cycle.time, cycle.counter)]
        if not isinstance(said, Strange) or shown is not None:
            return []
        return [self._opened.add(of_all(booked, baseline, said))]

    # Causes

    def _judge(
        self,
        booked: Booked,
        baseline: Baseline,
        values: Mapping[str, Value],
        out: Sequence[Channel],
    ) -> list[Anomaly]:
        found = self._watch_cut(booked, baseline, values)
        found += self._opened.over(booked, baseline)
        offices: dict[Office, list[Channel]] = {}
        for channel in out:
            self._swing(channel, baseline.good)
            if not channel.frozen:
                offices.setdefault(_OFFICE[channel.treatment.group], []).append(channel)
        for office in OFFICES:
            if office not in offices:
                self._since.pop(office, None)
                continue
            first = self._since.setdefault(office, baseline.good)
            if not any(channel.stands for channel in offices[office]):
                continue
            if office == "process" and "heat" in self._since:
                continue
            judged = [c for c in offices[office] if c.ready and not c.frozen and c.out]
            if not judged:
                continue
            scene = self._scene(booked, baseline, values, judged, baseline.good - first + 1)
            verdict = _VERDICT[office](scene)
            if isinstance(verdict, Verdict):
                found += self._opened.open(booked, baseline, verdict)
                self._since.pop(office, None)
                if verdict.cause == "program_changed":
                    self._since.clear()
                    break
        return found

    def _scene(
        self,
        booked: Booked,
        baseline: Baseline,
        values: Mapping[str, Value],
        out: Sequence[Channel],
        age: int,
    ) -> Scene:
        cycle = booked.cycle
        elsewhere: Sequence[Elsewhere] = ()
        if any(channel.treatment.group in ("coolant", "mold") for channel in out):
            elsewhere = self._supply.elsewhere(self.machine, cycle.time)
        return Scene(
            baseline=baseline,
            counter=cycle.counter,
            time=cycle.time,
            mode=cycle.mode,
            values=values,
            out=out,
            edits=self._edits,
            age=age,
            derived=COOLING not in cycle.values,
            opened=[opened.what for opened in self._opened],
            swung=[name for name, swings in self._swings.items() if len(swings) > 1],
            elsewhere=elsewhere,
        )

    def _swing(self, channel: Channel, now: int) -> None:
        """Note on which side a coolant signal is out; of one side in a row only the newest."""
        if channel.treatment.group != "coolant":
            return
        side = 1 if channel.last > channel.centre else -1
        if abs(channel.last - channel.centre) < 0.6 * channel.limit:
            return
        swings = [s for s in self._swings.get(channel.name, []) if now - s[0] <= SWING_CYCLES]
        if swings and swings[-1][1] == side:
            swings.pop()
        self._swings[channel.name] = [*swings, (now, side)]

    # Over a restart of ours

    def save(self) -> dict[str, Any]:
        """Everything it knows, as JSON values; `load` takes it."""
        return {
            "baselines": self._baselines.save(),
            "key": list(self.baseline.key) if self.baseline else None,
            "opened": self._opened.save(),
            "since": dict(self._since),
            "edits": [asdict(edit) for edit in self._edits],
            "swings": {name: [list(s) for s in swings] for name, swings in self._swings.items()},
            "stops": self._stops.save(),
            "low": self._low,
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
        self._since = dict(kept["since"])
        self._edits = [Edit(**each) for each in kept["edits"]]
        self._swings = {
            name: [(at, side) for at, side in swings] for name, swings in kept["swings"].items()
        }
        self._stops = Stops.load(kept["stops"])
        self._low = kept["low"]
        self._units.load(kept.get("units", {}))


def _is_cut(value: float, cooling: Channel) -> bool:
    return value < cooling.centre - max(CUT_S, CUT_SHARE * cooling.centre, cooling.single.limit)
