"""One-dimensional heat flow: half a part, the metal in front of the water, and the plates beyond.

The part is cut into cells from its middle to its surface, the metal from the cavity to the water
line, and the plates that lie beyond are one lump that follows the metal at the water line and
touches nothing else. Within a phase nothing but temperatures changes, so that the system is linear
and any length of it is one exact step through its eigenvectors.

Source:
    The model of the reference page on molding, 10, whose figures in 2.3 and 2.4 the tests compare.
    The plates' share of the cavity wall is an estimate that gives the times of 1.5: the wall is
    warm after three or four shots, the whole mold after some thirteen.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulators.physics.alloy import Alloy
from simulators.physics.resin import Resin
from simulators.physics.water import TURBULENT_FILM_W_M2K

Array = NDArray[np.float64]

PART_CELLS, METAL_CELLS = 20, 30
METAL_MM = 15.0
"""From the cavity to the water line."""
SENSOR_MM = 5.0
"""Depth of the mold's temperature sensor below the cavity."""
CONTACT_W_M2K = 5000.0
"""Between the part and the cavity, while the mold is shut."""
PLATES_W_M2K = 500.0
"""Between the water line and the plates beyond it."""
WATER_STEP_M2K_W = 2e-6
"""1 % of the usual film's resistance."""
STEP_S = 0.1
"""Between two samples of a course."""
FASTEST_1_S = 120.0
"""Modes that die faster are gone by the first sample."""

SENSOR, CAVITY = 0, 1
"""Columns of a course."""


class Modes:
    """A network of heat capacities whose temperatures all decay to the water's.

    Args:
        capacity: Of each cell, J/m2K, shape (cells,).
        conductance: Symmetric, W/m2K, shape (cells, cells); its row sums are what leaks to water.
        probe: What is watched, as weights of the cells, shape (watched, cells).
    """

    def __init__(self, capacity: Array, conductance: Array, probe: Array) -> None:
        root = np.sqrt(capacity)
        rates, vectors = np.linalg.eigh(conductance / np.outer(root, root))
        self._rates: Array = rates
        self._into = vectors.T * root
        self._back = vectors / root[:, None]
        self.probe = probe
        self._slow = self._rates > -FASTEST_1_S
        self._watched = (probe @ self._back[:, self._slow]).T
        self._decays = np.empty((0, int(self._slow.sum())))

    def after(self, excess: Array, seconds: float) -> Array:
        """Temperatures over the water's that much later; `excess` may have several columns."""
        decay = np.exp(self._rates * seconds)
        modes = self._into @ excess
        return self._back @ (modes * (decay if modes.ndim == 1 else decay[:, None]))

    def course(self, excess: Array, seconds: float) -> Array:
        """What is watched, every `STEP_S` from the start on, shape (samples, watched)."""
        count = int(seconds / STEP_S + 1e-9) + 1
        if count > len(self._decays):
            times = STEP_S * np.arange(count)
            self._decays = np.exp(np.outer(times, self._rates[self._slow]))
        modes = self._into[self._slow] @ excess
        course = self._decays[:count] @ (self._watched * modes[:, None])
        course[0] = self.probe @ excess  # the fast modes are still there
        return course


@dataclass(frozen=True, slots=True)
class Steady:
    """What cycles of one kind lead to, as shares of the melt's excess over the water."""

    metal: Array
    """Metal and plates when the melt comes in."""
    sensor: float
    """Middle of the range that the sensor passes through."""
    part: float
    """Mean of the part when the mold opens."""


