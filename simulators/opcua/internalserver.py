"""asyncua's server behind the sockets, on nodes that are there already, and with limits."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.events import Event
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import NodeData
from asyncua.server.internal_server import InternalServer

from simulators.opcua.eventhistory import EventHistory
from simulators.opcua.limits import NONE, LimitedSession, Limits
from simulators.opcua.sharednodes import SharedNodes

MAX_SESSION_S = 60.0
"""How long the session of a client that went without a word is kept, with its subscriptions."""


class InternalServerOn(InternalServer):  # type: ignore[misc]  # asyncua is untyped to us
    """The library's server on the nodes of `base`.

    Attributes:
        limits: What it takes at once.
        max_sessions: How many sessions may stand; None for any number.
        is_secured: Whether a session needs a secure channel.
        trusts_clients: Whether the certificates of clients are taken when they open a channel.
        calls: Methods that clients have called.
        writes: Attributes that clients have written.
        history: Past events; None where it keeps none.
        event_as_seen: An event with the ids that clients see.
        now: The control's time.
    """

    def __init__(self, base: Mapping[ua.NodeId, NodeData], limits: Limits = NONE) -> None:
        super().__init__()
        self._base = base
        self.disabled_clock = True  # ours is read, not written; and theirs holds up a stop by 1 s
        self.max_session_timeout_ms = MAX_SESSION_S * 1000
        self.allow_remote_admin = False
        self.limits = limits
        if limits.subscriptions:
            self.max_subscriptions = limits.subscriptions
        self.max_sessions: int | None = limits.sessions or None
        self.is_secured = False
        self.trusts_clients = True
        self.calls = 0
        self.writes = 0
        self.history: EventHistory | None = None
        self.event_as_seen: Callable[[Event], Event] = lambda event: event
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        """Start with what is there."""
        self.aspace._nodes = SharedNodes(self._base)

    def create_session(self, name: str, user: Any = None, external: bool = False) -> LimitedSession:
        """A session for a client that asks for one.

        Raises:
            ServiceError: BadTooManySessions.
        """
        if self.max_sessions is not None and len(self._external_sessions) >= self.max_sessions:
            raise ServiceError(ua.StatusCodes.BadTooManySessions)
        given = {} if user is None else {"user": user}
        return LimitedSession(
            self, self.aspace, self.subscription_service, name, external=external, **given
        )
