"""Keys and certificates of simulated machines, self-signed, kept in a folder of each machine.

Source:
    OPC 10000-6, 6.2.2: what an application instance certificate holds.
"""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=20 * 365)
EXPIRED = timedelta(days=30)
"""How long ago an expired certificate's time ran out."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a server is."""

    certificate: bytes
    """DER."""
    key: bytes
    """PEM, not encrypted."""


def identity(folder: Path, uri: str) -> Identity:
    """The identity in a folder, made new where there is none.

    Raises:
        OSError: the folder can't be read or written.
    """
    if not (folder / "server.der").exists():
        renew(folder, uri)
    return Identity((folder / "server.der").read_bytes(), (folder / "server.pem").read_bytes())


def renew(folder: Path, uri: str) -> None:
    """Put a new key and a new certificate in place of those that are there.

    Raises:
        OSError: the folder can't be written.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    now = datetime.now(UTC)
    _put(folder, "server.pem", pem)
    _put(folder, "server.der", _certificate(key, uri, now - timedelta(days=1), now + LIFE))


def expired(folder: Path, uri: str) -> Path:
    """A folder within it that holds the same key with a certificate whose time has run out.

    Raises:
        OSError: the folder can't be read or written.
    """
    pem = identity(folder, uri).key
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    end = datetime.now(UTC) - EXPIRED
    _put(folder / "expired", "server.pem", pem)
    _put(folder / "expired", "server.der", _certificate(key, uri, end - LIFE, end))
    return folder / "expired"


def _put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{name}.new"
    fresh.unlink(missing_ok=True)  # whoever may read it already would read the key
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_bytes(content)
    fresh.replace(folder / name)


def _certificate(key: rsa.RSAPrivateKey, uri: str, start: datetime, end: datetime) -> bytes:
    public = key.public_key()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, uri.rpartition(":")[2] or uri),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sprue Simulated Machines"),
        ]
    )
    names = [
        x509.UniformResourceIdentifier(uri),
        x509.DNSName(socket.gethostname()),
        x509.DNSName("localhost"),
        x509.IPAddress(ip_address("127.0.0.1")),
    ]
    uses = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    server_or_client = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(uses, critical=True)
        .add_extension(x509.ExtendedKeyUsage(server_or_client), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)