class Wall:
    """One resin in one mold with its water as it now flows; `wall` makes them."""

    def __init__(
        self,
        resin: Resin,
        alloy: Alloy,
        wall_mm: float,
        water_m2k_w: float,
        contact_w_m2k: float = CONTACT_W_M2K,
    ) -> None:
        part_m, metal_m = wall_mm / 2000 / PART_CELLS, METAL_MM / 1000 / METAL_CELLS
        film = 1 / TURBULENT_FILM_W_M2K
        plates = alloy.plates_tau_s / (1 / PLATES_W_M2K + film)
        self.part_j_m2k = np.full(PART_CELLS, resin.heat_mj_m3k * 1e6 * part_m)
        """Heat that the part's cells store, from the middle to the surface."""
        self.metal_j_m2k = np.append(
            np.full(METAL_CELLS, alloy.heat_mj_m3k * 1e6 * metal_m), plates
        )
        """The same of the metal, from the cavity to the water, and of the plates."""
        cells, line = PART_CELLS + METAL_CELLS + 1, PART_CELLS + METAL_CELLS - 1
        network = np.zeros((cells, cells))

        def link(a: int, b: int, conductance: float) -> None:
            network[[a, b], [a, b]] -= conductance
            network[[a, b], [b, a]] += conductance

        for cell in range(PART_CELLS, line):
            link(cell, cell + 1, alloy.conductivity_w_mk / metal_m)
        link(line, line + 1, PLATES_W_M2K)
        network[line, line] -= 1 / (metal_m / 2 / alloy.conductivity_w_mk + water_m2k_w)

        probe = np.zeros((2, cells))
        below = PART_CELLS + round(SENSOR_MM / 1000 / metal_m)
        probe[SENSOR, [below - 1, below]] = 0.5
        probe[CAVITY, PART_CELLS] = 1.0
        metal = slice(PART_CELLS, None)
        self.open = Modes(self.metal_j_m2k, network[metal, metal], probe[:, metal])
        """Metal and plates, while the mold is open."""

        for cell in range(PART_CELLS - 1):
            link(cell, cell + 1, resin.conductivity_w_mk / part_m)
        half_cells = part_m / 2 / resin.conductivity_w_mk + metal_m / 2 / alloy.conductivity_w_mk
        link(PART_CELLS - 1, PART_CELLS, 1 / (half_cells + 1 / contact_w_m2k))
        whole = np.concatenate((self.part_j_m2k, self.metal_j_m2k))
        self.shut = Modes(whole, network, probe)
        """Part, metal and plates, while the mold is shut on plastic."""

    def steady(self, contact_s: float, open_s: float) -> Steady:
        """Where cycles lead that are shut on plastic so long and open so long."""
        one = np.eye(METAL_CELLS + 1)
        melt = np.r_[np.ones(PART_CELLS), np.zeros(METAL_CELLS + 1)]
        starts = np.column_stack((np.vstack((np.zeros((PART_CELLS, len(one))), one)), melt))
        ends = self.open.after(self.shut.after(starts, contact_s)[PART_CELLS:], open_s)
        back = np.linalg.solve(one - ends[:, :-1], ends[:, -1])
        metal = np.asarray(back, dtype=np.float64)  # as it was a cycle before
        start = np.concatenate((np.ones(PART_CELLS), metal))
        end = self.shut.after(start, contact_s)
        sensor = self.shut.course(start, contact_s)[:, SENSOR]
        return Steady(metal, middle(sensor), float(end[:PART_CELLS].mean()))


def middle(course: Array) -> float:
    """Middle of the range that a course passes through."""
    return float(course.max() + course.min()) / 2


def wall(resin: Resin, alloy: Alloy, wall_mm: float, water_m2k_w: float) -> Wall:
    """The wall for these, made once.

    The water's resistance is rounded, so that a fault that grows makes few new walls.
    """
    return _wall(resin, alloy, wall_mm, round(water_m2k_w / WATER_STEP_M2K_W))


@lru_cache(maxsize=128)
def _wall(resin: Resin, alloy: Alloy, wall_mm: float, water_steps: int) -> Wall:
    return Wall(resin, alloy, wall_mm, water_steps * WATER_STEP_M2K_W)


@dataclass(frozen=True, slots=True)
class Warmth:
    """What one shot did to mold and water."""

    sensor_c: float
    """Middle of the range that the mold's sensor passed through."""
    part_c: float
    """Mean of the part when the mold opened."""
    water_j_m2: float
    """Heat that went into the water, per area of cavity wall."""
    cavity_s: Array
    """Times since the start of the closing, for `cavity_c`."""
    cavity_c: Array
    """Cavity wall."""


