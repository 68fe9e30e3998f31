"""Settings: who one is here, and for admins who else may come in, and by which tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import Connection

from agent.live import Site
from agent.users.people import Person, people
from agent.users.roles import ROLES, SCOPES
from agent.users.taste import Decimal, Language, Length, Pressure, Taste, Temperature
from agent.users.tokens import ApiToken, tokens
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.plantzone import PlantZone
from dashboards.visitor import Visitor

CHOICES: Mapping[str, Sequence[str]] = {
    "language": get_args(Language),
    "decimal": get_args(Decimal),
    "pressure": get_args(Pressure),
    "temperature": get_args(Temperature),
    "length": get_args(Length),
}

DAYS = (30, 90, 365, 1825)
"""How long a token may be good, for those who choose on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFound:
    """What the record says."""

    people: Sequence[Person]
    tokens: Sequence[ApiToken]


def look_at_settings(connection: Connection) -> SettingsFound:
    """Read what the page shows."""
    return SettingsFound(people=people(connection), tokens=tokens(connection))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One user."""

    name: str
    role: str
    since: str
    is_self: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """One token; never the token itself."""

    name: str
    scope: str
    state: str
    """`good`, `expired` or `revoked`."""
    until: str
    used: str
    made_by: str


class SettingsPage:
    """Everything that the template of the page needs."""

    roles = ROLES
    scopes = SCOPES
    days = DAYS

    def __init__(
        self,
        found: SettingsFound,
        site: Site,
        who: Visitor,
        now: datetime,
        strings: Catalogue,
        zone: PlantZone,
    ) -> None:
        self.now = now
        self.who = who
        self.site = site
        self._found = found
        self._strings = strings
        self._zone = zone

    @property
    def choices(self) -> list[tuple[str, str, list[str]]]:
        """What a person may choose of how pages look: its name, what they chose, what there is."""
        own = self.who.taste or Taste()
        chosen = {key: getattr(own, key) or "" for key in Taste.model_fields}
        return [(key, chosen[key], list(each)) for key, each in CHOICES.items()]

    @property
    def own_zone(self) -> str:
        """The zone that a person chose; empty for the plant's."""
        return (self.who.taste or Taste()).timezone or ""

    @property
    def of_site(self) -> list[tuple[str, str]]:
        """What the configuration says of how pages look, where it does."""
        taste = self.site.taste.model_dump(exclude_none=True)
        return [(key, str(taste[key])) for key in CHOICES if key in taste]

    @property
    def is_open(self) -> bool:
        """Whether nobody has to log in."""
        return not self._found.people

    @property
    def people(self) -> list[PersonRow]:
        """All users."""
        return [
            PersonRow(
                name=each.name,
                role=each.role,
                since=self._zone.moment(each.since, self.now),
                is_self=each.name == self.who.name,
            )
            for each in self._found.people
        ]

    @property
    def tokens(self) -> list[TokenRow]:
        """All tokens, the newest first."""
        return [self._token(each) for each in reversed(self._found.tokens)]

    def _token(self, each: ApiToken) -> TokenRow:
        revoked = each.revoked_at is not None
        state = "revoked" if revoked else "good" if each.is_good(self.now) else "expired"
        never = self._strings["settings.never"]
        return TokenRow(
            name=each.name,
            scope=each.scope,
            state=state,
            until=self._zone.day(each.until),
            used=self._zone.moment(each.used_at, self.now) if each.used_at else never,
            made_by=shown(each.made_by),
        )
