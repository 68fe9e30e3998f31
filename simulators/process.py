"""How one shot differs from the next: drift, scatter, display steps and the first shots of a run.

Every quantity is its set point plus a slow drift (AR(1)) plus white noise, and then rounded to the
step that the machine displays. What the machine publishes and what the truth log holds are the same
rounded numbers.

Source:
    Sizes of scatter are those measured on a public data set of 212 cycles and 7 set-ups, and shop
    values where that has none (reference page on molding, 1.3, 1.5 and 1.6).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulators.faults import Faults
from simulators.modes import Mode, Phase, Quality
from simulators.mold import Mold
from simulators.program import Program
from simulators.shot import PHASE_TIMES, Plan


@dataclass(frozen=True, slots=True)
class Scatter:
    """How one quantity scatters around its set point."""

    drift: float
    """Standard deviation of the slow part; a share of the set point, or `absolute`."""
    noise: float
    """Standard deviation of the white part."""
    decimals: int
    """Of the display."""
    memory: float = 0.8
    """Lag-1 correlation of the slow part."""
    absolute: bool = False


SCATTER: Mapping[str, Scatter] = {
    "injection_pressure_peak_bar": Scatter(0.0035, 0.0025, 1),
    "hold_pressure_bar": Scatter(0.001, 0.002, 1),
    "back_pressure_bar": Scatter(0.002, 0.003, 1),
    "cavity_pressure_peak_bar": Scatter(0.004, 0.004, 1),
    "recovery_time_s": Scatter(0.002, 0.0015, 2, 0.85),
    "cushion_mm": Scatter(0.01, 0.03, 2, 0.5, absolute=True),
    "transfer_position_mm": Scatter(0.0, 0.012, 2, absolute=True),
    "clamp_force_kn": Scatter(0.003, 0.0005, 0, 0.97),
    "melt_temp_c": Scatter(0.2, 0.1, 1, 0.95, absolute=True),
    "barrel_c": Scatter(0.25, 0.05, 1, 0.95, absolute=True),
    "mold_temp_c": Scatter(0.1, 0.05, 1, 0.9, absolute=True),
    "coolant_in_c": Scatter(0.1, 0.05, 1, 0.95, absolute=True),
    "coolant_rise_c": Scatter(0.05, 0.03, 2, 0.8, absolute=True),
    "coolant_flow_l_min": Scatter(0.005, 0.003, 1, 0.9),
    "oil_temp_c": Scatter(0.3, 0.05, 1, 0.98, absolute=True),
}
"""Keyed by the signal, or by the set point where several signals share it."""

TIME_NOISE_S: Mapping[str, float] = {
    "mold_close_time_s": 0.001,
    "mold_open_time_s": 0.003,
    "ejection_time_s": 0.004,
    "pause_time_s": 0.006,
    "fill_time_s": 0.0003,
}
"""Movements scatter by milliseconds; timers (hold, cooling) not at all at 10 ms."""

OIL_C = 45.0
SCRAP_SHARE = 0.002
RECOVERY_DELAY_MS = 300
"""Between the end of holding and the screw's first turn, and again for decompression."""


@dataclass(frozen=True, slots=True)
class Restart:
    """How far a run is from its last stop."""

    shots: int = 1000
    """Number of the shot that is to run, from 1 after the stop."""
    severity: float = 0.0
    """0 after no stop or a short one, 1 after a quarter of an hour or more."""

    @classmethod
    def after(cls, stopped_s: float) -> "Restart":
        """The state right after a stop of that length."""
        return cls(1, 0.0 if stopped_s < 60 else min(1.0, stopped_s / 900))

    def next(self) -> "Restart":
        """The state one shot later."""
        return Restart(self.shots + 1, self.severity)

    @property
    def starved(self) -> bool:
        """The first shot after a long stop is often not a whole one."""
        return self.shots == 1 and self.severity >= 0.3

    @property
    def pressure(self) -> float:
        """Peak pressure climbs over some 15 shots."""
        if self.starved:
            return 1 - 0.4 * self.severity
        return 1 - 0.12 * self.severity * math.exp(-(self.shots - 1) / 5)

    @property
    def recovery(self) -> float:
        """The second shot's recovery is long."""
        return 1 + 0.25 * self.severity if self.shots == 2 else 1.0

    @property
    def mold_below_k(self) -> float:
        """The mold warms over three or four shots."""
        return 8 * self.severity * math.exp(-(self.shots - 1) / 3)


