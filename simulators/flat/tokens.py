"""What the tokens of a flat OPC UA server mean: EUROMAP 63 names, each a variable.

Source:
    The reference page on interfaces, 7.4 and 8.2; the names that start with `Crv` are our own.
"""

from collections.abc import Mapping

from asyncua import ua

from simulators.modes import Mode
from simulators.opcua.nodes import double, doubles, text
from simulators.physics.curves import SAMPLE_S, Curves, Samples
from simulators.press import Press

MODE_BITS: Mapping[Mode, int] = {
    Mode.OTHER: 0,
    Mode.SLEEP: 2,
    Mode.MANUAL: 4,
    Mode.SETUP: 4,
    Mode.SEMI_AUTOMATIC: 8,
    Mode.AUTOMATIC: 16,
}
"""1 is off; this control knows no set-up mode."""

LAST_CYCLE: Mapping[str, str] = {
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
    "ActStrCsh[1]": "cushion_mm",
    "ActStrXfr[1]": "transfer_position_mm",
    "ActVolSht[1]": "shot_volume_cm3",
    "ActFrcClp": "clamp_force_kn",
    "ActPrsCavMax": "cavity_pressure_peak_bar",
    "SetTimCool": "cooling_time_set_s",
    "SetTmpMld[1]": "mold_temp_set_c",
    "ActCntPrtGood": "parts_good",
    "ActCntPrtBad": "parts_bad",
}
"""Token and canonical signal of what changes at the end of a cycle."""

LEVELS: Mapping[str, str] = {
    "ActTmpMld[1]": "mold_temp_c",
    "ActTmpBrlZn[1,1]": "barrel_zone_1_c",
    "ActTmpBrlZn[1,2]": "barrel_zone_2_c",
    "ActTmpBrlZn[1,3]": "barrel_zone_3_c",
    "ActTmpBrlZn[1,4]": "barrel_zone_4_c",
    "ActTmpMlt[1]": "melt_temp_c",
    "ActTmpOil": "oil_temp_c",
}

LIVE: Mapping[str, str] = {
    "ActPrsInj": "injection_pressure_bar",
    "ActStrScr": "screw_position_mm",
}
"""Token and signal of what changes all the time."""

CURVES: Mapping[str, str] = {
    "CrvPrsInj": "injection_pressure_bar",
    "CrvPrsCav": "cavity_pressure_bar",
    "CrvStrScr": "screw_position_mm",
}
"""Token and signal of the last closing's curves, each as a whole."""

INTERVAL = "CrvIntv"
CURVE_INTERVAL_MS = 1000 * SAMPLE_S
"""From one point of a curve to the next; the first is where the closing starts."""

TEXTS = ("SetDescMld", "SetDescJob")
STATES = ("ActCntCyc", "ModMach", "StsProd", "StsPhase", "TypClosing")

NOT_MEASURED = ("Set", "ActCnt")
"""How tokens begin whose values no sensor is behind."""


ALL = (*TEXTS, *STATES, *LAST_CYCLE, *LEVELS, *LIVE, *CURVES, INTERVAL)


def is_measured(token: str) -> bool:
    """Whether a sensor or a timer of the machine is behind a token's value."""
    known = token in LAST_CYCLE or token in LEVELS or token in LIVE or token in CURVES
    return known and not token.startswith(NOT_MEASURED)


def shown(press: Press, token: str) -> ua.Variant:
    """What a press shows at a token now; zeros and empty curves before its first closing."""
    if token in LAST_CYCLE:
        return double(press.last.values[LAST_CYCLE[token]] if press.last else 0.0)
    if token in LEVELS:
        return double(press.levels[LEVELS[token]])
    if token in LIVE:
        return double(getattr(press.live, LIVE[token]))
    if token in CURVES:
        return _curve(press.last_curves, CURVES[token])
    match token:
        case "SetDescMld":
            return text(press.mold_shown.id)
        case "SetDescJob":
            return text(press.job.name)
        case "ActCntCyc":
            return double(press.counter)
        case "ModMach":
            return double(MODE_BITS[press.mode])
        case "StsProd":
            return double(press.status)
        case "StsPhase":
            return double(press.phase)
        case "TypClosing":
            return double(press.last is not None and press.last.closing == "dry")
        case _:
            return double(CURVE_INTERVAL_MS)


def _curve(curves: Curves | None, signal: str) -> ua.Variant:
    if curves is None:
        return doubles([])
    samples: Samples = getattr(curves, signal)
    return doubles(samples.astype(float).round(2).tolist())
