"""What resins ask of a press: typical settings of a 2 mm part in an aluminum mold, 80 t press.

Source:
    Melt and mold temperatures lie within the makers' usual ranges; pressures and times are shop
    values for a part of about 25 g in one or two cavities (reference page on molding, 1.3) for ABS,
    PP, PC and PA66-GF30, and estimates in their manner for the others. Diffusivities are the
    effective ones of 2.2, which contain the heat of melting; the conductivities that split them
    into conduction and storage are handbook values, rounded. Ejection temperatures: 2.2.
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
    coolant_rise_c: float
    """Return less supply at the usual flow; it says how much plastic the part is."""
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
    torque_share: float
    """Of the screw drive's largest torque, while the screw recovers."""
    cavity_bar: float
    conductivity_w_mk: float
    diffusivity_mm2_s: float
    ejection_c: float
    """Mean temperature at which a part is stiff enough to leave the mold."""
    gate_freeze_s: float = 4.0
    """From the start of injection."""

    @property
    def heat_mj_m3k(self) -> float:
        """Heat that a cubic metre gives off per kelvin, in MJ, its freezing included."""
        return self.conductivity_w_mk / self.diffusivity_mm2_s


_ALL = (
    Resin(
        name="ABS", melt_c=240, barrel_c=(205, 220, 230, 240), mold_c=55, coolant_rise_c=1.5,
        fill_s=0.80, peak_bar=850, transfer_bar=820, transfer_mm=12, hold_bar=450, hold_s=5.0,
        cushion_mm=4.0, stroke_mm=45, recovery_s=5.5, back_bar=60, torque_share=0.60,
        cavity_bar=350, conductivity_w_mk=0.19, diffusivity_mm2_s=0.083, ejection_c=90,
    ),
    Resin(
        name="PS", melt_c=220, barrel_c=(180, 200, 210, 220), mold_c=40, coolant_rise_c=1.5,
        fill_s=0.60, peak_bar=750, transfer_bar=720, transfer_mm=12, hold_bar=400, hold_s=4.5,
        cushion_mm=4.0, stroke_mm=45, recovery_s=5.0, back_bar=50, torque_share=0.50,
        cavity_bar=320, conductivity_w_mk=0.17, diffusivity_mm2_s=0.083, ejection_c=80,
        gate_freeze_s=3.5,
    ),
    Resin(
        name="SAN", melt_c=230, barrel_c=(195, 210, 220, 230), mold_c=60, coolant_rise_c=1.5,
        fill_s=0.70, peak_bar=850, transfer_bar=820, transfer_mm=12, hold_bar=450, hold_s=5.0,
        cushion_mm=4.0, stroke_mm=45, recovery_s=5.5, back_bar=60, torque_share=0.60,
        cavity_bar=350, conductivity_w_mk=0.17, diffusivity_mm2_s=0.087, ejection_c=90,
    ),
    Resin(
        name="PMMA", melt_c=240, barrel_c=(210, 225, 235, 240), mold_c=60, coolant_rise_c=1.5,
        fill_s=1.20, peak_bar=1100, transfer_bar=1065, transfer_mm=12, hold_bar=600, hold_s=6.0,
        cushion_mm=4.0, stroke_mm=44, recovery_s=6.5, back_bar=80, torque_share=0.65,
        cavity_bar=420, conductivity_w_mk=0.20, diffusivity_mm2_s=0.072, ejection_c=90,
        gate_freeze_s=5.0,
    ),
    Resin(
        name="PC", melt_c=300, barrel_c=(270, 285, 295, 300), mold_c=90, coolant_rise_c=2.0,
        fill_s=1.00, peak_bar=1250, transfer_bar=1210, transfer_mm=12, hold_bar=650, hold_s=5.0,
        cushion_mm=4.0, stroke_mm=44, recovery_s=7.0, back_bar=80, torque_share=0.70,
        cavity_bar=450, conductivity_w_mk=0.24, diffusivity_mm2_s=0.110, ejection_c=125,
    ),
    Resin(
        name="PC/ABS", melt_c=260, barrel_c=(230, 245, 255, 260), mold_c=70, coolant_rise_c=1.8,
        fill_s=0.90, peak_bar=1050, transfer_bar=1015, transfer_mm=12, hold_bar=550, hold_s=5.0,
        cushion_mm=4.0, stroke_mm=44, recovery_s=6.2, back_bar=70, torque_share=0.65,
        cavity_bar=400, conductivity_w_mk=0.21, diffusivity_mm2_s=0.095, ejection_c=105,
    ),
    Resin(
        name="PP", melt_c=230, barrel_c=(195, 210, 220, 230), mold_c=40, coolant_rise_c=2.0,
        fill_s=0.70, peak_bar=650, transfer_bar=620, transfer_mm=12, hold_bar=350, hold_s=5.0,
        cushion_mm=4.0, stroke_mm=46, recovery_s=6.0, back_bar=60, torque_share=0.50,
        cavity_bar=300, conductivity_w_mk=0.19, diffusivity_mm2_s=0.065, ejection_c=90,
        gate_freeze_s=4.5,
    ),
    Resin(
        name="HDPE", melt_c=220, barrel_c=(190, 205, 215, 220), mold_c=40, coolant_rise_c=2.0,
        fill_s=0.70, peak_bar=700, transfer_bar=670, transfer_mm=12, hold_bar=350, hold_s=4.5,
        cushion_mm=4.0, stroke_mm=46, recovery_s=5.8, back_bar=60, torque_share=0.50,
        cavity_bar=300, conductivity_w_mk=0.28, diffusivity_mm2_s=0.090, ejection_c=80,
    ),
    Resin(
        name="LDPE", melt_c=200, barrel_c=(165, 180, 190, 200), mold_c=30, coolant_rise_c=2.0,
        fill_s=0.60, peak_bar=550, transfer_bar=525, transfer_mm=12, hold_bar=300, hold_s=4.5,
        cushion_mm=4.0, stroke_mm=46, recovery_s=5.5, back_bar=50, torque_share=0.45,
        cavity_bar=250, conductivity_w_mk=0.26, diffusivity_mm2_s=0.085, ejection_c=70,
    ),
    Resin(
        name="POM", melt_c=205, barrel_c=(180, 190, 200, 205), mold_c=90, coolant_rise_c=2.0,
        fill_s=0.80, peak_bar=950, transfer_bar=915, transfer_mm=12, hold_bar=600, hold_s=6.0,
        cushion_mm=4.0, stroke_mm=44, recovery_s=5.8, back_bar=50, torque_share=0.55,
        cavity_bar=420, conductivity_w_mk=0.23, diffusivity_mm2_s=0.057, ejection_c=115,
        gate_freeze_s=5.0,
    ),
    Resin(
        name="PA6", melt_c=250, barrel_c=(230, 240, 245, 250), mold_c=80, coolant_rise_c=2.0,
        fill_s=0.50, peak_bar=800, transfer_bar=770, transfer_mm=12, hold_bar=450, hold_s=4.0,
        cushion_mm=4.0, stroke_mm=44, recovery_s=5.0, back_bar=50, torque_share=0.50,
        cavity_bar=400, conductivity_w_mk=0.24, diffusivity_mm2_s=0.085, ejection_c=120,
        gate_freeze_s=3.5,
    ),
    Resin(
        name="PA66", melt_c=280, barrel_c=(260, 270, 275, 280), mold_c=80, coolant_rise_c=2.0,
        fill_s=0.50, peak_bar=800, transfer_bar=770, transfer_mm=12, hold_bar=450, hold_s=4.0,
        cushion_mm=4.0, stroke_mm=44, recovery_s=4.8, back_bar=50, torque_share=0.50,
        cavity_bar=400, conductivity_w_mk=0.25, diffusivity_mm2_s=0.086, ejection_c=130,
        gate_freeze_s=3.5,
    ),
    Resin(
        name="PA66-GF30", melt_c=290, barrel_c=(270, 280, 285, 290), mold_c=85, coolant_rise_c=2.0,
        fill_s=0.50, peak_bar=900, transfer_bar=870, transfer_mm=11, hold_bar=500, hold_s=3.5,
        cushion_mm=4.0, stroke_mm=42, recovery_s=4.5, back_bar=40, torque_share=0.55,
        cavity_bar=450, conductivity_w_mk=0.32, diffusivity_mm2_s=0.105, ejection_c=150,
        gate_freeze_s=3.0,
    ),
    Resin(
        name="PBT", melt_c=255, barrel_c=(235, 245, 250, 255), mold_c=75, coolant_rise_c=2.0,
        fill_s=0.50, peak_bar=800, transfer_bar=770, transfer_mm=12, hold_bar=450, hold_s=4.0,
        cushion_mm=4.0, stroke_mm=43, recovery_s=4.8, back_bar=50, torque_share=0.50,
        cavity_bar=400, conductivity_w_mk=0.25, diffusivity_mm2_s=0.088, ejection_c=125,
        gate_freeze_s=3.5,
    ),
    Resin(
        name="PBT-GF30", melt_c=260, barrel_c=(240, 250, 255, 260), mold_c=80, coolant_rise_c=2.0,
        fill_s=0.50, peak_bar=900, transfer_bar=870, transfer_mm=11, hold_bar=500, hold_s=3.5,
        cushion_mm=4.0, stroke_mm=42, recovery_s=4.6, back_bar=40, torque_share=0.55,
        cavity_bar=450, conductivity_w_mk=0.30, diffusivity_mm2_s=0.100, ejection_c=140,
        gate_freeze_s=3.0,
    ),
)  # fmt: skip

RESINS: Mapping[str, Resin] = {resin.name: resin for resin in _ALL}
"""Every resin by name."""
