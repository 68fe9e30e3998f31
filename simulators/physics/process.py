"""The process of one press: plans one closing after the other, from what it has been through.

What stays from shot to shot is here: heat in mold, water, barrel and oil, the way since the last
stop, slow drifts, and the process faults that are on.

Source:
    Sensitivities to temperatures are shop values; the signatures of the faults are those of the
    reference page on molding, 2.4 and 2.5.
"""

from random import Random

from simulators.faults import Faults
from simulators.modes import Mode, Phase, Quality
from simulators.mold import Mold
from simulators.physics.barrel import Barrel
from simulators.physics.heat import Warmth
from simulators.physics.oil import RUNNING_C, Oil
from simulators.physics.program import RECOVERY_DELAY_S, Program
from simulators.physics.restart import Restart
from simulators.physics.scatter import Scattering
from simulators.physics.tempering import Tempering
from simulators.physics.timing import Timing, cut_short
from simulators.shot import LAST_CYCLE, Phases, Plan, times

SCRAP_SHARE = 0.002
PRESSURE_PER_MELT_K = -0.0035
PRESSURE_PER_MOLD_K = -0.0015
RECOVERY_PER_BARREL_K = -0.003
CLAMP_PER_MOLD_K = 0.002
"""A warmer mold is longer, and the clamp stretches more."""
CLAMP_PER_OIL_K = 0.0002
SLOW_RECOVERY_SIGMA_S = 0.12
"""A screw that hardly gets its granules is uneven."""
COOLING_SHARES = (0.5, 2.0)
"""Of the timer, between which a mold that is to reach a temperature opens."""


