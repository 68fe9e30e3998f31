"""Heat flows through part, metal and water as the reference page's own model says."""

import numpy as np
import pytest

from simulators.physics.alloy import ALLOYS
from simulators.physics.heat import PART_CELLS, SENSOR, Heat, Modes, Wall, Warmth, wall
from simulators.physics.resin import RESINS

ABS = RESINS["ABS"]
FILM = 1 / 5000
WATER_C, MELT_C, CONTACT_S, OPEN_S = 40.0, 240.0, 20.0, 5.0
CLOSE_S = 1.5
SHARE = 0.2
"""How far a figure of the reference page may be missed, or by half of its last digit."""


def settled(
    alloy: str,
    *,
    water_c: float = WATER_C,
    melt_c: float = MELT_C,
    contact_s: float = CONTACT_S,
    open_s: float = OPEN_S,
    water_m2k_w: float = FILM,
) -> Warmth:
    """One shot of many like it: the last of 12 to 60 of the reference's."""
    between = wall(ABS, ALLOYS[alloy], 2.0, water_m2k_w)
    heat = Heat(between, water_c)
    steady = between.steady(contact_s, open_s)
    heat.settle(steady, water_c, melt_c, contact_s, open_s - CLOSE_S)
    return heat.shot(water_c, melt_c, CLOSE_S, contact_s, open_s - CLOSE_S)


def near(printed: float, digit: float) -> object:
    """What counts as the figure that the reference page prints, to such a digit."""
    return pytest.approx(printed, abs=max(SHARE * abs(printed), digit / 2) + 1e-9)


# Reference page 2.3 and 2.4


@pytest.mark.parametrize(("alloy", "part_c"), [("QC-10", 48.7), ("7075-T6", 49.1), ("P20", 53.9)])
def test_a_part_leaves_each_metal_as_warm_as_the_reference_says(alloy: str, part_c: float) -> None:
    assert settled(alloy).part_c - WATER_C == near(part_c - WATER_C, 0.1)


@pytest.mark.parametrize(("alloy", "above_k"), [("QC-10", 4.3), ("P20", 7.8)])
def test_the_sensor_settles_as_far_above_the_water_as_the_reference_says(
    alloy: str, above_k: float
) -> None:
    assert settled(alloy).sensor_c - WATER_C == near(above_k, 0.1)


CHANGES = [
    # change of the conditions, and of: part in QC-10, sensor in QC-10, part in P20
    ("coolant +5 K", {"water_c": 45.0}, 4.8, 4.8, 4.7),
    ("turbulent to laminar", {"water_m2k_w": 1 / 1500}, 7.8, 7.2, 7.1),
    ("scale 0.5 mm", {"water_m2k_w": FILM + 0.0005}, 8.3, 7.7, 7.6),
    ("scale 1 mm", {"water_m2k_w": FILM + 0.001}, 15.7, 15.2, None),
    ("cooling timer -2 s", {"contact_s": 18.0}, 2.6, 0.2, 3.0),
    ("mold open +10 s", {"open_s": 15.0}, -0.2, -0.9, -1.2),
    ("melt +10 K", {"melt_c": 250.0}, 0.4, 0.2, 0.7),
]


@pytest.mark.parametrize(
    ("given", "part_k", "sensor_k", "steel_k"),
    [pytest.param(*rest, id=name) for name, *rest in CHANGES],
)
def test_a_change_of_the_conditions_does_what_the_reference_says(
    given: dict[str, float], part_k: float, sensor_k: float, steel_k: float | None
) -> None:
    before, after = settled("QC-10"), settled("QC-10", **given)
    steel_before, steel_after = settled("P20"), settled("P20", **given)

    assert after.part_c - before.part_c == near(part_k, 0.1)
    assert after.sensor_c - before.sensor_c == near(sensor_k, 0.1)
    if steel_k is not None:
        assert steel_after.part_c - steel_before.part_c == near(steel_k, 0.1)


def test_warmer_water_leaves_the_swing_of_the_mold_as_it_was() -> None:
    swings = [np.ptp(settled("QC-10", water_c=water_c).cavity_c) for water_c in (40.0, 45.0)]

    assert swings[1] == pytest.approx(swings[0], rel=0.03)


@pytest.mark.parametrize(
    ("alloy", "jump_k"),
    [("QC-10", 5.6), ("7075-T6", 6.0), ("P20", 10.7), ("H13", 11.5), ("MoldMAX HH", 5.8)],
)
def test_the_wall_jumps_at_contact_as_the_reference_says(alloy: str, jump_k: float) -> None:
    """Both bodies are still half-infinite after 0.1 s, and the jump is that of perfect contact."""
    between = Wall(ABS, ALLOYS[alloy], 2.0, FILM, contact_w_m2k=1e9)
    heat = Heat(between, 60.0)

    warmth = heat.shot(60.0, 240.0, 0.0, 1.0, 0.1)

    metal = warmth.cavity_c[(warmth.cavity_s > 0.05) & (warmth.cavity_s < 0.45)]
    assert metal.max() - 60 == near(jump_k, 0.1)


# Reference page 1.4 and 1.5


@pytest.mark.parametrize(("alloy", "low_c", "high_c"), [("QC-10", 41.5, 48), ("P20", 46, 55)])
def test_the_cavity_wall_passes_through_the_range_that_the_reference_says(
    alloy: str, low_c: float, high_c: float
) -> None:
    cavity = settled(alloy).cavity_c

    assert cavity.min() - WATER_C == near(low_c - WATER_C, 0.5)
    assert cavity.max() - WATER_C == near(high_c - WATER_C, 1)


