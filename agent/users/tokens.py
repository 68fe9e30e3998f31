"""Tokens of programs: what they are good for and until when; only their digests are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from agent.audit import Author, note
from agent.rows import from_ns, to_ns
from agent.schema import api_token
from agent.users.error import UserError
from agent.users.people import NAME_MOST
from agent.users.roles import SCOPES, Scope
from agent.users.secret import digest, new_secret

PREFIX = "sprue_"

LONGEST = timedelta(days=3653)

USED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One that was given out."""

    id: int
    name: str
    scope: Scope
    made_by: str
    since: datetime
    until: datetime
    used_at: datetime | None
    """To the hour."""
    revoked_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and now < self.until

    def is_due(self, now: datetime) -> bool:
        """Whether it should be noted that it is used."""
        return self.used_at is None or now - self.used_at >= USED_EVERY


def tokens(connection: Connection) -> list[ApiToken]:
    """All that there were, oldest first."""
    rows = connection.execute(select(api_token).order_by(api_token.c.id)).mappings()
    return [_token(row) for row in rows]


def add_token(
    connection: Connection, author: Author, name: str, scope: str, until: datetime
) -> tuple[ApiToken, str]:
    """Make one.

    Args:
        connection: Of `agent.audit.change`.
        author: Who does it.
        name: Of what it is for; its deeds are signed with it.
        scope: A role, or `metrics`.
        until: When it ends.

    Returns:
        It, and the token itself, which nobody can be shown again.

    Raises:
        UserError: the name is taken or no name, there is no such scope, or the end is not ahead.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable():
        raise UserError(
            f"a token's name has 1 to {NAME_MOST} printable letters; found {name[:80]!r}"
        )
    if scope not in SCOPES:
        raise UserError(f"{scope!r} should be one of {', '.join(SCOPES)}")
    if not author.at < until <= author.at + LONGEST:
        raise UserError("a token's end should lie ahead, and not more than ten years")
    if any(each.name == name for each in tokens(connection)):
        raise UserError(f"a token is called {name!r} already; names are not used again")
    secret = new_secret(PREFIX)
    row = {"name": name, "token": digest(secret), "scope": scope, "made_by": author.who}
    connection.execute(
        insert(api_token).values(since_ns=to_ns(author.at), until_ns=to_ns(until), **row)
    )
    note(connection, author, "add", "token", name, new={"scope": scope, "until": until.isoformat()})
    return next(each for each in tokens(connection) if each.name == name), secret


def revoke_token(connection: Connection, author: Author, name: str) -> ApiToken:
    """End one before its time.

    Raises:
        UserError: there is no such token, or it is revoked already.
    """
    found = next((each for each in tokens(connection) if each.name == name), None)
    if found is None:
        raise UserError(f"no token is called {name!r}; `sprue tokens list` names them")
    if found.revoked_at is not None:
        raise UserError(f"token {name} is revoked already")
    connection.execute(
        update(api_token).where(api_token.c.id == found.id).values(revoked_ns=to_ns(author.at))
    )
    note(connection, author, "revoke", "token", name)
    return next(each for each in tokens(connection) if each.name == name)


def find_token(connection: Connection, secret: str, now: datetime) -> ApiToken | None:
    """The token that a program shows; None where it is none of ours, expired or revoked."""
    query = select(api_token).where(api_token.c.token == digest(secret))
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    found = _token(row)
    return found if found.is_good(now) else None


def touch_token(connection: Connection, ident: int, now: datetime) -> None:
    """Note that it is used."""
    connection.execute(update(api_token).where(api_token.c.id == ident).values(used_ns=to_ns(now)))


def _token(row: Mapping[Any, Any]) -> ApiToken:
    def moment(name: str) -> datetime | None:
        return from_ns(row[name]) if row[name] is not None else None

    return ApiToken(
        id=row["id"],
        name=row["name"],
        scope=row["scope"],
        made_by=row["made_by"],
        since=from_ns(row["since_ns"]),
        until=from_ns(row["until_ns"]),
        used_at=moment("used_ns"),
        revoked_at=moment("revoked_ns"),
    )
