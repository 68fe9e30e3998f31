"""How somebody wants numbers, times and words: of the site, or of one person."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from drivers.checked import Checked

Language = Literal["en", "de"]
Pressure = Literal["bar", "MPa", "psi"]
Temperature = Literal["°C", "°F"]
Length = Literal["mm", "in"]
Decimal = Literal[".", ","]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("should be an IANA time zone such as Europe/Berlin") from error
    return name


class Taste(Checked):
    """What is None is the site's; and what the site does not say is the first of its choices."""

    language: Language | None = None
    """None for both: the browser's."""
    decimal: Decimal | None = None
    """None for both: the language's."""
    pressure: Pressure | None = None
    temperature: Temperature | None = None
    length: Length | None = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None

    def over(self, site: "Taste") -> "Taste":
        """With the site's where nothing is said."""
        return Taste(**(site.model_dump(exclude_none=True) | self.model_dump(exclude_none=True)))
