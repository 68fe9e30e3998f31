"""Streams from the simulators' process model: heat, warm-up, restarts, and its process faults.

The presses mold by hand, without a clock and without a wire, so that a hundred thousand shots take
half a minute; what they say is made into observations as a driver would.
"""

from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from bench.watch.stream import START, Cause, Stream, Trouble
from drivers import Change as What
from drivers import Notice, Observation, Origin, Report
from simulators.clock import Clock
from simulators.listener import Change
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.press import Press
from simulators.setup import Setup
from simulators.shot import Shot
from simulators.troubles import Troubles

T = TypeVar("T")

MOLDS = (
    Mold(id="W-1", part="lid", alloy="7075-T6", resin="ABS", expected_cycle_s=24),
    Mold(id="W-2", part="clip", alloy="QC-10", resin="PP", wall_mm=1.5, expected_cycle_s=18),
    Mold(id="W-3", part="lens", alloy="P20", resin="PC", wall_mm=2.5, expected_cycle_s=30),
    Mold(id="W-4", part="gear", alloy="QC-10", resin="PA66-GF30", cavities=2, expected_cycle_s=20),
    Mold(id="W-5", part="cap", cavities=4, wall_mm=1.6, expected_cycle_s=21),
)
OTHER = Mold(id="W-9", part="box", alloy="P20", resin="PP", wall_mm=3.0, expected_cycle_s=40)
"""What is on the press between two runs of the mold that a stream is about."""

