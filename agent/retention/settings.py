"""How long each kind of data is kept."""

from typing import Annotated, Literal

from pydantic import Field

from drivers.checked import Checked

Days = Annotated[int, Field(ge=1, le=36_500)]

FIFTEEN_YEARS_DAYS = 5479


class RetentionSettings(Checked):
    """After how many days a month may go, and where it goes to before."""

    curves_days: Days = 90
    cycles_days: Days = FIFTEEN_YEARS_DAYS
    audit_days: Days = FIFTEEN_YEARS_DAYS
    archive: Annotated[str, Field(min_length=1)] | Literal[False] | None = None
    """A folder, beside the configuration; false: nothing is archived before it is removed."""
    daily: bool = False
    """Whether the agent applies it by itself."""
