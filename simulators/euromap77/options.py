"""What a simulated OPC 40077 machine offers of the standard's optional parts, and how."""

from dataclasses import dataclass
from typing import Literal

from simulators.opcua.units import Measures, Pressure, Temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The choices that OPC 40077 leaves to a machine's maker, its control and its set-up."""

    jobs: bool = True
    """The Jobs branch, with all counters that can be read."""
    machine_counter: bool = True
    """MachineCycleCounter, in the event and in ActiveJobValues."""
    production_datasets: bool = False
    """The ProductionDatasetManagement branch, with what is said of the active data set."""
    mold_number: int = 1
    """Of the container below Moulds, until `mold_nodes` brings the next one."""
    mold_digits: int = 1
    """Of that number in its name: `Mould_042` has three."""
    mold_nodes: Literal["keep", "replace"] = "keep"
    """Whether a mold change gives the mold's node another Id, or deletes it and adds the next."""
    injection_units: Literal[1, 2] = 1
    """The second one stands by, as on a two-component press that molds one component."""
    event_history: int = 0
    """Past events that clients may read; 0 for none. A server keeps those of all its machines."""
    curves: bool = False
    """The maker's ProcessCurves, with the last closing's sensors."""
    pressure_unit: Pressure = "bar"
    temperature_unit: Temperature = "C"
    """The units that the control is set to when it starts; event types are declared in them."""

    @property
    def measures(self) -> Measures:
        """The units that the control is set to when it starts."""
        return Measures(pressure=self.pressure_unit, temperature=self.temperature_unit)

    def mold_name(self, number: int) -> str:
        """Browse name of a mold's container.

        >>> Options(mold_digits=3).mold_name(42)
        'Mould_042'
        """
        return f"Mould_{number:0{self.mold_digits}d}"
