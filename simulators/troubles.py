"""What faults do to a press as a whole: to its set points, counters, mold and power."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simulators.faults import Active
from simulators.physics.program import RANGES, Program, program
from simulators.press import Press
from simulators.shot import Shot

OPERATOR = "Operator 2"
WRONG_RESINS = ("PC", "PP")
"""Whose settings a wrong program has; the first that differs from the right one."""

EDITS: Mapping[str, tuple[str, ...]] = {
    "timer_changed": ("cooling_time_set_s",),
    "timer_creep": ("cooling_time_set_s",),
    "hold_time_changed": ("hold_time_set_s",),
    "open_close_changed": ("mold_open_time_s", "mold_close_time_s"),
}
"""Faults that are changes of set points, and which."""


@dataclass(slots=True)
class _Right:
    program: Program
    dataset: str
    undo: dict[str, dict[str, float]]
    """What takes back that which was edited in it."""


class Troubles:
    """Follows one press's faults, and its shots where a fault grows with them."""

    def __init__(self, press: Press) -> None:
        self.press = press
        self._undo: dict[str, dict[str, float]] = {}
        self._right: _Right | None = None
        """What a wrong program took the place of."""
        self._mounted = press.mounted
        press.faults.followers.append(self)
        press.listeners.append(self)

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """Do to the press what the fault is, or end it."""
        press, name = self.press, active.name
        self._forget()
        if name in EDITS:
            if not on:
                await self._take_back(active)
            elif name != "timer_creep":
                await self._edit(active, self._steps(active))
            return
        match name:
            case "wrong_program":
                await self._wrong_program(on=on)
            case "mold_id_late" | "mold_id_never" if not on:
                await press.show_mold(OPERATOR)
            case "power_off":
                await (press.power_off() if on else press.power_on())
            case "start_up":
                await self._stop(active["standing_s"])
            case "cycle_interrupted":
                press.abort()
                await self._stop(active["standing_s"])
            case "counter_reset":
                await press.reset_counter(int(active["to"]))
            case "job_counter_reset":
                await press.reset_job_counters(OPERATOR)
            case "counter_wrap":
                press.counters.limit = max(2, int(active["limit"]))
                await press.reset_counter(max(0, press.counters.limit - int(active["before"])))
            case "counter_rolled_back":
                await press.reset_counter(max(0, press.counter - int(active["by"])))
            case "counter_jump":
                await press.reset_counter(press.counter + int(active["by"]))
            case _:
                pass

    async def phase_changed(self, press: Press) -> None:
        """Nothing to do: what grows, grows with shots."""

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """Edit the timer a little more, where that is going on."""
        creep = press.faults.active("timer_creep")
        if creep is None or creep.shots % max(1, int(creep["every"])):
            return
        self._forget()
        if creep.shots / max(1, int(creep["every"])) <= creep["steps"]:
            await self._edit(creep, {"cooling_time_set_s": creep["by_s"]})

    async def changed(self, press: Press, change: object) -> None:
        """Nothing to do."""

    def _steps(self, active: Active) -> dict[str, float]:
        points = EDITS[active.name]
        if active.name == "open_close_changed":
            now = {point: float(getattr(self.press.program, point)) for point in points}
            return {point: value * (active["factor"] - 1) for point, value in now.items()}
        return dict.fromkeys(points, active["by_s"])

    async def _edit(self, active: Active, steps: Mapping[str, float]) -> None:
        """Change set points by some steps, and keep what takes them back."""
        undo = self._undo.setdefault(active.name, {})
        for point, step in steps.items():
            old = float(getattr(self.press.program, point))
            least, most = RANGES[point]
            new = round(min(most, max(least, old + step)), 3)
            undo[point] = undo.get(point, 0.0) - (new - old)
            await self.press.set_point(point, new, OPERATOR, logged=active.given["logged"] != 0)

    async def _take_back(self, active: Active) -> None:
        """Undo what was edited, in the program in which it was."""
        if active.name in self._undo:
            await self._edit(active, self._undo[active.name])
            del self._undo[active.name]
        if self._right is not None:
            for point, step in self._right.undo.pop(active.name, {}).items():
                value = round(float(getattr(self._right.program, point)) + step, 3)
                self._right.program = self._right.program.changed(point, value)

    def _forget(self) -> None:
        """What was done to a program is over when its mold has gone, and the program with it."""
        if self._mounted != self.press.mounted:
            self._mounted, self._right = self.press.mounted, None
            self._undo.clear()

    async def _wrong_program(self, *, on: bool) -> None:
        press, mold = self.press, self.press.mold_on
        if on:
            self._right = _Right(press.program, press.dataset, self._undo)
            self._undo = {}
            resin = next(each for each in WRONG_RESINS if each != mold.resin)
            other = replace(mold, resin=resin, expected_cycle_s=mold.expected_cycle_s + 3)
            await press.load(program(other, press.setup.tonnage), f"A-2105 {resin}", OPERATOR)
        elif self._right is not None:
            await press.load(self._right.program, self._right.dataset, OPERATOR)
            self._undo, self._right = self._right.undo, None

    async def _stop(self, seconds: float) -> None:
        press = self.press
        if press.clock.speed is None:
            press.stand(seconds)
        else:
            await press.stop_for(seconds, OPERATOR)
