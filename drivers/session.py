"""One connection to an OPC UA server: made anew each time, bounded in time, always closed.

Nothing here reconnects. asyncua's own reconnecting keeps node ids of the old connection, and
namespaces may have moved since; so a lost link ends the session, and the machine's task opens
another.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, NoReturn, Self, TypeVar
from urllib.parse import urlsplit

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from pydantic import AfterValidator, Field, model_validator

from drivers.beside import NamedFile
from drivers.credentials import Credentials
from drivers.errors import GarbledError, RefusedError, StaleError
from drivers.hangup import hang_up
from drivers.login import log_in_by_certificate, log_in_by_password
from drivers.nodeid import CORE
from drivers.reading import ReadRequest, read
from drivers.secret import Secret
from drivers.security import Security, secure
from drivers.settings import MachineSettings
from drivers.skew import Bounds
from drivers.uaerrors import TOO_MUCH, LateError, status_text, told
from drivers.uastream import look_at

SESSION_TIMEOUT_S = 30.0
"""Small servers allow about ten sessions; one that we could not close must not last."""
WATCHDOG_S = 10.0
"""How often asyncua looks whether the server lives; also keeps a session that polls rarely."""
DEFAULT_PORT = 4840
PROBE_S = 1.0
"""How long a server that we doubt may take to give any sign of life, beside what it has had."""

READ, BROWSE, TRANSLATE, MONITOR = "reading", "browsing", "resolving paths", "subscribing"
SELECT, WHERE = "selecting event fields", "filtering events"
_LIMIT_NODES = {
    READ: ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    BROWSE: ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    TRANSLATE: (
        ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds
    ),
    MONITOR: ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
    SELECT: ua.ObjectIds.Server_ServerCapabilities_MaxSelectClauseParameters,
    WHERE: ua.ObjectIds.Server_ServerCapabilities_MaxWhereClauseParameters,
}
UNSTATED = 1000
"""How much we ask at once where the server states no limit; halved when it is refused."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# What asyncua has to say about a link reaches a person through our errors, once and in words.
_asyncua_log = logging.getLogger("asyncua.client")
if _asyncua_log.level == logging.NOTSET:
    _asyncua_log.setLevel(logging.CRITICAL + 1)  # it has a critical word for a plain refusal


def _server_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"should be like opc.tcp://192.168.1.20:4840 ({error})") from None
    if parts.scheme != "opc.tcp" or not parts.hostname:
        raise ValueError("should be like opc.tcp://192.168.1.20:4840")
    if "@" in parts.netloc:
        raise ValueError("should hold no user or password")
    return text if port else parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORT}").geturl()


ServerUrl = Annotated[str, AfterValidator(_server_url)]


class SessionSettings(MachineSettings):
    """What both OPC UA drivers need for a connection."""

    url: ServerUrl
    """Address of the server: `opc.tcp://host:port/path`; the port is 4840 where none is given."""
    security: Security | None = None
    """None: neither signed nor encrypted."""
    user: Annotated[str | None, Field(min_length=1)] = None
    """None: anonymous."""
    password: Secret | None = None
    user_certificate: NamedFile | None = None
    """Instead of user and password: a certificate that the server knows, PEM or DER."""
    user_key: Secret | None = None
    """Of `user_certificate`, PEM."""

    @property
    def credentials(self) -> Credentials | None:
        """What a secured connection rests on; None for one in clear."""
        return self.security

    @property
    def silent_most_s(self) -> float:
        """How long the server may say nothing: `stale_s`, or longer where polls are rare."""
        return max(self.stale_s, 2.5 * self.poll_s)

    @model_validator(mode="after")
    def _one_user(self) -> Self:
        if (self.user_certificate is None) != (self.user_key is None):
            raise ValueError("'user_certificate' and 'user_key' belong together")
        if self.user_certificate is not None and self.user is not None:
            raise ValueError("'user' and 'user_certificate' are two users; one logs in")
        if self.user_certificate is not None and self.security is None:
            raise ValueError("a 'user_certificate' needs 'security'")
        return self

    @model_validator(mode="after")
    def _not_in_clear(self) -> Self:
        if self.password is not None and self.user is None:
            raise ValueError("a 'password' needs a 'user'")
        if self.user is not None and self.security is None:
            raise ValueError("a 'user' needs 'security': no password is sent in clear text")
        return self


