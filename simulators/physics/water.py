"""The water in a mold's cooling lines: how it flows, and how well it takes up heat.

Source:
    Regimes and film coefficients of the reference page on molding, 2.4: 5000 W/m2K at the usual
    8 L/min, 1500 where the flow has become laminar. Turbulent films grow with the flow to the 0.8
    (Dittus and Boelter). Viscosity after Vogel.
"""

import math

LINE_MM = 10.0
"""Diameter of a cooling line."""
USUAL_FLOW_L_MIN = 8.0
TURBULENT_FILM_W_M2K = 5000.0
"""At the usual flow."""
LAMINAR_FILM_W_M2K = 1500.0
LAMINAR_RE, TURBULENT_RE = 2300.0, 10_000.0
HEAT_J_LK = 4150.0
"""Heat that a litre of water takes up per kelvin."""
SCALE_W_MK = 1.0
"""Conductivity of the scale that hard water leaves."""


def viscosity_mm2_s(celsius: float) -> float:
    """Kinematic viscosity of water, 0 to 200 C (under pressure where it would boil)."""
    return 0.02414 * 10 ** (247.8 / (celsius + 133.15))


def reynolds(flow_l_min: float, celsius: float) -> float:
    """Reynolds number of the flow in one line."""
    mm3_s = flow_l_min * 1e6 / 60
    return 4 * mm3_s / (math.pi * LINE_MM * viscosity_mm2_s(celsius))


def film_w_m2k(flow_l_min: float, celsius: float) -> float:
    """How well the wall of the line gives its heat to the water."""
    turbulent = TURBULENT_FILM_W_M2K * math.pow(flow_l_min / USUAL_FLOW_L_MIN, 0.8)
    regime = (reynolds(flow_l_min, celsius) - LAMINAR_RE) / (TURBULENT_RE - LAMINAR_RE)
    share = min(1.0, max(0.0, regime))
    return LAMINAR_FILM_W_M2K + share * max(0.0, turbulent - LAMINAR_FILM_W_M2K)


def resistance_m2k_w(flow_l_min: float, celsius: float, scale_mm: float = 0.0) -> float:
    """What lies between the metal and the water: the film, and scale on the line's wall."""
    return 1 / film_w_m2k(flow_l_min, celsius) + scale_mm / 1000 / SCALE_W_MK


def rise_k(watts: float, flow_l_min: float) -> float:
    """How much warmer the water comes back."""
    return watts * 60 / (flow_l_min * HEAT_J_LK)