class Process:
    """Plans one closing after the other; the same ones for the same random source.

    A mold has to be mounted before anything else.
    """

    def __init__(self, random: Random, faults: Faults) -> None:
        self._random = random
        self._mishap = Random(random.getrandbits(64))
        self._faults = faults
        self._scattering = Scattering(random)
        self._timing = Timing(random, self._mishap, self._scattering, faults)
        self._barrel = Barrel(random)
        self._oil = Oil()
        self._restart = Restart()
        self._tempering: Tempering
        self._at_s = 0.0

    def mount(self, mold: Mold, program: Program) -> None:
        """A mold comes on, tempered to the coolant.

        Raises:
            ValueError: its alloy is unknown.
        """
        self._tempering = Tempering(mold, program, self._scattering, self._faults)

    def stand(self, seconds: float) -> None:
        """The press stood still that long before the next closing."""
        if seconds <= 0:
            return
        self._at_s += seconds
        self._tempering.stand(seconds)
        self._oil.stand(seconds)
        self._barrel.stood(seconds, self._at_s)
        restart = Restart.after(seconds, self._random)
        self._restart = restart if restart.severity else self._restart

    def warm(self) -> None:
        """The press has been running for long."""
        self._restart = Restart()
        self._oil = Oil()
        self._tempering.warm()

    def levels(self, program: Program) -> dict[str, float]:
        """Temperatures and flows as they stand now."""
        return self._levels(program, *self._melt(program))

    def shot(self, program: Program, mold: Mold, mode: Mode, cavities: int) -> Plan:
        """Plan the next shot, with that many cavities open."""
        restart, around = self._restart, self._scattering.around
        self._tempering.draw(program)
        melt_c, melt_noise_k = self._melt(program)
        recovery = self._recovery_s(program)
        phases = self._phases(program, mode, recovery, melt_c)
        cut = self._faults.take("cooling_cut_short")
        if cut is not None:
            phases = cut_short(phases, cut["share"])
        warmth = self._warmth(phases, melt_c, cavities)
        pressure = restart.pressure * self._pressure(program, melt_c)
        peak = around("injection_pressure_peak_bar", program.injection_pressure_peak_bar * pressure)
        below_peak = program.transfer_pressure_bar / program.injection_pressure_peak_bar
        transfer = around("transfer_pressure_bar", peak * below_peak)
        hold = around("hold_pressure_bar", program.hold_pressure_bar)
        cushion = around("cushion_mm", self._cushion_mm(program))
        start = around("start_mm", program.start_mm)
        scrap = restart.starved or self._random.random() < SCRAP_SHARE
        good, bad = (0, cavities) if scrap else (cavities, 0)
        values = {
            **times(phases),
            "recovery_time_s": recovery,
            "injection_pressure_peak_bar": peak,
            "transfer_pressure_bar": transfer,
            "hold_pressure_bar": min(hold, transfer),  # an almost empty shot reaches neither
            "back_pressure_bar": around("back_pressure_bar", program.back_pressure_bar),
            "screw_torque_nm": around("screw_torque_nm", program.screw_torque_nm),
            "cavity_pressure_peak_bar": around(
                "cavity_pressure_peak_bar", program.cavity_pressure_peak_bar * pressure
            ),
            "cushion_mm": cushion,
            "cushion_cm3": round(cushion * program.cm3_per_mm, 2),
            "shot_volume_cm3": round((start - cushion) * program.cm3_per_mm, 2),
            "transfer_position_mm": around("transfer_position_mm", program.transfer_position_mm),
            "clamp_force_kn": self._clamp_kn(program),
            "parts_good": good,
            "parts_bad": bad,
            **_set_points(program),
        }
        usual = Quality.GOOD if cut is None else Quality.FAILED
        plan = Plan(
            closing="shot",
            phases=phases,
            values=values,
            levels=self._levels(program, melt_c, melt_noise_k),
            start_mm=program.start_mm,
            quality=Quality.BAD if scrap else usual,
            parts_good=good,
            parts_bad=bad,
            part_c=warmth.part_c,
            cavity_wall=(warmth.cavity_s, warmth.cavity_c),
            noise=self._random.getrandbits(16),
        )
        self._passed(plan)
        self._restart = restart.next()
        return plan

    def dry(self, program: Program) -> Plan:
        """Plan a closing without plastic: movements only."""
        self._tempering.draw(program)
        melt_c, melt_noise_k = self._melt(program)
        phases = (
            (Phase.CLOSE, self._timing.close_ms(program, self._restart)),
            *self._open_phases(program, Mode.AUTOMATIC),
        )
        self._tempering.stand(sum(length for _, length in phases) / 1000)
        plan = Plan(
            closing="dry",
            phases=phases,
            values={
                **dict.fromkeys(LAST_CYCLE, 0.0),
                **times(phases),
                "clamp_force_kn": self._clamp_kn(program),
                **_set_points(program),
            },
            levels=self._levels(program, melt_c, melt_noise_k),
            start_mm=program.start_mm,
        )
        self._passed(plan)
        return plan

    # Times

    def _phases(self, program: Program, mode: Mode, recovery_s: float, melt_c: float) -> Phases:
        close = self._timing.close_ms(program, self._restart)
        fill = self._timing.fill_ms(program)
        hold = round(1000 * program.hold_time_set_s)
        timer_s = program.cooling_time_set_s
        if program.cool_to_c is not None:
            least, most = (share * timer_s for share in COOLING_SHARES)
            pressed_s = (fill + hold) / 1000
            longest_s = pressed_s + most
            contact_s = self._tempering.contact_s(
                program.cool_to_c, melt_c, close / 1000, longest_s
            )
            timer_s = max(least, round(contact_s - pressed_s, 2))
        screw_s = recovery_s + 2 * RECOVERY_DELAY_S
        cool = round(1000 * max(timer_s, screw_s))  # the mold stays shut until the screw is ready
        return (
            (Phase.CLOSE, close),
            (Phase.FILL, fill),
            (Phase.HOLD, hold),
            (Phase.COOL, cool),
            *self._open_phases(program, mode),
        )

    def _open_phases(self, program: Program, mode: Mode) -> Phases:
        return (
            (Phase.OPEN, self._timing.open_ms(program)),
            (Phase.EJECT, self._timing.eject_ms(program)),
            (Phase.PAUSE, self._timing.pause_ms(program, mode)),
        )

    def _recovery_s(self, program: Program) -> float:
        zones = len(program.barrel_c)
        warmer_k = self._barrel.off_k((zones + 1) // 2, zones, self._at_s)
        level = program.recovery_time_s * self._restart.recovery
        level *= 1 + RECOVERY_PER_BARREL_K * warmer_k
        if (slow := self._faults.active("recovery_slow")) is not None:
            late_s = program.cooling_time_set_s - 2 * RECOVERY_DELAY_S + slow["over_timer_s"]
            grown = min(1.0, (slow.shots + 1) / max(1.0, slow["over"]))
            level += grown * (late_s - level + self._mishap.gauss(0, SLOW_RECOVERY_SIGMA_S))
        return self._scattering.around("recovery_time_s", level)

    # Heat

    def _melt(self, program: Program) -> tuple[float, float]:
        """Temperature of the melt, and how far its sensor is off."""
        drift_k, noise_k = self._scattering.off("melt_temp_c")
        shift = self._faults.active("melt_temperature_shift")
        shift_k = 0.0 if shift is None else shift.ramp("by_k")
        return program.melt_temp_c + drift_k + shift_k, noise_k

    def _warmth(self, phases: Phases, melt_c: float, cavities: int) -> Warmth:
        seconds = {phase: length / 1000 for phase, length in phases}
        contact_s = seconds[Phase.FILL] + seconds[Phase.HOLD] + seconds[Phase.COOL]
        after_s = seconds[Phase.OPEN] + seconds[Phase.EJECT] + seconds[Phase.PAUSE]
        if self._restart.starved:  # little plastic, little heat
            mold_c = self._tempering.sensor_c
            melt_c = mold_c + (melt_c - mold_c) * self._restart.first_pressure
        return self._tempering.shot(melt_c, seconds[Phase.CLOSE], contact_s, after_s, cavities)

    def _levels(self, program: Program, melt_c: float, melt_noise_k: float) -> dict[str, float]:
        around, zones = self._scattering.around, len(program.barrel_c)
        barrel = {
            f"barrel_zone_{zone}_c": around(
                f"barrel_zone_{zone}_c",
                set_c + self._barrel.off_k(zone, zones, self._at_s),
                "barrel_c",
            )
            for zone, set_c in enumerate(program.barrel_c, 1)
        }
        return {
            **self._tempering.levels(),
            **barrel,
            "melt_temp_c": round(melt_c + melt_noise_k, 1),
            "oil_temp_c": around("oil_temp_c", self._oil.celsius),
        }

    # Forces

    def _pressure(self, program: Program, melt_c: float) -> float:
        """Peak pressure against its set point: warmth makes the melt thinner."""
        melt_k = melt_c - program.melt_temp_c
        mold_k = self._tempering.sensor_c - program.mold_temp_set_c
        share = 1 + PRESSURE_PER_MELT_K * melt_k + PRESSURE_PER_MOLD_K * mold_k
        drift = self._faults.active("pressure_drift")
        return share if drift is None else share * (1 + drift.ramp("share"))

    def _cushion_mm(self, program: Program) -> float:
        worn = self._faults.active("cushion_drift")
        off_mm = 0.0 if worn is None else worn.ramp("by_mm")
        return program.cushion_mm * self._restart.cushion + off_mm

    def _clamp_kn(self, program: Program) -> float:
        share = 1 - CLAMP_PER_MOLD_K * self._tempering.plates_below_k
        share -= CLAMP_PER_OIL_K * (RUNNING_C - self._oil.celsius)
        return self._scattering.around("clamp_force_kn", program.clamp_force_kn * share)

    def _passed(self, plan: Plan) -> None:
        self._oil.run(plan.cycle_ms / 1000)
        self._at_s += plan.cycle_ms / 1000


def _set_points(program: Program) -> dict[str, float]:
    return {
        "cooling_time_set_s": program.cooling_time_set_s,
        "mold_temp_set_c": program.mold_temp_set_c,
    }
