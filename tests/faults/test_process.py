"""What faults of the process do to a shot, against the shots that the same press would have made.

The naive client here watches cycle time and cooling time, as a clock on the wall would.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from simulators.modes import Quality
from simulators.press import Press
from simulators.shot import PHASE_TIMES, Shot
from tests.simulators.makers import a_press

MELT_PRESSURES = frozenset(
    {"injection_pressure_peak_bar", "transfer_pressure_bar", "cavity_pressure_peak_bar"}
)
WARMTH = MELT_PRESSURES | {"mold_temp_c", "coolant_out_c", "clamp_force_kn"}
"""What moves a little wherever the mold's warmth moves."""
SWINGING = frozenset({"recovery_time_s", "oil_temp_c"}) | {
    f"barrel_zone_{zone}_c" for zone in range(1, 5)
}
"""What swings with the controllers of the barrel and warms with time, and so moves with a wait."""
LAST = 20
"""Shots whose mean is compared."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The shots of one press with a fault, and those that it would have made without."""

    clean: list[Shot]
    faulty: list[Shot]

    def shift(self, signal: str, last: int = LAST) -> float:
        """By how much the fault moves a signal, on the mean of the last shots."""
        return fmean(series(self.faulty[-last:], signal)) - fmean(
            series(self.clean[-last:], signal)
        )

    def share(self, signal: str) -> float:
        """The same as a share of the level."""
        return self.shift(signal) / fmean(series(self.clean[-LAST:], signal))

    @property
    def moved(self) -> set[str]:
        """Signals that are not to the last digit what they would have been, in any shot."""
        return {
            name
            for name in self.clean[0].values
            if series(self.clean, name) != series(self.faulty, name)
        }


def series(shots: Iterable[Shot], signal: str) -> list[float]:
    return [shot.values[signal] for shot in shots]


def naive(shots: Iterable[Shot]) -> list[tuple[float, float]]:
    """What somebody sees who watches cycle and cooling time."""
    return [(shot.values["cycle_time_s"], shot.values["cooling_time_s"]) for shot in shots]


async def molded(press: Press, shots: int) -> list[Shot]:
    return [await press.mold() for _ in range(shots)]


async def pair(fault: str, given: Mapping[str, float], shots: int = 60) -> Pair:
    clean, faulty = a_press(seed=2), a_press(seed=2)
    await faulty.faults.on(fault, given)
    return Pair(await molded(clean, shots), await molded(faulty, shots))