class Session:
    """A connection that stands; `open_session` makes one.

    Attributes:
        machine: Name of the machine, for errors.
        namespaces: URIs by index, as the server had them when we connected.
        limits: How many of each kind the server takes in one request.
        heard_at: When it last answered, by the monotonic clock.
        server_clock: How far the server's clock is from ours.
        machine_clock: How far that one is which stamps the values.
    """

    def __init__(self, client: Client, machine: str) -> None:
        self.machine = machine
        self.namespaces: tuple[str, ...] = (CORE,)
        self.limits = dict.fromkeys(_LIMIT_NODES, UNSTATED)
        self.heard_at = time.monotonic()
        self.server_clock = Bounds()
        self.machine_clock = Bounds()
        self._ua = client.uaclient
        self.services = client.uaclient.session
        """asyncua's service calls of this session."""

    def index_of(self, uri: str) -> int | None:
        """Index of a namespace in this connection; None where the server has no such."""
        try:
            return self.namespaces.index(uri)
        except ValueError:
            return None

    @property
    def stands(self) -> bool:
        """Whether the link can still be used, as far as we know."""
        transport = self._ua.protocol.transport
        return transport is not None and not transport.is_closing()

    async def check_life(self, stale_s: float, late: LateError) -> None:
        """Pass over one late answer, unless none has come for too long or the link is dead.

        Where no byte at all has come in the time that the answer had, the server is asked for its
        state, once and briefly: a slow one says something meanwhile, a dead link never.

        Raises:
            StaleError: the server has not answered for longer than `stale_s`, or is dead.
        """
        now = time.monotonic()
        if now - self.heard_at > stale_s:
            self._stale(late)
        if now - self._ua.protocol.heard_at >= self._ua.protocol.timeout:
            await self.probe(late)

    async def probe(self, doubt: Exception | None = None) -> None:
        """Ask the server for its state; any byte that comes is as good as the answer.

        Raises:
            StaleError: nothing has come.
            MachineError: the link has ended.
        """
        stream, began_at = self._ua.protocol, time.monotonic()
        with told(self.machine, READ), suppress(TimeoutError, UaStatusCodeError):
            async with asyncio.timeout(PROBE_S):
                await self.send(_STATE)
        if stream.heard_at < began_at:
            self._stale(doubt)

    def _stale(self, why: Exception | None) -> NoReturn:
        self._ua.protocol.is_dead = True
        silent_s = time.monotonic() - self.heard_at
        raise StaleError(self.machine, f"no answer for {silent_s:.0f} s") from why

    def heard(self) -> None:
        """Note a sign of life."""
        self.heard_at = time.monotonic()

    async def ask(
        self,
        kind: str,
        items: Sequence[Item],
        request: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
    ) -> list[Answer]:
        """Ask about many things in as few requests as the server takes.

        A request that is refused as too large is halved, and the smaller size is kept.

        Args:
            kind: Which of the limits applies; also names what we do in errors.
            items: What to ask about.
            request: Sends one request; answers with one result an item.

        Raises:
            MachineError: the server did not answer, or said no to the request as a whole.
        """
        answers: list[Answer] = []
        while len(answers) < len(items):
            piece = items[len(answers) : len(answers) + self.limits[kind]]
            with told(self.machine, kind):
                try:
                    got = await request(piece)
                except UaStatusCodeError as error:
                    if error.code not in TOO_MUCH or len(piece) == 1:
                        raise
                    self.limits[kind] = len(piece) // 2
                    continue
            if len(got) != len(piece):
                raise GarbledError(
                    self.machine, f"{kind}: asked about {len(piece)} nodes, got {len(got)} answers"
                )
            self.heard()
            answers += got
        return answers

    async def read(
        self,
        node_ids: Sequence[ua.NodeId],
        attribute: ua.AttributeIds = ua.AttributeIds.Value,
    ) -> list[ua.DataValue]:
        """One attribute of many nodes, each with its status."""
        wanted = [ua.ReadValueId(NodeId=node_id, AttributeId=attribute) for node_id in node_ids]
        return await self.ask(READ, wanted, lambda piece: self.send(ReadRequest(piece)))

    async def send(self, wanted: ReadRequest) -> Sequence[ua.DataValue]:
        """One read request, as it is; whoever has more or needs errors told takes `read`."""
        asked_at = datetime.now(UTC)
        if self._ua.protocol is None:
            raise ConnectionError("the connection is closed")
        said, found = await read(self._ua.protocol, wanted)
        if said is not None:
            self.server_clock.take(said, asked_at, datetime.now(UTC))
        return found

    async def look_up(self) -> None:
        """Read the namespace table and the limits of the server.

        Raises:
            GarbledError: the namespace table is none.
            RefusedError: the server does not let us read it.
        """
        ids = [ua.ObjectIds.Server_NamespaceArray, *_LIMIT_NODES.values()]
        table, *limits = await self.read([ua.NodeId(number) for number in ids])
        if not table.StatusCode.is_good():
            code = table.StatusCode.value
            raise RefusedError(self.machine, f"the namespace table: {status_text(code)}")
        uris = table.Value.Value
        if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
            raise GarbledError(self.machine, f"the namespace table is {uris!r}")
        self.namespaces = (CORE, *uris[1:])
        for kind, found in zip(_LIMIT_NODES, limits, strict=True):
            number = found.Value.Value if found.StatusCode.is_good() else None
            if isinstance(number, int) and number > 0:
                self.limits[kind] = min(number, self.limits[kind])


