"""What resins ask of a press: typical settings of a 2 mm part in an aluminum mold, 80 t press.

Source:
    Melt and mold temperatures lie within the makers' usual ranges; pressures and times are shop
    values for a part of about 25 g in one or two cavities (reference page on molding, 1.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Resin:
    """Typical settings of one material."""

    name: str
    melt_c: float
    barrel_c: tuple[float, float, float, float]
    """Zones from the feed to the nozzle."""
    mold_c: float
    coolant_in_c: float
    coolant_rise_c: float
    fill_s: float
    peak_bar: float
    transfer_bar: float
    transfer_mm: float
    hold_bar: float
    hold_s: float
    cushion_mm: float
    stroke_mm: float
    """Screw position before injection."""
    recovery_s: float
    back_bar: float
    cavity_bar: float
    gate_freeze_s: float = 4.0
    """From the start of injection."""


_ALL = (
    Resin(
        name="ABS", melt_c=240, barrel_c=(205, 220, 230, 240), mold_c=55, coolant_in_c=50,
        coolant_rise_c=1.5, fill_s=0.80, peak_bar=850, transfer_bar=820, transfer_mm=12,
        hold_bar=450, hold_s=5.0, cushion_mm=4.0, stroke_mm=45, recovery_s=5.5, back_bar=60,
        cavity_bar=350,
    ),
    Resin(
        name="PP", melt_c=230, barrel_c=(195, 210, 220, 230), mold_c=40, coolant_in_c=30,
        coolant_rise_c=2.0, fill_s=0.70, peak_bar=650, transfer_bar=620, transfer_mm=12,
        hold_bar=350, hold_s=5.0, cushion_mm=4.0, stroke_mm=46, recovery_s=6.0, back_bar=60,
        cavity_bar=300, gate_freeze_s=4.5,
    ),
    Resin(
        name="PC", melt_c=300, barrel_c=(270, 285, 295, 300), mold_c=90, coolant_in_c=85,
        coolant_rise_c=2.0, fill_s=1.00, peak_bar=1250, transfer_bar=1210, transfer_mm=12,
        hold_bar=650, hold_s=5.0, cushion_mm=4.0, stroke_mm=44, recovery_s=7.0, back_bar=80,
        cavity_bar=450,
    ),
    Resin(
        name="PC/ABS", melt_c=260, barrel_c=(230, 245, 255, 260), mold_c=70, coolant_in_c=65,
        coolant_rise_c=1.8, fill_s=0.90, peak_bar=1050, transfer_bar=1015, transfer_mm=12,
        hold_bar=550, hold_s=5.0, cushion_mm=4.0, stroke_mm=44, recovery_s=6.2, back_bar=70,
        cavity_bar=400,
    ),
    Resin(
        name="PA66-GF30", melt_c=290, barrel_c=(270, 280, 285, 290), mold_c=85, coolant_in_c=80,
        coolant_rise_c=2.0, fill_s=0.50, peak_bar=900, transfer_bar=870, transfer_mm=11,
        hold_bar=500, hold_s=3.5, cushion_mm=4.0, stroke_mm=42, recovery_s=4.5, back_bar=40,
        cavity_bar=450, gate_freeze_s=3.0,
    ),
    Resin(
        name="POM", melt_c=205, barrel_c=(180, 190, 200, 205), mold_c=90, coolant_in_c=85,
        coolant_rise_c=2.0, fill_s=0.80, peak_bar=950, transfer_bar=915, transfer_mm=12,
        hold_bar=600, hold_s=6.0, cushion_mm=4.0, stroke_mm=44, recovery_s=5.8, back_bar=50,
        cavity_bar=420, gate_freeze_s=5.0,
    ),
)  # fmt: skip

RESINS: Mapping[str, Resin] = {resin.name: resin for resin in _ALL}
"""Every resin by name."""