QUIET = [
    # fault, parameters, what it may move, by how much it moves what: (shift, tolerance)
    pytest.param(
        "mold_temperature_drift",
        {"by_k": 5, "over": 30},
        WARMTH,
        {"mold_temp_c": (5, 0.3), "coolant_out_c": (0, 0.1)},
        marks=pytest.mark.fault("mold_temperature_drift"),
        id="mold_temperature_drift",
    ),
    pytest.param(
        "mold_temperature_drift",
        {"by_k": -4, "over": 1},
        WARMTH,
        {"mold_temp_c": (-4, 0.3), "coolant_out_c": (0, 0.1)},
        marks=pytest.mark.fault("mold_temperature_drift"),
        id="a colder mold",
    ),
    pytest.param(
        "coolant_flow_low",
        {"share": 0.5, "over": 30},
        WARMTH | {"coolant_flow_l_min"},
        {"mold_temp_c": (3.0, 0.5), "coolant_out_c": (1.5, 0.2), "coolant_flow_l_min": (-4, 0.1)},
        marks=pytest.mark.fault("coolant_flow_low"),
        id="coolant_flow_low",
    ),
    pytest.param(
        "coolant_flow_low",
        {"share": 0.9, "over": 30},
        WARMTH | {"coolant_flow_l_min"},
        # laminar: 7 K by the film, and half of what the water warms more
        {"mold_temp_c": (12.5, 2), "coolant_out_c": (12, 2), "coolant_flow_l_min": (-7.2, 0.1)},
        marks=pytest.mark.fault("coolant_flow_low"),
        id="hardly any flow",
    ),
    pytest.param(
        "fouling",
        {"scale_mm": 0.5, "over": 40},
        WARMTH,
        {"mold_temp_c": (7.7, 1.5), "coolant_out_c": (-0.05, 0.1)},
        marks=pytest.mark.fault("fouling"),
        id="fouling",
    ),
    pytest.param(
        "coolant_supply_warm",
        {"by_k": 5, "over": 10},
        WARMTH | {"coolant_in_c"},
        {"mold_temp_c": (4.85, 0.3), "coolant_in_c": (5, 0.05), "coolant_out_c": (5, 0.15)},
        marks=pytest.mark.fault("coolant_supply_warm"),
        id="coolant_supply_warm",
    ),
    pytest.param(
        "melt_temperature_shift",
        {"by_k": 8, "over": 20},
        WARMTH | {"melt_temp_c"},
        {"melt_temp_c": (8, 0.05), "mold_temp_c": (0.2, 0.1)},
        marks=pytest.mark.fault("melt_temperature_shift"),
        id="melt_temperature_shift",
    ),
    pytest.param(
        "pressure_drift",
        {"share": 0.06, "over": 30},
        MELT_PRESSURES,
        {"injection_pressure_peak_bar": (51, 2), "cavity_pressure_peak_bar": (21, 1)},
        marks=pytest.mark.fault("pressure_drift"),
        id="pressure_drift",
    ),
    pytest.param(
        "cushion_drift",
        {"by_mm": -0.6, "over": 30},
        {"cushion_mm", "cushion_cm3", "shot_volume_cm3"},
        {"cushion_mm": (-0.6, 0.01), "cushion_cm3": (-0.42, 0.02), "shot_volume_cm3": (0.42, 0.02)},
        marks=pytest.mark.fault("cushion_drift"),
        id="cushion_drift",
    ),
]


@pytest.mark.parametrize(("fault", "given", "touched", "shifts"), QUIET)
async def test_no_time_tells_of_it_and_these_signals_do(
    fault: str,
    given: dict[str, float],
    touched: frozenset[str],
    shifts: dict[str, tuple[float, float]],
) -> None:
    both = await pair(fault, given)

    assert naive(both.faulty) == naive(both.clean)
    assert both.moved <= touched
    for signal, (by, tolerance) in shifts.items():
        assert both.shift(signal) == pytest.approx(by, abs=tolerance)
    assert all(fault in shot.injected for shot in both.faulty)


GROWING = [
    ("mold_temperature_drift", "mold_temp_c"),
    ("coolant_flow_low", "mold_temp_c"),
    ("fouling", "mold_temp_c"),
    ("coolant_supply_warm", "coolant_in_c"),
    ("melt_temperature_shift", "melt_temp_c"),
    ("pressure_drift", "injection_pressure_peak_bar"),
    ("cushion_drift", "cushion_mm"),
]


@pytest.mark.parametrize(
    ("fault", "signal"),
    [pytest.param(*row, marks=pytest.mark.fault(row[0]), id=row[0]) for row in GROWING],
)
async def test_it_grows_from_shot_to_shot(fault: str, signal: str) -> None:
    both = await pair(fault, {"over": 40})
    shifts = [
        faulty - clean
        for clean, faulty in zip(
            series(both.clean, signal), series(both.faulty, signal), strict=True
        )
    ]
    full = both.shift(signal, 10)

    assert abs(fmean(shifts[:3])) < 0.15 * abs(full)
    assert 0.3 < fmean(shifts[18:22]) / full < 0.65
    assert fmean(shifts[42:52]) == pytest.approx(full, rel=0.1)


@pytest.mark.fault("mold_temperature_drift", "coolant_flow_low", "fouling", "coolant_supply_warm")
@pytest.mark.parametrize(
    ("fault", "given"),
    [
        ("mold_temperature_drift", {"by_k": 5}),
        ("coolant_flow_low", {"share": 0.5}),
        ("fouling", {"scale_mm": 0.5}),
        ("coolant_supply_warm", {"by_k": 5}),
    ],
)
async def test_a_warmer_mold_needs_slightly_less_pressure(
    fault: str, given: dict[str, float]
) -> None:
    both = await pair(fault, {**given, "over": 1})

    warmer_k = both.shift("mold_temp_c")
    for signal in MELT_PRESSURES:
        assert both.share(signal) == pytest.approx(-0.0015 * warmer_k, abs=0.001)


