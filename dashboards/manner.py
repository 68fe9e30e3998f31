"""How the one who asks wants to read: language, zone, decimal sign and units of a request."""

from contextvars import ContextVar
from dataclasses import dataclass

from agent.users.taste import Language, Length, Pressure, Taste, Temperature

LANGUAGES: tuple[Language, ...] = ("en", "de")
"""Of which there is a catalogue; the first one is complete by itself."""

DECIMALS = {"en": ".", "de": ","}
"""The sign that each language writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What numbers, times and words look like."""

    language: Language = "en"
    decimal: str = "."
    pressure: Pressure = "bar"
    temperature: Temperature = "°C"
    length: Length = "mm"
    timezone: str | None = None
    """None: the plant's."""


PLAIN = Manner()

_MANNER: ContextVar[Manner] = ContextVar("manner", default=PLAIN)


def manner() -> Manner:
    """How the request that is being answered is to be answered."""
    return _MANNER.get()


def speak(chosen: Manner) -> None:
    """From here on the request is answered in this manner."""
    _MANNER.set(chosen)


def manner_of(own: Taste | None, site: Taste, accepted: str) -> Manner:
    """Somebody's own taste over the site's, over their browser's.

    Args:
        own: What they chose; None for nobody.
        site: What the configuration says.
        accepted: The request's Accept-Language.
    """
    taste = (own or Taste()).over(site)
    language = taste.language or _accepted(accepted)
    return Manner(
        language=language,
        decimal=taste.decimal or DECIMALS[language],
        pressure=taste.pressure or "bar",
        temperature=taste.temperature or "°C",
        length=taste.length or "mm",
        timezone=taste.timezone,
    )


def _accepted(header: str) -> Language:
    """The language of ours that a browser likes best.

    >>> _accepted("fr-CH, de;q=0.9, en;q=0.8"), _accepted("en-US,de;q=0.5"), _accepted("")
    ('de', 'en', 'en')
    """
    wishes: list[tuple[float, Language]] = []
    for part in header.split(",")[:20]:
        name, _, quality = part.strip().partition(";q=")
        ours = next((each for each in LANGUAGES if name[:2].lower() == each), None)
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if ours is not None and weight > 0:
            wishes.append((weight, ours))
    best = max((weight for weight, _ours in wishes), default=0.0)
    return next((ours for weight, ours in wishes if weight == best), "en")
