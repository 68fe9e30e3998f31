"""How a connection to an OPC UA server is secured; never less than configured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self

from asyncua import Client, ua
from asyncua.crypto import security_policies, uacrypto
from cryptography import x509
from pydantic import ValidationInfo, model_validator

from drivers.beside import PKI, Beside, NamedFile
from drivers.certificate import der, fingerprint, load_certificate, out_of_date
from drivers.checked import Checked
from drivers.endpoint import certificate_for, offered
from drivers.errors import RefusedError
from drivers.ownidentity import KEY_FILE, OwnIdentity, given_identity, own_identity
from drivers.pin import read_pin

POLICIES: Mapping[str, type[security_policies.SecurityPolicy]] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
    "Basic256": security_policies.SecurityPolicyBasic256,
}
"""Basic256 is deprecated, but it is the least that OPC 40077 asks of a machine (§6.1)."""


class Security(Checked):
    """A secured connection: both sides prove who they are by certificates."""

    policy: Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256"]
    mode: Literal["Sign", "SignAndEncrypt"]
    pki: Annotated[Path, Beside]
    """Folder in which our key and certificate lie; made on first use."""
    certificate: NamedFile | None = None
    """Another one of ours, PEM or DER. None: the one in `pki`."""
    key: NamedFile | None = None
    """Of `certificate`, without a password."""
    server_certificate: NamedFile | None = None
    """The machine's, as its maker gives it. None: the one that a person has pinned."""
    ignore_dates: bool = False
    """Whether `server_certificate` may have expired."""

    @model_validator(mode="before")
    @classmethod
    def _one_folder_for_all(cls, found: Any, info: ValidationInfo) -> Any:
        if isinstance(found, Mapping) and "pki" not in found:
            return {**found, "pki": (info.context or {}).get(PKI, "pki")}
        return found

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError(
                "'certificate' and 'key' belong together; without both we make our own"
            )
        if self.ignore_dates and self.server_certificate is None:
            raise ValueError("'ignore_dates' is for a 'server_certificate'; a pin has its own")
        return self


class Address(Protocol):
    """Where a machine is; the settings of every machine with a server have it."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Trusted:
    """The certificate that a machine must have."""

    certificate: x509.Certificate
    ignore_dates: bool
    source: str
    """Who says so, for a sentence."""


async def secure(client: Client, security: Security, at: Address) -> None:
    """Prepare a client that is not connected yet: it will speak with that machine, or not at all.

    What the server shows beforehand is compared and never taken over; that it also has the key of
    the certificate is proved when the channel is opened.

    Raises:
        RefusedError: its certificate is not trusted, has changed or expired; it does not offer
            what is configured; a file of ours can't be used.
        MachineError: nobody answers.
    """
    ours = identity(at.name, security)
    trusted = trusted_certificate(at.name, security)
    found = await shown_certificate(security, at)
    check(at.name, trusted, found)
    client.application_uri = ours.application_uri
    await client.set_security(
        POLICIES[security.policy],
        certificate=uacrypto.CertProperties(der(ours.certificate), "der"),
        private_key=uacrypto.CertProperties(ours.key_pem, "pem"),
        server_certificate=uacrypto.CertProperties(der(found), "der"),
        mode=getattr(ua.MessageSecurityMode, security.mode),
    )


async def shown_certificate(security: Security, at: Address) -> x509.Certificate:
    """The certificate that a server shows for the way that is configured; nothing proves it.

    Raises:
        RefusedError: it does not offer what is configured.
        MachineError: nobody answers.
    """
    endpoints = await offered(at.name, at.url, at.timeout_s)
    policy = POLICIES[security.policy]
    return certificate_for(at.name, endpoints, policy, security.mode, security.policy)


def check(machine: str, trusted: Trusted | None, found: x509.Certificate) -> None:
    """Refuse any certificate but the trusted one.

    Raises:
        RefusedError: it is another one, out of date, or nobody has said yet which is right.
    """
    how = f"`sprue trust {machine}`" if " " not in machine else f'`sprue trust "{machine}"`'
    shown = fingerprint(found)
    if trusted is None:
        what = f"its certificate is not trusted yet: {shown}; {how} shows and pins it"
        raise RefusedError(machine, what)
    if trusted.certificate != found:
        raise RefusedError(
            machine,
            f"its certificate has changed: it shows {shown}, {trusted.source} is "
            f"{fingerprint(trusted.certificate)}; either somebody has renewed it, or this is "
            f"another server. {how} compares them",
        )
    late = out_of_date(found)
    if late is not None and not trusted.ignore_dates:
        raise RefusedError(
            machine, f"its certificate {late} ({shown}); {how} says how to accept it all the same"
        )


def known_certificates(machine: str, security: Security) -> Iterator[tuple[str, x509.Certificate]]:
    """The certificates that a connection rests on, as far as they are there: ours, theirs.

    Raises:
        RefusedError: a file can't be used.
    """
    if security.certificate is not None or (security.pki / KEY_FILE).exists():
        ours = identity(machine, security)
        yield f"our certificate ({ours.file})", ours.certificate
    if trusted := trusted_certificate(machine, security):
        yield "the machine's certificate", trusted.certificate


def identity(machine: str, security: Security) -> OwnIdentity:
    """Our certificate and key towards a machine.

    Raises:
        RefusedError: a file is no certificate or key, or can't be read or made.
    """
    try:
        if security.certificate is not None and security.key is not None:
            return given_identity(security.certificate, security.key)
        return own_identity(security.pki)
    except ValueError as error:
        given = "" if security.certificate is None else "security."
        raise RefusedError(machine, f"{given}{error}") from error
    except OSError as error:
        raise RefusedError(machine, f"security: {error.filename}: {error.strerror}") from error


def trusted_certificate(machine: str, security: Security) -> Trusted | None:
    """The certificate that the machine must have: configured or pinned; None where neither is.

    Raises:
        RefusedError: the file is no certificate or pin, or can't be read.
    """
    file = security.server_certificate
    try:
        if file is not None:
            certificate = load_certificate(file.read_bytes())
            source = f"security.server_certificate ({file})"
            return Trusted(certificate, security.ignore_dates, source)
        pin = read_pin(security.pki, machine)
    except ValueError as error:
        named = f"security.server_certificate: {file}: " if file is not None else ""
        raise RefusedError(machine, f"{named}{error}") from error
    except OSError as error:
        raise RefusedError(machine, f"security: {error.filename}: {error.strerror}") from error
    return Trusted(pin.loaded, pin.ignore_dates, "the pinned one") if pin else None