THERMAL = ("mold_temp_c", "coolant_in_c", "coolant_out_c", "coolant_flow_l_min")
SET = ("cooling_time_set_s", "hold_time_set_s", "mold_temp_set_c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What a machine shows of what happens in it."""

    name: str
    hides: frozenset[str] = frozenset()
    logs: bool = True
    """Whether it announces what people change."""


INTERFACES: Mapping[str, Interface] = {
    each.name: each
    for each in (
        Interface(name="everything"),
        Interface(name="no log, no set points", logs=False, hides=frozenset(SET)),
        Interface(name="no flow", hides=frozenset({"coolant_flow_l_min"})),
        Interface(name="mold sensor, no coolant", hides=frozenset(THERMAL[1:])),
        Interface(name="nothing thermal", hides=frozenset(THERMAL)),
        Interface(
            name="no cooling time", logs=False, hides=frozenset({"cooling_time_s", *SET[:2]})
        ),
    )
}

RUN_CYCLES = (100, 200, 500, 1000, 3000, 5000)
STOPS_S = (300.0, 1800.0, 18000.0)
CYCLES_PER_STOP = 400
"""On average."""


class Teller:
    """Says what happens at a press, as a driver of its machine would.

    Args:
        press: One that molds by hand.
        interface: What it shows.
    """

    def __init__(self, press: Press, interface: Interface) -> None:
        self._press = press
        self._interface = interface
        self._said: list[Observation] = []
        press.listeners.append(self)

    def mold(self, *, dry: bool = False) -> Iterator[Observation]:
        """Mold one closing; what is said of it and of what came before."""
        shot = done(self._press.mold(dry=dry))
        self._said.append(self._report(shot))
        yield from self.said()

    def said(self) -> Iterator[Observation]:
        """What was not told yet."""
        said, self._said = self._said, []
        yield from said

    async def phase_changed(self, press: Press) -> None:
        """Nothing to say."""

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """Said by `mold`, after what people did in the closing."""

    async def changed(self, press: Press, change: Change) -> None:
        """Note what was changed, where the machine announces that."""
        notice = self._notice(change)
        if notice is not None:
            self._said.append(notice)

    def _notice(self, change: Change) -> Notice | None:
        at = self._at(self._press.at_s)
        old, new = change.old, change.new
        match change.kind:
            case "mode":
                what, name, old, new = What.MODE, "mode", old.name, new.name
            case "production":
                what, name, old, new = What.PRODUCTION, "production_status", old.name, new.name
            case "job":
                what, name, old, new = What.JOB, "job", old.name, new.name
            case "mold":
                what, name, old, new = What.MOLD, "mold", old.id, new.id
            case "parameter" | "dataset" if self._interface.logs:
                known = {"dataset": "production_dataset"}
                what, name = What.PARAMETER, known.get(change.kind, change.name)
            case _:
                return None
        return Notice(
            machine=self._press.name, change=what, name=name, old=old, new=new,
            who=change.who or None, at=at, received_at=at,
        )  # fmt: skip

    def _report(self, shot: Shot) -> Report:
        late = self._press.faults.active("late_publication")
        late_s = late["by_s"] if late is not None and late.shots % 2 else 0.0
        at = self._at(shot.at_s + late_s)
        hides = self._interface.hides
        return Report(
            machine=shot.machine,
            counter=shot.counter,
            ended_at=at,
            received_at=at,
            origin=Origin.REPORTED,
            values={name: value for name, value in shot.values.items() if name not in hides}
            | {"job_counter": shot.job_counter},
            states={
                "mold": shot.mold.id,
                "job": shot.job.name,
                "mode": shot.mode.name,
                "resin": shot.mold.resin,
                "closing": shot.closing,
                "quality": f"{shot.quality.name}_CYCLE",
            },
        )

    @staticmethod
    def _at(seconds: float) -> datetime:
        return START + timedelta(seconds=round(seconds, 3))


def clean(mold: Mold, seed: int, cycles: int, interface: str = "everything") -> Stream:
    """A mold as it should be: many runs, with stops, jobs, other molds between and one re-cut.

    Args:
        mold: The one that the stream is about; another is on the press between its runs.
        seed: Of everything that is drawn.
        cycles: Shots of the mold, at least.
        interface: One of `INTERFACES`.
    """
    revisions: dict[str, str] = {}

    def observations() -> Iterator[Observation]:
        random = Random(f"clean/{mold.id}/{seed}")
        press = Press(_setup(mold), Clock(None), f"clean/{seed}")
        Troubles(press)
        teller = Teller(press, INTERFACES[interface])
        made, job, present = 0, 0, mold
        revisions[mold.id] = present.revision
        while made < cycles:
            run = min(random.choice(RUN_CYCLES), max(100, cycles - made))
            for _ in range(run):
                if random.random() < 1 / CYCLES_PER_STOP:
                    yield from _stop(press, teller, random.choice(STOPS_S))
                if random.random() < 1 / 1000:
                    job += 1
                    done(press.change_job(Job(name=f"J-{job}")))
                yield from teller.mold()
            made += run
            if made > cycles / 2 and present.revision == "A":
                present = replace(present, revision="B")
            yield from _change(press, teller, OTHER, f"O-{job}", random)
            for _ in range(30):
                yield from teller.mold()
            revisions[mold.id] = present.revision
            job += 1
            yield from _change(press, teller, present, f"J-{job}", random)

    return Stream(
        name=f"clean {mold.id}, {interface}", seed=seed, observations=observations,
        revisions=revisions,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault of the menu as the watch is shown it."""

    fault: str
    given: Mapping[str, float]
    size: float
    unit: str
    right: frozenset[Cause]
    """Causes that are true of it."""
    also: frozenset[Cause] = frozenset()
    """Causes that are no lie, and not enough."""
    cycles: int = 150
    """How long it is watched."""
    within: int = 50
    water: bool = False
    """Whether only a mold, coolant or flow signal can show it."""
    thermal: bool = False
    """Whether to name it takes a coolant signal, beside the mold's."""


def _right(kind: str, *causes: str) -> frozenset[Cause]:
    return frozenset((kind, cause) for cause in causes)


CASES = (
    *(
        Case(fault="timer_changed", given={"by_s": by_s}, size=by_s, unit="s",
             right=_right("cooling_time", "timer_changed"))
        for by_s in (0.1, 0.2, 0.5, 1.0, 2.0, -0.5, -2.0)
    ),
    Case(fault="timer_creep", given={}, size=0.05, unit="s an edit", cycles=320, within=250,
         right=_right("cooling_time", "staircase_drift", "timer_changed")),
    Case(fault="hold_time_changed", given={"by_s": 0.5}, size=0.5, unit="s",
         right=_right("cycle_time", "hold_time_changed")),
    Case(fault="open_close_changed", given={}, size=1.15, unit="times",
         right=_right("cycle_time", "open_close_changed")),
    Case(fault="recovery_slow", given={}, size=0.6, unit="s over the timer",
         right=_right("cooling_time", "recovery_exceeds_timer"),
         also=_right("process", "recovery_shift")),
    *(
        Case(fault="mold_temperature_drift", given={"by_k": by_k, "over": over}, size=by_k,
             unit=f"K over {over}", water=True, right=_right("cooling_heat", "mold_temperature"))
        for by_k, over in ((2, 10), (5, 1), (5, 10), (5, 30), (10, 30))
    ),
    *(
        Case(fault="coolant_flow_low", given={"share": share, "over": over}, size=share,
             unit=f"lost over {over}", water=True, thermal=True,
             right=_right("cooling_heat", "coolant_flow_low"))
        for share, over in ((0.5, 1), (0.5, 30), (0.9, 1))
    ),
    Case(fault="fouling", given={}, size=0.5, unit="mm over 500", cycles=700, within=600,
         water=True, right=_right("cooling_heat", "fouling", "mold_temperature")),
    Case(fault="coolant_supply_warm", given={}, size=5, unit="K over 10", water=True, thermal=True,
         right=_right("cooling_heat", "coolant_supply_warm")),
    Case(fault="temperature_control_fault", given={}, size=4, unit="K", water=True, thermal=True,
         right=_right("cooling_heat", "temperature_control_fault")),
    Case(fault="part_sticks", given={}, size=2.0, unit="s",
         right=_right("cycle_time", "ejection_delay")),
    Case(fault="operator_wait", given={}, size=4.0, unit="s",
         right=_right("cycle_time", "operator_wait")),
    Case(fault="cycle_interrupted", given={}, size=90, unit="s",
         right=_right("cycle_time", "interrupted")),
    Case(fault="cooling_cut_short", given={}, size=0.4, unit="of the timer",
         right=_right("cooling_time", "cut_short")),
    Case(fault="wrong_program", given={}, size=1, unit="",
         right=_right("process", "program_changed")),
    Case(fault="pressure_drift", given={}, size=0.06, unit="of the level", within=100,
         right=_right("process", "pressure_shift")),
    Case(fault="cushion_drift", given={}, size=-0.6, unit="mm over 100", within=130,
         right=_right("process", "cushion_shift")),
    Case(fault="melt_temperature_shift", given={}, size=8, unit="K over 20",
         right=_right("process", "melt_temperature")),
    *(
        Case(fault=fault, given=given, size=size, unit="s", right=frozenset())
        for fault, given, size in (
            ("start_up", {"standing_s": 300}, 300), ("start_up", {"standing_s": 1800}, 1800),
            ("start_up", {"standing_s": 18000}, 18000), ("late_publication", {}, 0.4),
        )
    ),
)  # fmt: skip
"""The fault classes of the reference page on molding, 2.5, with their sizes, and what is none."""


def faulty(mold: Mold, seed: int, case: Case, interface: str = "everything") -> Stream:
    """A mold that ran well for some hundred shots, and then something is wrong with it."""
    random = Random(f"{case.fault}/{case.size}/{mold.id}/{seed}")
    before = random.randrange(180, 420)
    stop_at = random.randrange(60, 120)

    def observations() -> Iterator[Observation]:
        press = Press(_setup(mold), Clock(None), f"{case.fault}/{case.size}/{seed}")
        Troubles(press)
        teller = Teller(press, INTERFACES[interface])
        for n in range(before):
            if n == stop_at:
                yield from _stop(press, teller, 1200.0)
            yield from teller.mold()
        done(press.faults.on(case.fault, case.given))
        for _ in range(case.cycles):
            yield from teller.mold()

    hidden = INTERFACES[interface].hides
    right, also = case.right, case.also
    if case.water and hidden >= {*THERMAL}:
        # Of the water nothing can be known; that the pressure followed the mold is true.
        right, also = frozenset(), _right("process", "pressure_shift")
    elif case.thermal and hidden >= {*THERMAL[1:]}:
        right = _right("cooling_heat", "mold_temperature")
    return Stream(
        name=f"{case.fault} {case.size:g} {case.unit}, {mold.id}, {interface}",
        seed=seed,
        observations=observations,
        trouble=Trouble(
            name=case.fault, size=case.size, unit=case.unit, first=before + 1, right=right,
            also=also, within=case.within,
        ),
        revisions={mold.id: mold.revision},
    )  # fmt: skip


def done(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to that waits for nothing.

    Raises:
        RuntimeError: it waits after all.
    """
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("a press that molds by hand waited for something")


def _setup(mold: Mold) -> Setup:
    return Setup(name="IMM-01", mold=mold, job=Job(name="J-0"))


def _stop(press: Press, teller: Teller, seconds: float) -> Iterator[Observation]:
    done(press.set_mode(Mode.MANUAL))
    press.stand(seconds)
    press.catch_up()
    done(press.set_mode(Mode.AUTOMATIC))
    yield from teller.said()


def _change(
    press: Press, teller: Teller, mold: Mold, job: str, random: Random
) -> Iterator[Observation]:
    done(press.set_mode(Mode.SETUP))
    press.stand(random.uniform(1200, 3600))
    press.catch_up()
    done(press.change_mold(mold, Job(name=job)))
    for _ in range(random.randrange(4)):
        yield from teller.mold(dry=True)
    done(press.set_mode(Mode.AUTOMATIC))
    yield from teller.said()
