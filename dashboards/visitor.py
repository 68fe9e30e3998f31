"""Whoever a request comes from, for all that answers it."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from agent.users.roles import Scope
from agent.users.taste import Taste
from dashboards.rights import may

Way = Literal["session", "token", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, and what they may."""

    name: str
    """Empty where nobody logs in: then a form says who signs."""
    scope: Scope
    way: Way
    address: str = ""
    csrf: str = ""
    """What every form of theirs carries; empty where their way needs none."""
    wall: bool = False
    """A screen that stays logged in, and may only look."""
    taste: Taste | None = None
    session: str = ""
    """The browser's token."""

    def may(self, right: str) -> bool:
        """Whether they may do something of `RIGHTS`."""
        return may(self.scope, right)


LOCAL = Visitor(name="", scope="admin", way="local")
"""Who sits at this computer, while there are no users."""


def stranger(address: str) -> Visitor:
    """Somebody at the log-in page."""
    return Visitor(name="", scope="metrics", way="session", address=address)


_VISITOR: ContextVar[Visitor] = ContextVar("visitor", default=LOCAL)


def visitor() -> Visitor:
    """Whose request is being answered."""
    return _VISITOR.get()


def answer_to(who: Visitor) -> None:
    """From here on the request of this visitor is answered."""
    _VISITOR.set(who)
