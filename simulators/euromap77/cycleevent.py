"""What the cycle event of a simulated OPC 40077 machine holds."""

from collections.abc import Iterator

from asyncua import ua

from simulators.euromap77.maker import (
    BARREL_ZONE,
    BARREL_ZONES,
    CLAMP_FORCE,
    INJECTION_TIMES,
    INJECTION_UNIT,
    INJECTION_VALUES,
    MAKER_TIMES,
    MOLD_CYCLE,
    MOLD_ZONE,
    SECOND_UNIT,
)
from simulators.euromap77.options import Options
from simulators.faults import Faults
from simulators.modes import Mode
from simulators.opcua.distortion import distorted
from simulators.opcua.event import Fields
from simulators.opcua.nodes import double, number, text, texts, uint32, uint64
from simulators.opcua.units import Measures, ms
from simulators.press import Press
from simulators.shot import Shot

NO_PART, GOOD_PART, BAD_PART = 0, 1, 2
"""OPC 40083 CavityCycleQualityEnumeration."""

SET_UP_ACTIVE, JOB_IN_PRODUCTION, JOB_INTERRUPTED = 2, 6, 7
"""OPC 40083 JobStatusEnumeration."""

SET_POINTS = frozenset({"CoolingTimeSet"})
"""Fields with no sensor or timer behind them."""

STAND_BY_C = 120.0
"""Barrel of an injection unit that is not in production."""


def cycle_fields(
    press: Press, shot: Shot, options: Options, measures: Measures, *, mold: int = 1
) -> Fields:
    """What the cycle event of one shot holds, besides what every event has.

    Args:
        press: That molded it.
        shot: The closing that has ended.
        options: What the machine offers.
        measures: The units that its control is set to now.
        mold: Index of the mold's container.
    """
    counters, values = press.counters, shot.values
    fields: Fields = {
        "JobName": text(shot.job.name),
        "JobStatus": number(job_status(press)),
        "CurrentLotName": text(shot.job.lot),
        "JobCycleCounter": uint64(shot.job_counter),
        "CycleTime": ms(values["cycle_time_s"]),
        "CycleQuality": number(shot.quality),
        "CavityCycleQuality": _cavities(shot),
        "PartId": texts(_part_ids(shot)),
        "JobPartsCounter": uint64(counters.good + counters.bad),
        "JobGoodPartsCounter": uint64(counters.good),
        "JobBadPartsCounter": uint64(counters.bad),
        "JobTestSamplesCounter": uint64(0),
        f"{INJECTION_UNIT}/Index": uint32(1),
        f"{MOLD_CYCLE}/Index": uint32(mold),
    }
    if options.machine_counter:
        fields["MachineCycleCounter"] = uint64(shot.counter)
    for name, signal in MAKER_TIMES.items():
        fields[name] = ms(values[signal])
    for name, signal in INJECTION_TIMES.items():
        fields[f"{INJECTION_UNIT}/{name}"] = ms(values[signal])
    for path, value, counted_in in _measured(shot):
        _put(fields, path, value, counted_in, measures)
    for zone in range(1, BARREL_ZONES + 1):
        _name(fields, f"{INJECTION_UNIT}/{BARREL_ZONE}_{zone}", zone, f"Barrel {zone}")
    _name(fields, f"{MOLD_CYCLE}/{MOLD_ZONE}", 1, "Mould 1")
    if options.injection_units == 2:
        _put_idle_unit(fields, measures)
    return _distorted(fields, press.faults) if press.faults.names else fields


def job_status(press: Press) -> int:
    """OPC 40083 JobStatusEnumeration."""
    if press.mode is Mode.SETUP:
        return SET_UP_ACTIVE
    return JOB_IN_PRODUCTION if press.running else JOB_INTERRUPTED


def _measured(shot: Shot) -> Iterator[tuple[str, float, str]]:
    """What comes from sensors: path, value, the unit that it is counted in."""
    values = shot.values
    yield CLAMP_FORCE, values["clamp_force_kn"], "kN"
    for name, (signal, counted_in) in INJECTION_VALUES.items():
        yield f"{INJECTION_UNIT}/{name}", values[signal], counted_in
    for zone in range(1, BARREL_ZONES + 1):
        path = f"{INJECTION_UNIT}/{BARREL_ZONE}_{zone}/ActualTemperature"
        yield path, values[f"barrel_zone_{zone}_c"], "°C"
    yield f"{MOLD_CYCLE}/{MOLD_ZONE}/ActualTemperature", values["mold_temp_c"], "°C"


def _put(fields: Fields, path: str, value: float, counted_in: str, measures: Measures) -> None:
    unit = measures.unit(counted_in)
    fields[path] = double(unit.shown(value))
    for name, said in unit.properties.items():
        fields[f"{path}/{name}"] = said


def _distorted(fields: Fields, faults: Faults) -> Fields:
    """What sensors and timers give, as the value faults have it."""
    made = dict(fields)
    for path, value in fields.items():
        if value.VariantType is ua.VariantType.Double and path not in SET_POINTS:
            made[path], code = distorted(value, ua.StatusCodes.Good, faults)
            status = ua.StatusCode(code)
            if status.is_bad():  # OPC 10000-4, 7.22.3: in the place of a value that is none
                made[path] = ua.Variant(status, ua.VariantType.StatusCode)
    return made


def _name(fields: Fields, path: str, index: int, name: str) -> None:
    fields[f"{path}/Index"] = uint32(index)
    fields[f"{path}/Name"] = text(name)


def _put_idle_unit(fields: Fields, measures: Measures) -> None:
    fields[f"{SECOND_UNIT}/Index"] = uint32(2)
    for name in INJECTION_TIMES:
        fields[f"{SECOND_UNIT}/{name}"] = ms(0)
    for name, (_, counted_in) in INJECTION_VALUES.items():
        _put(fields, f"{SECOND_UNIT}/{name}", 0.0, counted_in, measures)
    for zone in range(1, BARREL_ZONES + 1):
        path = f"{SECOND_UNIT}/{BARREL_ZONE}_{zone}"
        _name(fields, path, zone, f"Barrel 2.{zone}")
        _put(fields, f"{path}/ActualTemperature", STAND_BY_C, "°C", measures)


def _cavities(shot: Shot) -> ua.Variant:
    """Each cavity's part; none from those that are blocked."""
    parts = [GOOD_PART] * shot.parts_good + [BAD_PART] * shot.parts_bad
    blocked = [NO_PART] * (shot.mold.cavities - len(parts))
    return ua.Variant(parts + blocked, ua.VariantType.Int32, is_array=True)


def _part_ids(shot: Shot) -> list[str]:
    made = shot.parts_good + shot.parts_bad
    return [f"{shot.machine}-{shot.counter}-{n}" for n in range(1, made + 1)]