@pytest.mark.fault("melt_temperature_shift")
async def test_a_hotter_melt_shows_as_a_small_fall_in_pressure() -> None:
    both = await pair("melt_temperature_shift", {"by_k": 8, "over": 1})

    for signal in MELT_PRESSURES:
        assert both.share(signal) == pytest.approx(-0.028, abs=0.004)
    assert not any(name.startswith("barrel_zone") for name in both.moved)


@pytest.mark.fault("temperature_control_fault")
async def test_water_that_hunts_swings_around_an_average_that_is_right() -> None:
    both = await pair("temperature_control_fault", {"swing_k": 4, "period": 12}, shots=72)

    assert naive(both.faulty) == naive(both.clean)
    assert both.moved <= WARMTH | {"coolant_in_c"}
    swings = {
        signal: [
            faulty - clean
            for clean, faulty in zip(
                series(both.clean, signal), series(both.faulty, signal), strict=True
            )
        ]
        for signal in ("coolant_in_c", "coolant_out_c", "mold_temp_c")
    }
    for signal, swing in swings.items():
        assert fmean(swing[-60:]) == pytest.approx(0, abs=0.1)
        assert 6 < max(swing) - min(swing) < 8.8, signal
        crests = [n for n in range(13, 71) if swing[n - 1] < swing[n] >= swing[n + 1]]
        assert {b - a for a, b in pairwise(crests)} <= {11, 12, 13}


@pytest.mark.fault("recovery_slow")
async def test_a_screw_that_is_late_lengthens_cooling_without_a_set_point() -> None:
    both = await pair("recovery_slow", {"over_timer_s": 0.6, "over": 10}, shots=80)
    settled = both.faulty[-LAST * 3 :]
    timer_s = both.clean[0].values["cooling_time_set_s"]
    cooling = series(settled, "cooling_time_s")

    assert set(series(both.faulty, "cooling_time_set_s")) == {timer_s}
    assert fmean(cooling) - timer_s == pytest.approx(0.6, abs=0.1)
    assert 0.05 < pstdev(cooling) < 0.25  # noisy, where a timer is exact
    assert min(series(both.faulty, "cooling_time_s")) == timer_s  # never shorter: one-sided
    for shot in settled:
        assert shot.values["cooling_time_s"] == pytest.approx(
            max(timer_s, shot.values["recovery_time_s"] + 0.6), abs=0.001
        )
    assert both.shift("cycle_time_s") == pytest.approx(both.shift("cooling_time_s"), abs=0.001)
    assert both.moved <= WARMTH | {"cycle_time_s", "cooling_time_s"} | SWINGING
    assert abs(both.shift("mold_temp_c")) < 0.2


@pytest.mark.fault("part_sticks")
async def test_parts_that_stick_are_spikes_of_the_ejection_time() -> None:
    both = await pair("part_sticks", {"share": 0.3, "by_s": 2.0}, shots=400)
    longer = [
        faulty - clean
        for clean, faulty in zip(
            series(both.clean, "ejection_time_s"),
            series(both.faulty, "ejection_time_s"),
            strict=True,
        )
    ]
    stuck = [extra > 0 for extra in longer]

    assert fmean(stuck) == pytest.approx(0.3, abs=0.08)
    assert fmean(extra for extra in longer if extra) == pytest.approx(2.0, abs=0.3)
    again = fmean(after for before, after in pairwise(stuck) if before)
    assert again > fmean(stuck) + 0.15  # in clusters
    assert both.moved <= WARMTH | {"cycle_time_s", "ejection_time_s"} | SWINGING
    assert series(both.faulty, "cooling_time_s") == series(both.clean, "cooling_time_s")


