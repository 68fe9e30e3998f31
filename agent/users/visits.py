"""Browsers that are logged in: each has a random token, of which the record keeps the digest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from agent.audit import Author, note
from agent.rows import from_ns, to_ns
from agent.schema import person, visit
from agent.users.people import Person, person_of
from agent.users.secret import digest, new_secret

WALL = timedelta(days=400)
"""How long a screen on the wall stays logged in; it may only look."""

TOUCH_EVERY = timedelta(minutes=1)
"""So that not every page is a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long one stays logged in."""

    idle: timedelta = timedelta(hours=1)
    """Without a page opened or a form sent; what a page fetches by itself does not count."""
    most: timedelta = timedelta(hours=12)
    """However busy one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A browser that is logged in."""

    person: Person
    wall: bool
    seen_at: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether it should be noted that the person is still there."""
        return now - self.seen_at >= TOUCH_EVERY


def begin_visit(connection: Connection, author: Author, who: Person, *, wall: bool) -> str:
    """Log a browser in; the token that it keeps."""
    token = new_secret()
    at_ns = to_ns(author.at)
    row = {"token": digest(token), "person_id": who.id, "wall": int(wall)}
    connection.execute(insert(visit).values(since_ns=at_ns, seen_ns=at_ns, **row))
    note(connection, author, "log in", "user", who.name, new={"wall": True} if wall else None)
    return token


def find_visit(connection: Connection, token: str, now: datetime, terms: Terms) -> Visit | None:
    """Whose browser has this token; None where it has none of ours, or one that has expired."""
    query = (
        select(person, visit.c.wall, visit.c.since_ns.label("began_ns"), visit.c.seen_ns)
        .join(person, person.c.id == visit.c.person_id)
        .where(visit.c.token == digest(token))
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    began, seen, wall = from_ns(row["began_ns"]), from_ns(row["seen_ns"]), bool(row["wall"])
    over = now - began >= (WALL if wall else terms.most)
    if over or (not wall and now - seen >= terms.idle):
        return None
    return Visit(person=person_of(row), wall=wall, seen_at=seen)


def touch_visit(connection: Connection, token: str, now: datetime) -> None:
    """Note that the person is still there."""
    connection.execute(
        update(visit).where(visit.c.token == digest(token)).values(seen_ns=to_ns(now))
    )


def end_visit(connection: Connection, author: Author, token: str) -> None:
    """Log a browser out."""
    ended = connection.execute(delete(visit).where(visit.c.token == digest(token)))
    if ended.rowcount:
        note(connection, author, "log out", "user", author.who)


def end_old_visits(connection: Connection, now: datetime, terms: Terms) -> None:
    """Forget browsers whose time is over."""
    bare = visit.c.wall == 0
    connection.execute(
        delete(visit).where(
            or_(
                visit.c.since_ns < to_ns(now - WALL),
                bare & (visit.c.since_ns < to_ns(now - terms.most)),
                bare & (visit.c.seen_ns < to_ns(now - terms.idle)),
            )
        )
    )
