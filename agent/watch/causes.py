"""Who judges what is out, in which order, and what was changed around it.

What is wrong with times explains what is wrong with heat, and both what is wrong with the process:
an office that has something under way lets the next one wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch import heat, process, times
from agent.watch.baseline import Baseline
from agent.watch.channel import Channel
from agent.watch.derived import COOLING
from agent.watch.openings import Openings
from agent.watch.supply import Supply
from agent.watch.verdict import Edit, Elsewhere, Scene, Verdict, Wait
from drivers import Notice, Value

Office = Literal["times", "heat", "process"]
"""Who judges: in this order, as what is wrong with the first explains the next."""
OFFICES: Sequence[Office] = ("times", "heat", "process")
_OFFICE: Mapping[str, Office] = {
    "times": "times", "coolant": "heat", "mold": "heat", "melt": "process", "process": "process",
}  # fmt: skip
_VERDICT: Mapping[Office, Callable[[Scene], Verdict | Wait | None]] = {
    "times": times.verdict, "heat": heat.verdict, "process": process.verdict,
}  # fmt: skip

EDITS_LAST = 4
"""Good cycles for which a changed setting may be the cause of a step."""
SWING_CYCLES = 40
"""Within which a signal that was out on both sides swings."""


class Causes:
    """Looks for the causes of what is out at one machine.

    Args:
        machine: Its name.
        opened: What is open there; what is found is opened in it.
        supply: What it has in common with the plant's other presses.
    """

    def __init__(self, machine: str, opened: Openings, supply: Supply) -> None:
        self._machine = machine
        self._opened = opened
        self._supply = supply
        self._since: dict[Office, int] = {}
        self._edits: list[Edit] = []
        self._swings: dict[str, list[tuple[int, int]]] = {}

    @property
    def pending(self) -> bool:
        """Whether something was out with the last shot, and has no cause yet."""
        return bool(self._since)

    def mount(self, by: int) -> None:
        """Another baseline is on, whose count of good cycles is so much higher."""
        self._edits = [replace(edit, cycle=edit.cycle + by) for edit in self._edits]
        self._since, self._swings = {}, {}

    # What was changed

    def told(self, notice: Notice, cycle: int) -> None:
        """The machine says that a setting was changed, before that good cycle."""
        self._edits.append(
            Edit(name=notice.name, old=notice.old, new=notice.new, who=notice.who, cycle=cycle)
        )

    def shown(self, values: Mapping[str, Value], baseline: Baseline) -> None:
        """Take note of set points that a cycle shows otherwise than the last."""
        changed = baseline.changed_sets(values)
        if not changed and not self._edits:
            return
        now = baseline.good
        told = {edit.name for edit in self._edits}
        self._edits += [
            Edit(name=name, old=old, new=new, who=None, cycle=now)
            for name, old, new in changed
            if name not in told
        ]
        self._edits = [edit for edit in self._edits if now - edit.cycle < EDITS_LAST]

    # Causes

    def take(
        self,
        booked: Booked,
        baseline: Baseline,
        values: Mapping[str, Value],
        out: Sequence[Channel],
    ) -> list[Anomaly]:
        """Open what is out and has a cause, and close what is as ever again.

        Args:
            booked: A good cycle.
            baseline: Of its mold, which has taken the cycle's values.
            values: These, with what was worked out of them.
            out: The channels that are out.
        """
        found = self._opened.over(booked, baseline)
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
            elsewhere = self._supply.elsewhere(self._machine, cycle.time)
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
        """As JSON values; `load` takes it."""
        return {
            "since": dict(self._since),
            "edits": [asdict(edit) for edit in self._edits],
            "swings": {name: [list(s) for s in swings] for name, swings in self._swings.items()},
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Know again what `save` kept."""
        self._since = dict(kept["since"])
        self._edits = [Edit(**each) for each in kept["edits"]]
        self._swings = {
            name: [(at, side) for at, side in swings] for name, swings in kept["swings"].items()
        }