class Heat:
    """The temperatures of one mold as it is now.

    Args:
        wall: Between its cavity and its water; may be exchanged, as scale grows or water slows.
        water_c: What it is tempered to.
    """

    def __init__(self, wall: Wall, water_c: float) -> None:
        self.wall = wall
        self._metal_c = np.full(METAL_CELLS + 1, water_c)

    @property
    def plates_c(self) -> float:
        """Of the whole mold, beyond the water lines."""
        return float(self._metal_c[-1])

    def settle(
        self, steady: Steady, water_c: float, melt_c: float, contact_s: float, after_s: float
    ) -> None:
        """Be as after many cycles, at the end of one."""
        start = np.concatenate((np.ones(PART_CELLS), steady.metal)) * (melt_c - water_c)
        end = self.wall.shut.after(start, contact_s)[PART_CELLS:]
        self._metal_c = water_c + self.wall.open.after(end, after_s)

    @property
    def sensor_c(self) -> float:
        """What the mold's sensor shows at this moment."""
        return float(self.wall.open.probe[SENSOR] @ self._metal_c)

    def stand(self, seconds: float, water_c: float) -> float:
        """Stay without plastic so long.

        Returns:
            Heat that went into the water, J per m2 of cavity wall.
        """
        begin = self._metal_c - water_c
        left = self.wall.open.after(begin, seconds)
        self._metal_c = water_c + left
        return float(self.wall.metal_j_m2k @ (begin - left))

    def contact_s(
        self, to_c: float, water_c: float, melt_c: float, before_s: float, longest_s: float
    ) -> float:
        """How long a part has to stay until the sensor has come down to a temperature again."""
        start = self._touched(water_c, melt_c, before_s)
        sensor = water_c + self.wall.shut.course(start, longest_s)[:, SENSOR]
        crest = int(sensor.argmax())
        below = np.flatnonzero(sensor[crest:] <= to_c)
        if not len(below):
            return longest_s
        at = crest + int(below[0])
        if at == crest:
            return crest * STEP_S
        share = (sensor[at - 1] - to_c) / (sensor[at - 1] - sensor[at])
        return float(at - 1 + share) * STEP_S

    def shot(
        self, water_c: float, melt_c: float, before_s: float, contact_s: float, after_s: float
    ) -> Warmth:
        """Go through one shot: the mold closes, is shut on plastic, and is open."""
        wall, begin = self.wall, self._metal_c - water_c
        start = self._touched(water_c, melt_c, before_s)
        end = wall.shut.after(start, contact_s)
        part, metal = end[:PART_CELLS], end[PART_CELLS:]
        left = wall.open.after(metal, after_s)
        courses = (
            wall.open.course(begin, before_s),
            wall.shut.course(start, contact_s),
            wall.open.course(metal, after_s),
        )
        begins_s = (0.0, before_s, before_s + contact_s)
        self._metal_c = water_c + left
        return Warmth(
            sensor_c=water_c + middle(courses[1][:, SENSOR]),
            part_c=water_c + float(part.mean()),
            water_j_m2=float(
                wall.part_j_m2k @ (start[:PART_CELLS] - part) + wall.metal_j_m2k @ (begin - left)
            ),
            cavity_s=np.concatenate(
                [
                    at + STEP_S * np.arange(len(course))
                    for at, course in zip(begins_s, courses, strict=True)
                ]
            ),
            cavity_c=water_c + np.concatenate([course[:, CAVITY] for course in courses]),
        )

    def _touched(self, water_c: float, melt_c: float, before_s: float) -> Array:
        """Everything over the water's temperature at the moment when the melt comes in."""
        metal = self.wall.open.after(self._metal_c - water_c, before_s)
        return np.concatenate((np.full(PART_CELLS, melt_c - water_c), metal))
