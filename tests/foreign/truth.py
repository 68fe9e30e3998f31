"""What a press should be showing, from its own memory, in the words of each protocol.

Written down by hand: a name that is wrong in a simulator can't be wrong here in the same way.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from simulators.press import Press

UNIT = "InjectionUnitCycleParameters_1"
MOLD = "MouldCycleParameters_1"
ZONES = "InjectionUnits/InjectionUnit_1/TemperatureZones"

DURATIONS: Mapping[str, str] = {
    "CycleTime": "cycle_time_s",
    "CoolingTime": "cooling_time_s",
    "CoolingTimeSet": "cooling_time_set_s",
    "HoldTime": "hold_time_s",
    "MouldOpenTime": "mold_open_time_s",
    "MouldCloseTime": "mold_close_time_s",
    "EjectionTime": "ejection_time_s",
    "PauseTime": "pause_time_s",
    f"{UNIT}/InjectionTime": "fill_time_s",
    f"{UNIT}/DosingTime": "recovery_time_s",
}
"""Fields of the cycle event in milliseconds."""

MEASURED: Mapping[str, str] = {
    "ClampForce": "clamp_force_kn",
    f"{UNIT}/PlastificationVolume": "shot_volume_cm3",
    f"{UNIT}/CushionVolume": "cushion_cm3",
    f"{UNIT}/CushionStroke": "cushion_mm",
    f"{UNIT}/SpecificPressureMaximum": "injection_pressure_peak_bar",
    f"{UNIT}/TransferSpecificPressure": "transfer_pressure_bar",
    f"{UNIT}/HoldSpecificPressureAverage": "hold_pressure_bar",
    f"{UNIT}/BackPressure": "back_pressure_bar",
    f"{UNIT}/CavityPressureMaximum": "cavity_pressure_peak_bar",
    f"{UNIT}/TransferStroke": "transfer_position_mm",
    f"{UNIT}/BarrelTemperatureZoneCycleParameters_1/ActualTemperature": "barrel_zone_1_c",
    f"{UNIT}/BarrelTemperatureZoneCycleParameters_4/ActualTemperature": "barrel_zone_4_c",
    f"{MOLD}/MouldTemperatureZone_1/ActualTemperature": "mold_temp_c",
}

TOKENS: Mapping[str, str] = {
    "ActTimCyc": "cycle_time_s",
    "ActTimCool": "cooling_time_s",
    "ActTimFill[1]": "fill_time_s",
    "ActTimHld": "hold_time_s",
    "ActTimPlst[1]": "recovery_time_s",
    "ActTimMldOpn": "mold_open_time_s",
    "ActTimMldCls": "mold_close_time_s",
    "ActTimEj": "ejection_time_s",
    "ActTimPse": "pause_time_s",
    "ActPrsMachSpecMax": "injection_pressure_peak_bar",
    "ActPrsXfrSpec[1]": "transfer_pressure_bar",
    "ActPrsHldSpec[1]": "hold_pressure_bar",
    "ActPrsBck[1]": "back_pressure_bar",
    "ActPrsCavMax": "cavity_pressure_peak_bar",
    "ActStrCsh[1]": "cushion_mm",
    "ActStrXfr[1]": "transfer_position_mm",
    "ActVolSht[1]": "shot_volume_cm3",
    "ActFrcClp": "clamp_force_kn",
    "SetTimCool": "cooling_time_set_s",
    "SetTmpMld[1]": "mold_temp_set_c",
}
"""EUROMAP 63 tokens of the last cycle."""

REGISTERS: Mapping[int, tuple[str, float]] = {
    100: ("cycle_time_s", 0.01),
    101: ("cooling_time_s", 0.01),
    102: ("fill_time_s", 0.001),
    103: ("hold_time_s", 0.01),
    104: ("recovery_time_s", 0.01),
    105: ("mold_open_time_s", 0.01),
    106: ("mold_close_time_s", 0.01),
    107: ("ejection_time_s", 0.01),
    108: ("pause_time_s", 0.01),
    109: ("injection_pressure_peak_bar", 0.1),
    110: ("transfer_pressure_bar", 0.1),
    111: ("hold_pressure_bar", 0.1),
    112: ("back_pressure_bar", 0.1),
    113: ("cushion_mm", 0.01),
    114: ("clamp_force_kn", 1.0),
    115: ("cavity_pressure_peak_bar", 0.1),
    116: ("transfer_position_mm", 0.01),
    117: ("shot_volume_cm3", 0.01),
    118: ("cooling_time_set_s", 0.01),
    119: ("mold_temp_set_c", 0.1),
}
"""Registers of the last cycle: signal, units per count."""


def cycle_event(press: Press) -> dict[str, Any]:
    """Fields of the OPC 40083 event of the press's last closing."""
    shot = press.last
    assert shot is not None
    exact = {
        "SourceName": f"IMM_SprueSim_{press.name}",
        "JobName": shot.job.name,
        "CurrentLotName": shot.job.lot,
        "JobStatus": 6 if press.running else 7,
        "JobCycleCounter": shot.job_counter,
        "MachineCycleCounter": shot.counter,
        "JobPartsCounter": press.counters.good + press.counters.bad,
        "JobGoodPartsCounter": press.counters.good,
        "JobBadPartsCounter": press.counters.bad,
        "CycleQuality": 0,
        "CavityCycleQuality": [1] * shot.mold.cavities,
        "PartId": [
            f"{press.name}-{shot.counter}-{cavity + 1}" for cavity in range(shot.mold.cavities)
        ],
        f"{UNIT}/Index": 1,
        f"{MOLD}/Index": 1,
        f"{UNIT}/BarrelTemperatureZoneCycleParameters_2/Name": "Barrel 2",
    }
    durations = {name: 1000 * shot.values[signal] for name, signal in DURATIONS.items()}
    return exact | _near(durations) | _near(_picked(MEASURED, shot.values))