@pytest.mark.fault("operator_wait")
async def test_a_press_that_is_kept_waiting_has_a_skewed_pause_and_a_colder_mold() -> None:
    both = await pair("operator_wait", {"by_s": 4.0}, shots=400)
    extra = sorted(
        faulty - clean
        for clean, faulty in zip(
            series(both.clean, "pause_time_s"), series(both.faulty, "pause_time_s"), strict=True
        )
    )

    assert extra[0] >= 0
    assert fmean(extra) == pytest.approx(4.0, abs=0.5)
    assert fmean(extra) > extra[len(extra) // 2] + 0.2  # skewed to the right
    assert series(both.faulty, "cooling_time_s") == series(both.clean, "cooling_time_s")
    assert -1 < both.shift("mold_temp_c", 300) < -0.1
    assert both.moved <= WARMTH | {"cycle_time_s", "pause_time_s"} | SWINGING


@pytest.mark.fault("cooling_cut_short")
async def test_one_cycle_that_is_cut_short_has_failed_and_its_parts_are_among_the_good() -> None:
    clean, press = a_press(seed=2), a_press(seed=2)
    await clean.mold()
    await press.mold()
    await press.faults.on("cooling_cut_short", {"share": 0.4})

    usual, cut = await clean.mold(), await press.mold()
    after = await press.mold()

    short_s = usual.values["cooling_time_s"] * 0.4
    assert naive([usual])[0] == pytest.approx([each + short_s for each in naive([cut])[0]])
    assert cut.values["cooling_time_set_s"] == usual.values["cooling_time_set_s"]
    assert cut.quality is Quality.FAILED
    assert (cut.parts_good, cut.parts_bad) == (2, 0)
    assert cut.injected == ("cooling_cut_short",)
    same = {name for name in usual.values if usual.values[name] == cut.values[name]}
    assert set(PHASE_TIMES.values()) - same == {"cooling_time_s"}
    assert after.values["cooling_time_s"] == usual.values["cooling_time_s"]
    assert after.quality is Quality.GOOD
    assert after.injected == ()


@pytest.mark.fault("cooling_cut_short")
async def test_as_many_cycles_are_cut_short_as_were_asked_for() -> None:
    press = a_press(seed=2)
    await press.faults.on("cooling_cut_short", {"count": 3})

    shots = await molded(press, 6)

    assert [shot.quality is Quality.FAILED for shot in shots] == [True] * 3 + [False] * 3
    assert [bool(shot.injected) for shot in shots] == [True] * 3 + [False] * 3


@pytest.mark.fault("fill_uneven")
async def test_an_uneven_fill_scatters_around_the_right_average() -> None:
    both = await pair("fill_uneven", {"sigma_s": 0.02}, shots=400)
    fills = series(both.faulty, "fill_time_s")

    assert fmean(fills) == pytest.approx(fmean(series(both.clean, "fill_time_s")), abs=0.004)
    assert pstdev(fills) == pytest.approx(0.02, rel=0.15)
    assert pstdev(series(both.clean, "fill_time_s")) < 0.001
    assert both.moved <= WARMTH | {"fill_time_s", "cycle_time_s"} | SWINGING
    assert abs(both.shift("mold_temp_c")) < 0.05


LASTING = (
    "recovery_slow",
    "mold_temperature_drift",
    "coolant_flow_low",
    "fouling",
    "coolant_supply_warm",
    "temperature_control_fault",
    "part_sticks",
    "operator_wait",
    "pressure_drift",
    "cushion_drift",
    "melt_temperature_shift",
    "fill_uneven",
)


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=pytest.mark.fault(name)) for name in LASTING]
)
async def test_switched_off_the_process_comes_back(fault: str) -> None:
    clean, press = a_press(seed=2), a_press(seed=2)
    await press.faults.on(fault)
    await molded(clean, 30)
    during = await molded(press, 30)
    assert all(shot.injected == (fault,) for shot in during)

    await press.faults.off(fault)
    both = Pair(await molded(clean, 60), await molded(press, 60))

    assert naive(both.faulty) == naive(both.clean)
    for signal in both.moved:
        if signal.startswith("barrel_zone"):  # at other points of the controllers' swing
            assert abs(both.shift(signal)) < 0.6
        elif signal.endswith("_c"):
            assert abs(both.shift(signal)) < 0.1
        else:
            assert abs(both.share(signal)) < 0.002
