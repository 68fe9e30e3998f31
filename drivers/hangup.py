"""How a connection to an OPC UA server ends: politely where it listens, and soon in any case."""

import asyncio
from contextlib import suppress

from asyncua import Client
from asyncua.ua.uaerrors import UaError

CLOSE_S = 0.6
"""How long closing may take: a dead peer must not hold up a shutdown."""
DEAD_S = 0.05
"""The same where the peer is known to be dead; what was sent waits for it all the same."""


async def hang_up(client: Client, *, session: bool = True) -> None:
    """Give the session back to the server if it still listens, and the socket in any case."""
    protocol = client.uaclient.protocol
    try:
        # A time-out is an OSError too; uvloop says with a RuntimeError that a transport has ended.
        with suppress(UaError, OSError, RuntimeError):
            async with asyncio.timeout(DEAD_S if getattr(protocol, "is_dead", False) else CLOSE_S):
                if session:
                    await client.close_session()
                await client.close_secure_channel()
    finally:
        client.disconnect_socket()
        transport = protocol.transport if protocol else None
        if transport is not None:
            # asyncua keeps the socket of a link that it knows to be lost; and a socket with
            # unsent bytes for a dead peer would stay until the system gives up on it.
            transport.abort() if transport.get_write_buffer_size() else transport.close()
