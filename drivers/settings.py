"""What the settings of every machine have in common, whatever it speaks."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from drivers.checked import Checked
from drivers.credentials import Credentials

Seconds = Annotated[float, Field(gt=0, le=3600)]

EDGE = re.compile(r"^(?P<signal>[a-z][a-z0-9_]*)=(?P<value>\S+)$")


def _edge(text: str) -> str:
    if not EDGE.match(text):
        raise ValueError("an edge is written 'signal=value', for example 'phase=cool'")
    return text


Edge = Annotated[str, AfterValidator(_edge)]
"""The instant at which a sampled signal takes a value: `phase=cool`, `mold_closed=0`."""


class Cooling(Checked):
    """Where a machine's cooling time comes from: exactly one of the five.

    No OPC UA standard has a cooling time (OPC 40077 1.01, OPC 40083 1.03), so a person says where
    it is.
    """

    event_field: str | None = None
    """A field of the cycle event: a bare name, or `Object/Name` for a nested one."""
    node: str | None = None
    """An OPC UA node: `nsu=URI;s=...`, `nsu=URI;i=...`, or a browse path."""
    register_: Annotated[str | None, Field(alias="register")] = None
    """A signal of the register map that holds it under another name."""
    edges: tuple[Edge, Edge] | None = None
    """From and to, of sampled signals."""
    derived: Literal[True] | None = None
    """Cycle time minus everything else; in automatic mode only."""

    @model_validator(mode="after")
    def _one_source(self) -> "Cooling":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "should name exactly one of event_field, node, register, edges, derived"
            )
        return self


class MachineSettings(Checked):
    """Settings that every driver takes."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    """Identity of the machine in the record: changing it starts a new machine."""
    poll_s: Annotated[float, Field(ge=0.01, le=3600)] = 1.0
    """Sampling interval."""
    timeout_s: Annotated[float, Field(ge=0.1, le=60)] = 3.0
    """How long one answer may take."""
    connect_timeout_s: Annotated[float, Field(ge=0.1, le=120)] = 10.0
    """How long connecting may take, everything included."""
    stale_s: Annotated[float, Field(ge=1, le=3600)] = 15.0
    """Without any sign of life for this long, the link is given up and made anew."""
    cooling: Cooling | None = None
    label: str | None = None
    """Short name on the page; by default the digits of the name."""
    tonnage: Annotated[int | None, Field(gt=0, le=10000)] = None
    hall: str | None = None
    mold: str | None = None
    """Id of the mold on the machine, where the machine itself can't tell: seeds its mount."""
    shared: bool = False
    """Other agents are configured with it, too: one at a time follows it, by the plant record."""

    @property
    def credentials(self) -> Credentials | None:
        """What a secured connection rests on; None for one in clear."""
        return None