WARM = Restart()


class Process:
    """Draws one shot after the other; the same draws for the same random source."""

    def __init__(self, random: Random, faults: Faults) -> None:
        self._random = random
        self._faults = faults
        self._restart = WARM
        self._drift: dict[str, float] = {}
        self._two_level = {name: random.uniform(-0.004, 0.004) for name in TIME_NOISE_S}

    def mount(self, mold: Mold, program: Program) -> None:
        """A mold comes on, tempered to the coolant."""
        self._restart = Restart.after(900)

    def stand(self, seconds: float) -> None:
        """The press stood still that long before the next closing."""
        restart = Restart.after(seconds)
        self._restart = restart if restart.severity else self._restart

    def warm(self) -> None:
        """The press has been running for long."""
        self._restart = WARM

    def levels(self, program: Program) -> dict[str, float]:
        """Temperatures and flows as they stand now."""
        restart = self._restart
        coolant_in = self._draw("coolant_in_c", program.coolant_in_c)
        rise = self._draw("coolant_rise_c", program.coolant_rise_c)
        mold = self._draw("mold_temp_c", program.mold_temp_set_c - restart.mold_below_k)
        return {
            "mold_temp_c": mold,
            "coolant_in_c": coolant_in,
            "coolant_out_c": round(coolant_in + rise, 1),
            "coolant_flow_l_min": self._draw("coolant_flow_l_min", program.coolant_flow_l_min),
            **{
                f"barrel_zone_{zone}_c": self._draw(f"barrel_zone_{zone}_c", degrees, "barrel_c")
                for zone, degrees in enumerate(program.barrel_c, 1)
            },
            "melt_temp_c": self._draw("melt_temp_c", program.melt_temp_c),
            "oil_temp_c": self._draw("oil_temp_c", OIL_C),
        }

    def shot(self, program: Program, mold: Mold, mode: Mode, cavities: int) -> Plan:
        """Plan the next shot."""
        restart = self._restart
        self._restart = restart.next()
        recovery = self._draw("recovery_time_s", program.recovery_time_s * restart.recovery)
        phases = self._phases(program, mode, restart, recovery)
        peak = self._draw(
            "injection_pressure_peak_bar", program.injection_pressure_peak_bar * restart.pressure
        )
        below_peak = program.transfer_pressure_bar / program.injection_pressure_peak_bar
        cushion = self._draw("cushion_mm", program.cushion_mm * (0.25 if restart.starved else 1))
        cavity = self._draw(
            "cavity_pressure_peak_bar", program.cavity_pressure_peak_bar * restart.pressure
        )
        bad = restart.starved or self._random.random() < SCRAP_SHARE
        values = {
            **_times(phases),
            "recovery_time_s": recovery,
            "injection_pressure_peak_bar": peak,
            "transfer_pressure_bar": round(peak * below_peak * self._gauss(1, 0.001), 1),
            "hold_pressure_bar": self._draw("hold_pressure_bar", program.hold_pressure_bar),
            "back_pressure_bar": self._draw("back_pressure_bar", program.back_pressure_bar),
            "cavity_pressure_peak_bar": cavity,
            "cushion_mm": cushion,
            "cushion_cm3": round(cushion * program.cm3_per_mm, 2),
            "shot_volume_cm3": round((program.start_mm - cushion) * program.cm3_per_mm, 2),
            "transfer_position_mm": self._draw(
                "transfer_position_mm", program.transfer_position_mm
            ),
            "clamp_force_kn": self._draw("clamp_force_kn", program.clamp_force_kn),
            "parts_good": 0 if bad else cavities,
            "parts_bad": cavities if bad else 0,
            **_set_points(program),
        }
        return Plan(
            closing="shot",
            phases=phases,
            values=values,
            levels=self.levels(program),
            start_mm=program.start_mm,
            quality=Quality.BAD if bad else Quality.GOOD,
            parts_good=0 if bad else cavities,
            parts_bad=cavities if bad else 0,
        )

    def dry(self, program: Program) -> Plan:
        """Plan a closing without plastic: movements only."""
        phases = tuple(
            (phase, self._movement_ms(name, getattr(program, name)))
            for phase, name in (
                (Phase.CLOSE, "mold_close_time_s"),
                (Phase.OPEN, "mold_open_time_s"),
                (Phase.EJECT, "ejection_time_s"),
                (Phase.PAUSE, "pause_time_s"),
            )
        )
        values = {
            **dict.fromkeys(LAST_CYCLE, 0.0),
            **_times(phases),
            "clamp_force_kn": self._draw("clamp_force_kn", program.clamp_force_kn),
            **_set_points(program),
        }
        return Plan(
            closing="dry",
            phases=phases,
            values=values,
            levels=self.levels(program),
            start_mm=program.start_mm,
        )

    def _phases(
        self, program: Program, mode: Mode, restart: Restart, recovery_s: float
    ) -> tuple[tuple[Phase, int], ...]:
        slow = 100 if restart.severity and restart.shots <= 2 else 0
        close = self._movement_ms("mold_close_time_s", program.mold_close_time_s) + slow
        screw = round(recovery_s * 1000) + 2 * RECOVERY_DELAY_MS
        timer = round(program.cooling_time_set_s * 1000)
        return (
            (Phase.CLOSE, close),
            (Phase.FILL, self._movement_ms("fill_time_s", program.fill_time_s, step=1)),
            (Phase.HOLD, round(program.hold_time_set_s * 1000)),
            (Phase.COOL, max(timer, screw)),  # the mold stays shut until the screw is ready
            (Phase.OPEN, self._movement_ms("mold_open_time_s", program.mold_open_time_s)),
            (Phase.EJECT, self._movement_ms("ejection_time_s", program.ejection_time_s)),
            (Phase.PAUSE, self._pause_ms(program, mode)),
        )

    def _movement_ms(self, name: str, set_s: float, step: int = 10) -> int:
        seconds = set_s + self._gauss(0, TIME_NOISE_S[name])
        if step == 10:
            seconds += self._two_level[name]
        return max(step, round(seconds * 1000 / step) * step)

    def _pause_ms(self, program: Program, mode: Mode) -> int:
        pause = self._movement_ms("pause_time_s", program.pause_time_s)
        if mode is Mode.SEMI_AUTOMATIC:  # the operator's share is skewed to the right
            pause += 10 * round(100 * (2 + self._random.gammavariate(2, 1.2)))
        return pause

    def _draw(self, name: str, mean: float, like: str | None = None) -> float:
        scatter = SCATTER[like or name]
        fresh = scatter.drift * math.sqrt(1 - scatter.memory**2)
        drift = scatter.memory * self._drift.get(name, 0.0) + self._gauss(0, fresh)
        self._drift[name] = drift
        off = drift + self._gauss(0, scatter.noise)
        return round(mean + off if scatter.absolute else mean * (1 + off), scatter.decimals)

    def _gauss(self, mean: float, sigma: float) -> float:
        return self._random.gauss(mean, sigma) if sigma else mean


LAST_CYCLE = (
    "cycle_time_s",
    "cooling_time_s",
    "fill_time_s",
    "hold_time_s",
    "recovery_time_s",
    "mold_open_time_s",
    "mold_close_time_s",
    "ejection_time_s",
    "pause_time_s",
    "injection_pressure_peak_bar",
    "transfer_pressure_bar",
    "hold_pressure_bar",
    "back_pressure_bar",
    "cushion_mm",
    "cushion_cm3",
    "clamp_force_kn",
    "cavity_pressure_peak_bar",
    "transfer_position_mm",
    "shot_volume_cm3",
    "cooling_time_set_s",
    "mold_temp_set_c",
    "parts_good",
    "parts_bad",
)
"""Signals that every closing has a number for; 0 where a dry one has nothing to measure."""


def _times(phases: tuple[tuple[Phase, int], ...]) -> dict[str, float]:
    return {
        "cycle_time_s": sum(length for _, length in phases) / 1000,
        **{PHASE_TIMES[phase]: length / 1000 for phase, length in phases},
    }


def _set_points(program: Program) -> dict[str, float]:
    return {
        "cooling_time_set_s": program.cooling_time_set_s,
        "mold_temp_set_c": program.mold_temp_set_c,
    }
