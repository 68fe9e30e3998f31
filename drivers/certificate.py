"""What an X.509 certificate says, in the words of a person who compares it with a screen."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

_LONG_FORM = 0x80


def load_certificate(content: bytes) -> x509.Certificate:
    """A certificate from PEM or DER; of a chain, the first.

    Raises:
        ValueError: it is none.
    """
    if content.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(_first_of(content))


def _first_of(chain: bytes) -> bytes:
    """The first element of DER structures that follow one another (OPC 10000-6 §6.2.6)."""
    if len(chain) < 2 or not chain[1] & _LONG_FORM:
        return chain
    digits = chain[1] & ~_LONG_FORM
    return chain[: 2 + digits + int.from_bytes(chain[2 : 2 + digits], "big")]


def der(certificate: x509.Certificate) -> bytes:
    """Its bytes as they are sent."""
    return certificate.public_bytes(Encoding.DER)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 over the certificate, as screens print it: `1F:A0:...`, 32 pairs."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def application_uri(certificate: x509.Certificate) -> str | None:
    """The URI that it is for; a server compares it with what its client calls itself."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        return None
    return str(uris[0]) if uris else None


def out_of_date(certificate: x509.Certificate, now: datetime | None = None) -> str | None:
    """Why its time is not now, as the end of a sentence; None where it is."""
    now = now or datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        return f"expired on {day(certificate.not_valid_after_utc)}"
    if certificate.not_valid_before_utc > now:
        return f"is not valid before {day(certificate.not_valid_before_utc)}"
    return None


def described(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    """What a person compares: a line each, with its heading."""
    yield "subject", printable(certificate.subject.rfc4514_string())
    yield "issuer", printable(certificate.issuer.rfc4514_string())
    yield "application URI", printable(application_uri(certificate) or "none")
    valid = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    yield "valid", " to ".join(day(at) for at in valid)
    yield "SHA-256", fingerprint(certificate)


def printable(text: str) -> str:
    """Text of a stranger, without what could move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)


def day(at: datetime) -> str:
    """The date alone."""
    return at.strftime("%Y-%m-%d")
