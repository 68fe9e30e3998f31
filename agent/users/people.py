"""People who may log in: added, removed and changed, each with its row in the audit log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.audit import Author, note
from agent.rows import from_ns, to_ns
from agent.schema import person, visit
from agent.users.error import UserError
from agent.users.password import fits, hashed, is_outdated, rehashed
from agent.users.roles import ROLES, Role
from agent.users.taste import Taste

NAME_MOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may log in."""

    id: int
    name: str
    role: Role
    taste: Taste
    since: datetime


def people(connection: Connection) -> list[Person]:
    """All, by name."""
    rows = connection.execute(select(person).order_by(person.c.name)).mappings()
    return [person_of(row) for row in rows]


def is_anybody(connection: Connection) -> bool:
    """Whether there are users at all."""
    return connection.execute(select(person.c.id).limit(1)).first() is not None


def find_person(connection: Connection, name: str) -> Person:
    """One by name.

    Raises:
        UserError: there is none.
    """
    row = connection.execute(select(person).where(person.c.name == name)).mappings().first()
    if row is None:
        raise UserError(f"no user is called {name!r}; `sprue users list` names them")
    return person_of(row)


def add_person(
    connection: Connection, author: Author, name: str, role: str, password: str
) -> Person:
    """Let somebody in.

    Args:
        connection: Of `agent.audit.change`.
        author: Who does it.
        name: Under which they log in, and sign.
        role: What they may do.
        password: Theirs.

    Raises:
        UserError: the name is taken or no name, there is no such role, or the password is weak.
    """
    name = _name(name)
    taken = connection.execute(select(person.c.name)).scalars().all()
    if same := next((each for each in taken if each.casefold() == name.casefold()), None):
        raise UserError(f"a user is called {same!r} already")
    if role != "admin" and not _admins(connection):
        raise UserError("the first user should be an admin: somebody must be able to add others")
    row = {"name": name, "role": _role(role), "password": hashed(password, name)}
    connection.execute(insert(person).values(since_ns=to_ns(author.at), **row))
    note(connection, author, "add", "user", name, new={"role": role})
    return find_person(connection, name)


def remove_person(connection: Connection, author: Author, name: str) -> None:
    """Let somebody in no longer; what they signed stays theirs.

    Raises:
        UserError: there is no such user, or nobody could add users any more.
    """
    found = find_person(connection, name)
    others = connection.execute(select(func.count()).select_from(person)).scalar_one() - 1
    if found.role == "admin" and others and _admins(connection) == 1:
        raise UserError(f"{name} is the only admin; make somebody else one first")
    connection.execute(delete(visit).where(visit.c.person_id == found.id))
    connection.execute(delete(person).where(person.c.id == found.id))
    note(connection, author, "remove", "user", name, old={"role": found.role})


def set_role(connection: Connection, author: Author, name: str, role: str) -> Person:
    """Change what somebody may do, from their next click on.

    Raises:
        UserError: there is no such user or role, or no admin would be left.
    """
    found = find_person(connection, name)
    if found.role == "admin" and _role(role) != "admin" and _admins(connection) == 1:
        raise UserError(f"{name} is the only admin; make somebody else one first")
    connection.execute(update(person).where(person.c.id == found.id).values(role=_role(role)))
    note(connection, author, "role", "user", name, old={"role": found.role}, new={"role": role})
    return find_person(connection, name)


def set_password(
    connection: Connection, author: Author, name: str, password: str, *, stays: str | None = None
) -> None:
    """Give somebody another password; whoever is logged in as them has to log in anew.

    Args:
        connection: Of `agent.audit.change`.
        author: Who does it.
        name: Whose.
        password: The new one.
        stays: Digest of a browser's token that stays logged in.

    Raises:
        UserError: there is no such user, or the password is weak.
    """
    found = find_person(connection, name)
    kept = hashed(password, name)
    connection.execute(update(person).where(person.c.id == found.id).values(password=kept))
    left = delete(visit).where(visit.c.person_id == found.id)
    connection.execute(left if stays is None else left.where(visit.c.token != stays))
    note(connection, author, "password", "user", name)


def set_taste(connection: Connection, author: Author, name: str, taste: Taste) -> None:
    """Change how somebody wants to see numbers and words.

    Raises:
        UserError: there is no such user.
    """
    found = find_person(connection, name)
    said = taste.model_dump(exclude_none=True)
    if said == found.taste.model_dump(exclude_none=True):
        return
    connection.execute(
        update(person).where(person.c.id == found.id).values(taste=json.dumps(said) or None)
    )
    note(connection, author, "settings", "user", name, new=said)


def checked(connection: Connection, name: str, password: str) -> Person | None:
    """Who logs in with this name and password; None for nobody.

    Takes as long for a name that nobody has as for a wrong password.
    """
    row = connection.execute(select(person).where(person.c.name == name)).mappings().first()
    if not fits(password, row["password"] if row else None) or row is None:
        return None
    return person_of(row)


def renew_hash(connection: Connection, name: str, password: str) -> None:
    """Hash a password that was found right anew, where that is done with other costs by now."""
    query = select(person.c.password).where(person.c.name == name)
    kept = connection.execute(query).scalar()
    if kept is not None and is_outdated(kept):
        renewed = update(person).where(person.c.name == name).values(password=rehashed(password))
        connection.execute(renewed)


def person_of(row: Mapping[Any, Any]) -> Person:
    """A row of the table."""
    return Person(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        taste=Taste.model_validate_json(row["taste"] or "{}"),
        since=from_ns(row["since_ns"]),
    )


def _admins(connection: Connection) -> int:
    query = select(func.count()).select_from(person).where(person.c.role == "admin")
    return int(connection.execute(query).scalar_one())


def _role(role: str) -> str:
    if role not in ROLES:
        raise UserError(f"{role!r} should be one of {', '.join(ROLES)}")
    return role


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable():
        raise UserError(f"a name has 1 to {NAME_MOST} printable letters; found {text[:80]!r}")
    return name
