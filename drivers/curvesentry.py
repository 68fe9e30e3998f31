"""The `[curves]` table of a register map: where the last shot's curves are announced."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from drivers.checked import Checked

Address = Annotated[int, Field(ge=0, le=0xFFFF)]


class CurvesEntry(Checked):
    """What is said of all curves of a shot; each curve is a `[[curve]]`."""

    counter: Address
    """Where the number of the shot stands that they are of."""
    counter_type: Literal["uint16", "uint32"] = "uint32"
    samples: Address
    """Where the number of samples stands."""
    interval: Address | None = None
    """Where the ms from one sample to the next stand."""
    interval_ms: Annotated[float | None, Field(gt=0)] = None
    """Where no register says it."""

    @model_validator(mode="after")
    def _timed(self) -> "CurvesEntry":
        if (self.interval is None) == (self.interval_ms is None):
            raise ValueError("should have either 'interval' or 'interval_ms'")
        return self