def machine(press: Press) -> dict[str, Any]:
    """Values of nodes below the press's root, by path."""
    return {
        "MachineInformation/Manufacturer": "SprueSim",
        "MachineInformation/SerialNumber": press.name,
        "MachineInformation/DeviceClass": "Injection Moulding Machine",
        "MachineStatus/MachineMode": int(press.mode),
        "MachineMESStatus/ProductionControl/ProductionStatus": int(press.status),
        "Moulds/Mould_1/Id": press.mold_shown.id,
        "Jobs/ActiveJob/JobName": press.job.name,
        "Jobs/ActiveJob/MouldId": press.mold_shown.id,
        "Jobs/ActiveJob/Material": [press.mold_on.resin],
        "Jobs/ActiveJob/NominalParts": press.job.parts,
        "Jobs/ActiveJob/NumCavities": press.mold_on.cavities,
        "Jobs/ActiveJobValues/JobCycleCounter": press.counters.job,
        "Jobs/ActiveJobValues/MachineCycleCounter": press.counters.machine,
        "Jobs/ActiveJobValues/JobGoodPartsCounter": press.counters.good,
        **_near(
            {
                "Jobs/ActiveJob/ExpectedCycleTime": 1000 * press.mold_on.expected_cycle_s,
                "Jobs/ActiveJobValues/LastCycleTime": 1000 * _last(press)["cycle_time_s"],
                f"{ZONES}/TemperatureZone_1/ActualTemperature": press.levels["barrel_zone_1_c"],
                f"{ZONES}/TemperatureZone_4/ActualTemperature": press.levels["barrel_zone_4_c"],
            }
        ),
    }


def tokens(press: Press) -> dict[str, Any]:
    """Values of a flat press's nodes, by token."""
    exact = {"SetDescMld": press.mold_shown.id, "SetDescJob": press.job.name}
    numbers = {"ActCntCyc": press.counter, "ActTmpMld[1]": press.levels["mold_temp_c"]}
    return exact | _near(numbers) | _near(_picked(TOKENS, _last(press)))


def registers(press: Press) -> dict[int, int]:
    """The retrofit PLC's registers of the last cycle."""
    values = _last(press)
    return {at: round(values[signal] / step) for at, (signal, step) in REGISTERS.items()}


def _last(press: Press) -> Mapping[str, float]:
    assert press.last is not None
    return press.last.values


def _picked(names: Mapping[str, str], values: Mapping[str, float]) -> dict[str, float]:
    return {name: values[signal] for name, signal in names.items()}


def _near(values: Mapping[str, float]) -> dict[str, Any]:
    return {name: pytest.approx(value) for name, value in values.items()}
