"""The hydraulic oil of a press, which takes hours to become as warm as it will be."""

import math

RUNNING_C, STANDING_C = 45.0, 28.0
RUNNING_TAU_S, STANDING_TAU_S = 2400.0, 7200.0


class Oil:
    """Warms while the pumps work, cools while they don't."""

    def __init__(self) -> None:
        self.celsius = RUNNING_C

    def run(self, seconds: float) -> None:
        """The press molds so long."""
        self._towards(RUNNING_C, seconds / RUNNING_TAU_S)

    def stand(self, seconds: float) -> None:
        """The press stands so long."""
        self._towards(STANDING_C, seconds / STANDING_TAU_S)

    def _towards(self, celsius: float, times: float) -> None:
        self.celsius = celsius + (self.celsius - celsius) * math.exp(-times)
