"""What people do to a press, by name: for a fleet's timeline and for orders while it runs."""

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulators.listener import Units
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.physics.program import NUMBERS, enterable
from simulators.physics.resin import RESINS
from simulators.press import Press
from simulators.strict import hint, one_of

MODES: Mapping[str, Mode] = {mode.name.lower(): mode for mode in Mode if mode is not Mode.OTHER}

Given = Mapping[str, Any]
Act = Callable[[Press, Given, Mapping[str, Mold]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that people do."""

    what: str
    act: Act
    needs: Mapping[str, type] = field(default_factory=dict)
    """Parameters that have to be given."""
    takes: Mapping[str, type] = field(default_factory=dict)
    """Parameters that may be given."""
    between: bool = False
    """Only between two cycles."""

    def check(self, given: Given) -> None:
        """Refuse what is missing, unknown or of the wrong kind.

        Raises:
            ValueError: with a sentence.
        """
        every = {**self.needs, **self.takes}
        for key, value in given.items():
            if key not in every:
                known = ", ".join(every) or "none"
                raise ValueError(f"has no parameter '{key}'{hint(key, every)}; it has: {known}")
            if not _is(every[key], value):
                raise ValueError(f"has '{key}' = {value!r}; it should be {_KINDS[every[key]]}")
            if every[key] is not str and key != "value" and value < 0:
                raise ValueError(f"has '{key}' = {value!r}; it should not be below 0")
        missing = [key for key in self.needs if key not in given]
        if missing:
            raise ValueError(f"needs '{missing[0]}', {_KINDS[self.needs[missing[0]]]}")
        for key, known_values in _WORDS.items():
            if key in given and key in every:
                try:
                    one_of(given[key], known_values)
                except ValueError as error:
                    raise ValueError(f"has '{key}' = {given[key]!r}; it {error}") from error
        if "set_point" in given:
            enterable(given["set_point"], given["value"])


def _is(wanted: type, value: object) -> bool:
    if wanted is str:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return wanted is float or value == int(value)


_KINDS: Mapping[type, str] = {str: "a text", int: "a whole number", float: "a number"}
_WORDS: Mapping[str, Iterable[str]] = {
    "mode": MODES,
    "set_point": NUMBERS,
    "resin": RESINS,
    "pressure": ("bar", "MPa", "psi"),
    "temperature": ("C", "F"),
}
"""Parameters that are one of some words."""


async def _stop(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    reason = given.get("reason", "")
    await press.stop_for(float(given["standing_s"]), given.get("who", ""), reason)


async def _mode(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    await press.set_mode(MODES[given["mode"]], given.get("who", ""))


async def _set_point(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    await press.set_point(given["set_point"], float(given["value"]), given.get("who", ""))


async def _units(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    units = Units(pressure=given.get("pressure"), temperature=given.get("temperature"))
    await press.set_units(units, given.get("who", ""))


async def _job(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    lot, customer = given.get("lot", press.job.lot), given.get("customer", press.job.customer)
    job = Job(name=given["job"], parts=int(given.get("parts", 0)), lot=lot, customer=customer)
    await press.change_job(job, given.get("who", ""))


async def _lot(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    await press.change_lot(given["lot"], given.get("who", ""))


async def _mold(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    mold = molds.get(given["mold"]) or Mold(id=given["mold"])
    if "revision" in given:
        mold = replace(mold, revision=given["revision"])
    job = Job(name=given["job"]) if "job" in given else None
    await press.change_mold(mold, job, given.get("who", ""))


async def _recut(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    mold = replace(press.mold_on, revision=given["revision"])
    await press.change_mold(mold, None, given.get("who", ""))


async def _resin(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    mold = replace(press.mold_on, resin=given["resin"])
    await press.change_mold(mold, None, given.get("who", ""))
    if "lot" in given:
        await press.change_lot(given["lot"], given.get("who", ""))


async def _cavities(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    press.open_cavities = min(press.mold_on.cavities, max(0, int(given["open"])))


async def _dry(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    press.dry_run(int(given["count"]))


async def _reset_job(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    await press.reset_job_counters(given.get("who", ""))


async def _reset(press: Press, given: Given, molds: Mapping[str, Mold]) -> None:
    await press.reset_counter(int(given.get("to", 0)), given.get("who", ""))


_WHO: Mapping[str, type] = {"who": str}

ACTIONS: Mapping[str, Action] = {
    "stop": Action(
        what="Stops after the running cycle, in manual mode, and molds on later.",
        act=_stop,
        needs={"standing_s": float},
        takes={"reason": str, **_WHO},
    ),
    "mode": Action(
        what="Switches the mode: " + ", ".join(MODES) + ".",
        act=_mode,
        needs={"mode": str},
        takes=_WHO,
    ),
    "set_point": Action(
        what="Enters one set point of the molding program.",
        act=_set_point,
        needs={"set_point": str, "value": float},
        takes=_WHO,
    ),
    "units": Action(
        what="Sets an OPC 40077 control to bar, MPa or psi, and to C or F.",
        act=_units,
        takes={"pressure": str, "temperature": str, **_WHO},
    ),
    "job": Action(
        what="Starts another job; the job's counters start at 0.",
        act=_job,
        needs={"job": str},
        takes={"parts": int, "lot": str, "customer": str, **_WHO},
    ),
    "lot": Action(
        what="Goes on with another lot of resin.", act=_lot, needs={"lot": str}, takes=_WHO
    ),
    "mold": Action(
        what="Puts another mold on, with its own program.",
        act=_mold,
        needs={"mold": str},
        takes={"revision": str, "job": str, **_WHO},
        between=True,
    ),
    "recut": Action(
        what="Takes the mold off, re-cuts it and puts it on again as another revision.",
        act=_recut,
        needs={"revision": str},
        takes=_WHO,
        between=True,
    ),
    "resin": Action(
        what="Goes on with another resin and its settings.",
        act=_resin,
        needs={"resin": str},
        takes={"lot": str, **_WHO},
        between=True,
    ),
    "cavities": Action(
        what="Blocks or opens cavities: fewer parts are counted, NumCavities stays as it was.",
        act=_cavities,
        needs={"open": int},
    ),
    "dry_cycles": Action(
        what="Lets the next closings be without plastic.", act=_dry, needs={"count": int}
    ),
    "reset_job_counters": Action(
        what="Sets the job's counters to 0.", act=_reset_job, takes=_WHO
    ),
    "reset_counter": Action(
        what="Sets the machine's shot counter.", act=_reset, takes={"to": int, **_WHO}
    ),
}  # fmt: skip
"""Every action by its name."""