_STATE = ReadRequest(
    [ua.ReadValueId(ua.NodeId(ua.ObjectIds.Server_ServerStatus_State), ua.AttributeIds.Value)]
)


class Batch:
    """One list of nodes that is read again and again; the requests are made once.

    Args:
        session: The connection.
        node_ids: What to read.
        attribute: Of each of them.
    """

    def __init__(
        self,
        session: Session,
        node_ids: Sequence[ua.NodeId],
        attribute: ua.AttributeIds = ua.AttributeIds.Value,
    ) -> None:
        self._session = session
        self._wanted = [
            ua.ReadValueId(NodeId=node_id, AttributeId=attribute) for node_id in node_ids
        ]
        self._made: dict[tuple[int, int], ReadRequest] = {}

    async def read(self) -> list[ua.DataValue]:
        """The values, in order, each with its status and the machine's time.

        Raises:
            MachineError: the server did not answer, or refused the request as a whole.
        """
        at = 0

        async def request(piece: Sequence[ua.ReadValueId]) -> Sequence[ua.DataValue]:
            nonlocal at
            key = (at, len(piece))
            if key not in self._made:
                self._made[key] = ReadRequest(piece)
            found = await self._session.send(self._made[key])
            at += len(piece)
            return found

        return await self._session.ask(READ, self._wanted, request)


class _Client(Client):  # type: ignore[misc]  # asyncua's types are not to be had
    """asyncua's, which would also send a password that anybody on the network can read."""

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        policy = super().server_policy(token_type)
        hidden = self.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        if token_type == ua.UserTokenType.UserName and not hidden and _is_clear(policy):
            raise UaError("it wants the password in clear text; mode 'SignAndEncrypt' hides it")
        return policy


def _is_clear(policy: ua.UserTokenPolicy) -> bool:
    return policy.SecurityPolicyUri in (None, "", SecurityPolicyNone.URI)


@asynccontextmanager
async def open_session(settings: SessionSettings) -> AsyncGenerator[Session]:
    """Connect, hand out the session, and close it whatever happens.

    Raises:
        UnreachableError: nobody answers at the address, or not in time.
        RefusedError: it answers and says no: security, log-in, too many sessions; or a certificate
            or password that is configured is not there.
        GarbledError: it is no OPC UA server that we understand.
    """
    client = _Client(
        settings.url,
        timeout=settings.timeout_s,
        watchdog_intervall=WATCHDOG_S,
        auto_reconnect=False,  # it would take node ids of before for those of now
    )
    look_at(client.uaclient)
    client.session_timeout = SESSION_TIMEOUT_S * 1000
    client.name = "Sprue"
    client.description = f"Sprue {settings.name}"  # a peripheral may act on the loss of its IMM's
    client.application_uri = "urn:sprue:agent"
    client.product_uri = "urn:sprue"
    if settings.user is not None:
        log_in_by_password(client, settings.name, settings.user, settings.password)
    if settings.user_certificate is not None and settings.user_key is not None:
        mine = settings.user_certificate, settings.user_key
        await asyncio.to_thread(log_in_by_certificate, client, settings.name, *mine)
    try:
        with told(settings.name, f"connecting to {settings.url}"):
            async with asyncio.timeout(settings.connect_timeout_s):
                if settings.security is not None:
                    await secure(client, settings.security, at=settings)
                await client.connect()
                session = Session(client, settings.name)
                await session.look_up()
        yield session
    finally:
        await hang_up(client)
