"""What is open at one machine: opened by verdicts, with what follows from each, and closed again.

One cause is open once. While it is, what it explains is neither judged nor learned from; what it
moves may find a new level; what it steps is watched on from where it stands.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch.baseline import Baseline
from agent.watch.consequences import Consequences
from agent.watch.opened import Opened
from agent.watch.supply import Supply
from agent.watch.telling import of_verdict
from agent.watch.treatment import RISE
from agent.watch.verdict import Verdict

FOLLOW_SHOTS = 12
"""That other signals take at the least to follow a change."""
FAR_SHARE = 0.03
"""Of the cycle: a step from here on makes another operating point."""


class Openings:
    """The open anomalies of the mold on one machine.

    Args:
        machine: Its name.
        supply: What it has in common with the plant's other presses.
    """

    def __init__(self, machine: str, supply: Supply) -> None:
        self._machine = machine
        self._supply = supply
        self._opened: list[Opened] = []

    def __iter__(self) -> Iterator[Opened]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)

    @property
    def shown(self) -> Sequence[Opened]:
        """As they stand now."""
        return self._opened

    def add(self, anomaly: Anomaly) -> Anomaly:
        """Open one from which nothing follows."""
        self._opened.append(Opened(anomaly))
        return anomaly

    def open(self, booked: Booked, baseline: Baseline, verdict: Verdict) -> list[Anomaly]:
        """Open what was found, unless it is a step back, or more of what is open already."""
        cycle, channel = booked.cycle, verdict.channel
        found: list[Anomaly] = []
        same = next((o for o in self._opened if o.what == (verdict.kind, verdict.cause)), None)
        new = Opened(of_verdict(booked, verdict, baseline))
        steps = new.consequences.steps
        if steps:
            back = abs(channel.centre + channel.off - channel.home) <= channel.limit
            stepped = [o for o in self._opened if o.consequences.steps & {channel.name}]
            if back and stepped:
                for opened in stepped:
                    found.append(self.close(opened, baseline, cycle.time, cycle.counter))
                    for name in opened.consequences.steps & baseline.channels.keys():
                        baseline.channels[name].home_again()
                self._follow(baseline, new.consequences, far=False)
                return found
        if same is not None and verdict.cause == "staircase_drift":
            grown = replace(
                new.anomaly, id=same.anomaly.id, since_counter=same.anomaly.since_counter
            )
            same.anomaly = replace(grown, time=same.anomaly.time, counter=same.anomaly.counter)
            new = same
        else:
            if same is not None:
                found.append(self.close(same, baseline, cycle.time, cycle.counter))
            self._opened.append(new)
        found.append(new.anomaly)
        far = verdict.cause == "program_changed" or (
            bool(steps) and abs(channel.off) > FAR_SHARE * _cycle_s(baseline)
        )
        self._step(baseline, steps)
        held = new.consequences.holds
        baseline.frozen([name for name in held if name in baseline.channels], frozen=True)
        self._follow(baseline, new.consequences, far=far)
        if verdict.kind == "cooling_heat" and channel.off > 0 and channel.name != RISE:
            self._supply.warmed(self._machine, cycle.time, channel.name, new.anomaly.id)
        return found

    def _step(self, baseline: Baseline, steps: Iterable[str]) -> None:
        """Let phases stand at their new lengths, and the cycle at what they come to."""
        by = 0.0
        stepping = [baseline.channels[name] for name in sorted(steps) if name in baseline.channels]
        for channel in stepping:
            if channel.name != "cycle_time_s" and abs(channel.off) > 0.5 * channel.limit:
                by += channel.off
                channel.step(channel.off)
        for channel in stepping:
            if channel.name == "cycle_time_s":
                channel.step(by if abs(channel.off - by) <= channel.limit else channel.off)

    def _follow(self, baseline: Baseline, consequences: Consequences, *, far: bool) -> None:
        for name in consequences.moves:
            if name in baseline.channels:
                baseline.channels[name].move(FOLLOW_SHOTS, far=far)

    def over(self, booked: Booked, baseline: Baseline) -> list[Anomaly]:
        """Close what is as ever again."""
        found = []
        for opened in list(self._opened):
            needed = opened.calm_cycles
            channel = baseline.channels.get(opened.anomaly.signal or "")
            if needed and channel is not None and channel.ready and channel.calm_run >= needed:
                cycle = booked.cycle
                found.append(self.close(opened, baseline, cycle.time, cycle.counter))
        return found

    def close(
        self, opened: Opened, baseline: Baseline, at: datetime, counter: int | None
    ) -> Anomaly:
        """This one is over; the anomaly as it stands then."""
        self._opened.remove(opened)
        still = {name for other in self._opened for name in other.consequences.holds}
        baseline.frozen(opened.consequences.holds - still, frozen=False)
        if opened.anomaly.kind == "cooling_heat":
            self._supply.cooled(self._machine)
        return opened.closed(at, counter)

    def close_all(self, baseline: Baseline, at: datetime, counter: int) -> list[Anomaly]:
        """All is over: the mold left, or a person approved what it is like."""
        return [self.close(opened, baseline, at, counter) for opened in list(self._opened)]

    # Over a restart of ours

    def save(self) -> list[dict[str, Any]]:
        """As JSON values."""
        return [opened.to_json() for opened in self._opened]

    def load(self, kept: Iterable[Mapping[str, Any]]) -> None:
        """Know again what `save` kept."""
        self._opened = [Opened.from_json(each) for each in kept]
        for opened in self._opened:
            anomaly = opened.anomaly
            if anomaly.kind == "cooling_heat" and anomaly.signal is not None:
                self._supply.warmed(self._machine, anomaly.time, anomaly.signal, anomaly.id)


def _cycle_s(baseline: Baseline) -> float:
    cycle = baseline.channels.get("cycle_time_s")
    return cycle.home if cycle is not None and cycle.ready else 0.0