@pytest.mark.parametrize("alloy", ["QC-10", "P20"])
def test_the_sensor_draws_a_saw_tooth_of_five_kelvin(alloy: str) -> None:
    between = wall(ABS, ALLOYS[alloy], 2.0, FILM)
    metal = between.steady(CONTACT_S, OPEN_S).metal
    start = np.concatenate((np.ones(PART_CELLS), metal)) * (MELT_C - WATER_C)

    sensor = between.shut.course(start, CONTACT_S)[:, SENSOR]

    assert np.ptp(sensor) == near(5, 1)


@pytest.mark.parametrize("alloy", ["QC-10", "7075-T6", "P20"])
def test_the_cavity_is_warm_after_three_or_four_shots(alloy: str) -> None:
    sensor, _ = warming(alloy, shots=60)

    assert next(n for n, share in enumerate(sensor, 1) if share > 0.945) in (3, 4)


@pytest.mark.parametrize(("alloy", "shots"), [("QC-10", (12, 14)), ("P20", (20, 32))])
def test_the_rest_of_the_mold_takes_longer_and_in_steel_longer_still(
    alloy: str, shots: tuple[int, int]
) -> None:
    _, plates = warming(alloy, shots=100)

    assert shots[0] <= next(n for n, share in enumerate(plates, 1) if share > 0.95) <= shots[1]


def warming(alloy: str, shots: int) -> tuple[list[float], list[float]]:
    """How far sensor and plates have come after each shot of a mold that was at the water's."""
    heat = Heat(wall(ABS, ALLOYS[alloy], 2.0, FILM), WATER_C)
    sensor, plates = [], []
    for _ in range(shots):
        warmth = heat.shot(WATER_C, MELT_C, CLOSE_S, CONTACT_S, OPEN_S - CLOSE_S)
        sensor.append(warmth.sensor_c - WATER_C)
        plates.append(heat.plates_c - WATER_C)
    return [each / sensor[-1] for each in sensor], [each / plates[-1] for each in plates]


# The model itself


def test_one_long_step_is_as_good_as_many_short_ones() -> None:
    conductance = np.array([[-3.0, 2.0, 0.0], [2.0, -3.0, 1.0], [0.0, 1.0, -1.0]])
    capacity = np.array([1.0, 4.0, 0.5])
    modes = Modes(capacity, conductance, np.eye(3))
    start = np.array([10.0, 0.0, 30.0])

    slowly = start.copy()
    for _ in range(20_000):
        slowly += 1e-4 * (conductance @ slowly) / capacity

    assert modes.after(start, 2.0) == pytest.approx(slowly, abs=0.003)
    assert modes.course(start, 2.0)[-1] == pytest.approx(modes.after(start, 2.0), abs=1e-6)
    assert modes.course(start, 2.0)[0] == pytest.approx(start)


@pytest.mark.parametrize("alloy", ALLOYS)
def test_what_the_part_gives_off_goes_into_the_water(alloy: str) -> None:
    warmth = settled(alloy)

    given = ABS.heat_mj_m3k * 1e6 * 0.001 * (MELT_C - warmth.part_c)
    assert warmth.water_j_m2 == pytest.approx(given, rel=1e-6)


def test_a_mold_without_plastic_becomes_as_cold_as_its_water() -> None:
    heat = Heat(wall(ABS, ALLOYS["P20"], 2.0, FILM), 60.0)

    heat.stand(3600, WATER_C)

    assert heat.sensor_c == pytest.approx(WATER_C, abs=0.01)
    assert heat.plates_c == pytest.approx(WATER_C, abs=0.01)


def test_walls_are_made_once_and_hardly_differ_within_a_step_of_the_water() -> None:
    made, again = (wall(ABS, ALLOYS["QC-10"], 2.0, r) for r in (FILM, FILM + 0.4e-6))

    assert made is again
    assert abs(settled("QC-10", water_m2k_w=FILM + 2e-6).sensor_c - settled("QC-10").sensor_c) < 0.1


def test_thicker_parts_leave_hotter() -> None:
    leaving = [
        Heat(wall(ABS, ALLOYS["QC-10"], wall_mm, FILM), WATER_C)
        .shot(WATER_C, MELT_C, CLOSE_S, CONTACT_S, OPEN_S)
        .part_c
        for wall_mm in (1.5, 2.0, 3.0)
    ]

    assert leaving[0] < leaving[1] - 3 < leaving[2] - 20


# Reference page 2.2


@pytest.mark.parametrize(
    ("name", "melt_c", "wall_c", "mean_s"),
    [
        ("ABS", 240, 60, 7.7),
        ("PS", 220, 40, 6.3),
        ("SAN", 230, 60, 7.1),
        ("PMMA", 240, 60, 8.9),
        ("PC", 300, 90, 5.8),
        ("PC/ABS", 260, 70, 6.3),
        ("PP", 230, 40, 7.0),
        ("HDPE", 220, 40, 5.8),
        ("LDPE", 200, 30, 5.9),
        ("POM", 205, 90, 9.4),
        ("PA6", 250, 80, 5.9),
        ("PA66", 280, 80, 5.5),
        ("PA66-GF30", 290, 90, 3.8),
        ("PBT", 255, 75, 4.9),
        ("PBT-GF30", 260, 80, 3.6),
    ],
)
def test_each_resin_cools_to_its_ejection_temperature_in_the_time_of_the_reference(
    name: str, melt_c: float, wall_c: float, mean_s: float
) -> None:
    """Plates of 2 mm between walls that stay as they are."""
    resin = RESINS[name]
    share = (melt_c - wall_c) / (resin.ejection_c - wall_c)

    taken_s = 4 / (np.pi**2 * resin.diffusivity_mm2_s) * np.log(8 / np.pi**2 * share)

    assert taken_s == pytest.approx(mean_s, abs=0.06)
