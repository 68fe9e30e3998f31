"""Serves the pages in the agent's own event loop, and stops when its task is cancelled."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Collection
from typing import Any

import uvicorn
from fastapi import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from agent.ending import CommandError
from agent.files import RecordError
from agent.history import open_history
from agent.live import Plant
from agent.users.people import is_anybody
from agent.web import WebSettings
from dashboards.app import LAG_S, create_app
from dashboards.compression import LargeOnly
from drivers.closedfile import OpenFileError, read_closed

log = logging.getLogger(__name__)

FAREWELL_S = 0.4
"""How long open pages get to take their farewell when the server stops."""

LARGEST_MESSAGE = 4096
"""Bytes that a page may send in one message."""


SEND_BUFFER = 131_072
"""Bytes that the kernel holds for one viewer: a frozen one is noticed once they are full."""


class ServeError(CommandError):
    """The pages can't be served at this address; the message says why and what would help."""


async def serve(
    plant: Plant,
    host: str,
    port: int,
    started: Callable[[str], None] | None = None,
    *,
    record: str | None = None,
    hosts: Collection[str] = (),
    web: WebSettings | None = None,
    lag_s: float = LAG_S,
) -> None:
    """Serve the pages of a plant until cancelled.

    Args:
        plant: What they show.
        host: Address or name to listen on.
        port: 0 takes any free one.
        started: Told the address to open, once pages are answered.
        record: URL of the record that pages about the past read and write.
        hosts: Further host names under which the pages may be asked for.
        web: How they are served: TLS, the name that browsers know, who is trusted.
        lag_s: A viewer that falls further behind is closed.

    Raises:
        ServeError: nothing can listen there; or others could come in, and there are no users.
    """
    web = web or WebSettings()
    if not is_loopback(host):
        await asyncio.to_thread(refuse_without_users, host, port, record)
        if not web.is_secure:
            log.warning("pages at %s:%d: no TLS, so passwords can be read on the way", host, port)
    app = create_app(plant, record=record, hosts=(host, *hosts), web=web, lag_s=lag_s)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws=_Connection,
        ws_max_size=LARGEST_MESSAGE,
        timeout_graceful_shutdown=1,
        ssl_certfile=web.tls.cert if web.tls else None,
        ssl_keyfile=web.tls.key if web.tls else None,
    )
    _load(config, web)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    app.state.abort = _Abort(server)
    with contextlib.closing(_listen(host, port)) as listener:
        # Not Server.serve(): that takes over the signals, which are the agent's.
        await server.startup(sockets=[listener])
        try:
            if started is not None:
                started(address(listener, secure=web.tls is not None))
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(work()) for work in app.state.work]
                await server.main_loop()
                for task in beside:
                    task.cancel()
        finally:
            await _stop(server, listener)


class _Connection(WebSocketsSansIOProtocol):
    """A viewer's connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [LargeOnly()]

    def shutdown(self) -> None:
        """Say farewell; one that is taking its own already needs no other from us.

        uvicorn's own raises then: the stop would end in an error, and other viewers would not be
        told.
        """
        try:
            super().shutdown()
        except InvalidState:
            self.transport.close()


class _Abort:
    """Drops the connection of one viewer at once, whatever it has not taken yet."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server

    def __call__(self, websocket: WebSocket) -> None:
        for connection in list(self._server.server_state.connections):
            if getattr(connection, "client", None) == websocket.scope["peer"]:
                connection.transport.abort()


async def _stop(server: uvicorn.Server, listener: socket.socket) -> None:
    """Close every page; those that don't take their farewell are dropped.

    A frozen page would hold up uvicorn's own shutdown for ever: its connection is only ever closed
    once everything has been written to it.
    """

    def drop() -> None:
        for connection in list(server.server_state.connections):
            connection.transport.abort()

    farewell = asyncio.get_running_loop().call_later(FAREWELL_S, drop)
    try:
        await server.shutdown(sockets=[listener])
    finally:
        farewell.cancel()
        drop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ServeError(
            f"The pages can't be served at {host}:{port}: there is no such address."
        ) from error
    family, kind, protocol, _name, where = min(found, key=lambda each: each[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.bind(where)
        listener.listen(256)
    except OSError as error:
        listener.close()
        why = error.strerror or str(error)
        raise ServeError(
            f"The pages can't be served at {host}:{port}: {why}. "
            "Stop what uses that address, or listen on another."
        ) from error
    listener.setblocking(False)
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this computer can come to an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_without_users(host: str, port: int, record: str | None) -> None:
    """Refuse to serve others while nobody would have to log in.

    Raises:
        ServeError: there are no users; it says how to make the first one.
    """
    try:
        if record is not None:
            with open_history(record) as history, history.connect() as connection:
                if is_anybody(connection):
                    return
    except RecordError as error:
        raise ServeError(str(error)) from error
    raise ServeError(
        f"The pages can't be served at {host}:{port}: others could come in there, and there are no "
        "users. `sprue users add NAME --role admin` makes the first one; or listen on 127.0.0.1."
    )


def _load(config: uvicorn.Config, web: WebSettings) -> None:
    try:
        if web.tls is not None:
            read_closed(web.tls.key)
        config.load()
    except OpenFileError as error:
        raise ServeError(f"web.tls.key: {error.filename}: {error.strerror}") from error
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        raise ServeError(f"web.tls: certificate and key can't be used: {error}") from error


def address(listener: socket.socket, *, secure: bool = False) -> str:
    """The address to open in a browser for what this socket listens on."""
    scheme = "https" if secure else "http"
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
