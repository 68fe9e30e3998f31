"""Modbus/TCP Security: the same requests and answers inside TLS, never less than configured.

The machine is known by its certificate: the one that a person has pinned or configured, compared as
a whole, or any that a configured authority has signed for its name. Ours is sent where the machine
asks for it. What role it gives us there (the extension of the standard) is the machine's to say: we
only ever read.

Source:
    MODBUS/TCP Security Protocol Specification V21: TLS 1.2 at least, port 802, the Modbus TCP
    header inside; certificates on both sides.
"""

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Self, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import Field, model_validator

from drivers.beside import NamedFile
from drivers.closedfile import put
from drivers.credentials import Credentials, check, identity, trusted_certificate
from drivers.errors import RefusedError, UnreachableError
from drivers.modbusplace import Port

PORT = 802
"""Registered for Modbus/TCP Security."""
GOODBYE_S = 0.5
"""How long ending a connection in order may take: a dead peer must not hold anything up."""

ABOUT_OURS = ("certificate", "unknown_ca", "unknown ca", "access", "decrypt")
"""What alerts say that are about our certificate."""


class Tls(Credentials):
    """Modbus/TCP Security: a machine that is only spoken to over TLS."""

    KEY: ClassVar[str] = "tls"
    HAS_URI: ClassVar[bool] = False

    ca: NamedFile | None = None
    """In place of a pin: authorities' certificates, PEM, one of which has signed the machine's."""
    server_name: Annotated[str | None, Field(min_length=1)] = None
    """With `ca`: the name or address in the machine's certificate. None: the `host`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.ca is not None and self.server_certificate is not None:
            raise ValueError("'ca' and 'server_certificate' are two ways to trust; one is enough")
        if self.server_name is not None and self.ca is None:
            raise ValueError("'server_name' is for a 'ca'; a pinned certificate is compared whole")
        return self


def admit(machine: str, tls: Tls, found: x509.Certificate) -> None:
    """Refuse a machine that is not the trusted one; an authority's word was proved before.

    Raises:
        RefusedError: its certificate is not trusted, has changed or expired.
    """
    if tls.ca is None:
        check(machine, trusted_certificate(machine, tls), found)


async def connect(
    machine: str, tls: Tls, place: Port, protocol: asyncio.Protocol, lost: Callable[[str], None]
) -> x509.Certificate:
    """Connect, and hand the connection to a protocol once TLS stands.

    Args:
        machine: For errors.
        tls: What both sides rest on.
        place: Where.
        protocol: Whose `connection_made` is called; its data is what TLS has deciphered.
        lost: Called before its `connection_lost` where the machine said why, with a sentence.

    Returns:
        The certificate that the machine has; nobody has said yet that it is the right one.

    Raises:
        RefusedError: it speaks no TLS that we take, or refuses our certificate; or a file of ours
            can't be used.
        OSError: no connection.
    """
    context = await asyncio.to_thread(_context, machine, tls)
    loop = asyncio.get_running_loop()
    raw, _ = await loop.create_connection(asyncio.Protocol, place.host, place.port)
    try:
        transport = await loop.start_tls(
            raw,
            _Heard(protocol, lost),
            context,
            server_hostname=tls.server_name or place.host,
            ssl_shutdown_timeout=GOODBYE_S,
        )
    except ssl.SSLError as error:
        raise RefusedError(machine, _refusal(error, place)) from error
    except TimeoutError:
        raise
    except OSError as error:
        what = f"{place} hangs up when TLS begins; does it speak plain Modbus?"
        raise UnreachableError(machine, what) from error
    except asyncio.CancelledError:
        raw.abort()
        raise
    if transport is None:  # what start_tls gives for a connection that has just ended
        raise UnreachableError(machine, f"{place} hung up as soon as TLS stood")
    content = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    protocol.connection_made(transport)
    return x509.load_der_x509_certificate(content)


async def shown_certificate(
    machine: str, tls: Tls, place: Port, within_s: float
) -> x509.Certificate:
    """The certificate that a machine has, whether or not anybody trusts it.

    Raises:
        RefusedError: it speaks no TLS that we take.
        UnreachableError: nobody answers, or not in time.
    """
    holder = _Holder()
    open_to_any = tls.model_copy(update={"ca": None})
    try:
        async with asyncio.timeout(within_s):
            return await connect(machine, open_to_any, place, holder, lambda _why: None)
    except TimeoutError as error:
        what = f"no TLS with {place} within {within_s:g} s"
        raise UnreachableError(machine, what) from error
    except OSError as error:
        what = f"can't connect to {place}: {error.strerror or error}"
        raise UnreachableError(machine, what) from error
    finally:
        if holder.transport is not None:
            holder.transport.abort()


class _Holder(asyncio.Protocol):
    """Keeps the connection, and listens to nothing."""

    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)


class _Heard(asyncio.Protocol):
    """Passes on what comes, and says why a connection ends where TLS says it."""

    def __init__(self, protocol: asyncio.Protocol, lost: Callable[[str], None]) -> None:
        self._protocol = protocol
        self._lost = lost
        self.data_received = protocol.data_received  # type: ignore[method-assign]

    def eof_received(self) -> bool | None:
        """The machine has nothing more to say."""
        return self._protocol.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended."""
        if isinstance(error, ssl.SSLError):
            self._lost(_alert(error))
        self._protocol.connection_lost(error)


def _context(machine: str, tls: Tls) -> ssl.SSLContext:
    """How we do TLS with a machine; without an authority, `admit` compares what it shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        try:
            context.load_verify_locations(tls.ca)
        except (ssl.SSLError, OSError) as error:
            what = f"tls.ca: {tls.ca} holds no certificates, PEM"
            raise RefusedError(machine, what) from error
    ours = identity(machine, tls)
    with tempfile.TemporaryDirectory(prefix="sprue-") as folder:  # ssl takes keys from files only
        file = Path(folder) / "ours.pem"
        put(file, ours.key_pem + ours.certificate.public_bytes(Encoding.PEM))
        context.load_cert_chain(file)
    return context


def _refusal(error: ssl.SSLError, place: Port) -> str:
    """Why a handshake failed, for a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    words = _words(error)
    if "alert" in words:
        return _alert(error)
    if words in ("wrong version number", "unexpected eof while reading", "record layer failure"):
        return f"{place} does not answer in TLS ({words}); does it speak plain Modbus?"
    return f"no TLS with {place}: {words}"


def _alert(error: ssl.SSLError) -> str:
    words = _words(error)
    if any(word in words for word in ABOUT_OURS):
        return f"it refuses our certificate ({words})"
    return f"it ended TLS ({words})"


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
