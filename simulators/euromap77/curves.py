"""The sensors during the last closing, as arrays that the simulated maker adds to OPC 40077."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import numpy as np
from asyncua import ua

from simulators.euromap77.tree import Tree
from simulators.euromap77.types import MAKER
from simulators.opcua.nodes import ANALOG_ITEM, BASE_OBJECT, DATA_VARIABLE, doubles
from simulators.opcua.server import UaServer
from simulators.physics.curves import SAMPLE_S, Curves, Samples
from simulators.press import Press

AT = "ProcessCurves"

CURVES: Mapping[str, tuple[Callable[[Curves], Samples], str, int]] = {
    "InjectionPressure": (lambda curves: curves.injection_pressure_bar, "bar", 1),
    "CavityPressure": (lambda curves: curves.cavity_pressure_bar, "bar", 1),
    "ScrewPosition": (lambda curves: curves.screw_position_mm, "mm", 2),
}
"""Array: its samples, the unit that they are counted in, decimals of its display."""


class ProcessCurves:
    """Three curves of one closing, the time from sample to sample, and the closing's number.

    The arrays are made when somebody reads them: kept, they would take more memory than all the
    rest of a machine.
    """

    def __init__(self, server: UaServer, tree: Tree, press: Press) -> None:
        self._server = server
        self._tree = tree
        self._press = press
        self._shown = press.last_curves
        self._came_at = server.now()
        tree.object(AT, MAKER, BASE_OBJECT)
        tree.fixed(f"{AT}/SampleInterval", MAKER, "Duration", SAMPLE_S, DATA_VARIABLE)
        tree.shows(f"{AT}/JobCycleCounter", MAKER, "UInt64", self._number, DATA_VARIABLE)
        for name, (_, counted_in, _) in CURVES.items():
            path = f"{AT}/{name}"
            tree.fixed(path, MAKER, "Double", doubles([]), ANALOG_ITEM)
            tree.in_units(path, counted_in)
            server.on_read(tree.id(path), partial(self._curve, name), at=self._since)
            tree.measured(path)

    async def publish(self) -> None:
        """Tell those who subscribed that there is another closing, or another unit."""
        self._shown, self._came_at = self._press.last_curves, self._server.now()
        await self._server.publish(*(self._tree.id(f"{AT}/{name}") for name in CURVES))

    def _number(self) -> int:
        return self._press.last.job_counter if self._press.last else 0

    def _since(self) -> datetime:
        return self._came_at

    def _curve(self, name: str) -> ua.Variant:
        samples, counted_in, decimals = CURVES[name]
        if self._shown is None:
            return doubles([])
        exact = np.round(samples(self._shown).astype(np.float64), decimals)
        return doubles(self._tree.measures.unit(counted_in).all_shown(exact))
