"""Two sides that prove who they are by certificates: which is ours, and which is the machine's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from cryptography import x509
from pydantic import ValidationInfo, model_validator

from drivers.beside import PKI, Beside, NamedFile
from drivers.certificate import fingerprint, load_certificate, out_of_date
from drivers.checked import Checked
from drivers.errors import RefusedError
from drivers.ownidentity import KEY_FILE, OwnIdentity, given_identity, own_identity
from drivers.pin import read_pin


class Credentials(Checked):
    """What a secured connection rests on, whatever it speaks."""

    KEY: ClassVar[str] = "security"
    """The machine's key that holds them."""
    HAS_URI: ClassVar[bool] = True
    """Whether our certificate must hold an application URI, and an RSA key, as OPC UA has it."""

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


@dataclass(frozen=True, slots=True)
class Trusted:
    """The certificate that a machine must have."""

    certificate: x509.Certificate
    ignore_dates: bool
    source: str
    """Who says so, for a sentence."""


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


def known_certificates(
    machine: str, credentials: Credentials
) -> Iterator[tuple[str, x509.Certificate]]:
    """The certificates that a connection rests on, as far as they are there: ours, theirs.

    Raises:
        RefusedError: a file can't be used.
    """
    if credentials.certificate is not None or (credentials.pki / KEY_FILE).exists():
        ours = identity(machine, credentials)
        yield f"our certificate ({ours.file})", ours.certificate
    if trusted := trusted_certificate(machine, credentials):
        yield "the machine's certificate", trusted.certificate


def identity(machine: str, credentials: Credentials) -> OwnIdentity:
    """Our certificate and key towards a machine.

    Raises:
        RefusedError: a file is no certificate or key, or can't be read or made.
    """
    where = credentials.KEY
    try:
        if credentials.certificate is not None and credentials.key is not None:
            return given_identity(
                credentials.certificate, credentials.key, for_opc_ua=credentials.HAS_URI
            )
        return own_identity(credentials.pki)
    except ValueError as error:
        given = "" if credentials.certificate is None else f"{where}."
        raise RefusedError(machine, f"{given}{error}") from error
    except OSError as error:
        raise RefusedError(machine, f"{where}: {error.filename}: {error.strerror}") from error


def trusted_certificate(machine: str, credentials: Credentials) -> Trusted | None:
    """The certificate that the machine must have: configured or pinned; None where neither is.

    Raises:
        RefusedError: the file is no certificate or pin, or can't be read.
    """
    where, file = credentials.KEY, credentials.server_certificate
    try:
        if file is not None:
            certificate = load_certificate(file.read_bytes())
            source = f"{where}.server_certificate ({file})"
            return Trusted(certificate, credentials.ignore_dates, source)
        pin = read_pin(credentials.pki, machine)
    except ValueError as error:
        named = f"{where}.server_certificate: {file}: " if file is not None else ""
        raise RefusedError(machine, f"{named}{error}") from error
    except OSError as error:
        raise RefusedError(machine, f"{where}: {error.filename}: {error.strerror}") from error
    return Trusted(pin.loaded, pin.ignore_dates, "the pinned one") if pin else None
