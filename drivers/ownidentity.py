"""Who we are towards machines: a key and a certificate of our own, made on first use.

Source:
    OPC 10000-6 §6.2.2: what an application instance certificate holds.
"""

import logging
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.certificate import application_uri, day, der, fingerprint, load_certificate
from drivers.closedfile import put, put_new, read_closed

log = logging.getLogger(__name__)

KEY_BITS = 2048
"""The most that Basic256 allows, the least of the others, and quick enough on small controls."""
LIFE = timedelta(days=20 * 365)
BACKDATED = timedelta(days=365)
"""Controls whose clock is behind must not take it for not valid yet."""
KEY_FILE, CERTIFICATE_FILE = "sprue.pem", "sprue.der"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIdentity:
    """Certificate and key that belong together."""

    certificate: x509.Certificate
    key: PrivateKeyTypes
    key_pem: bytes
    application_uri: str
    """Empty where a given one has none."""
    file: Path
    """Where the certificate was read."""


def own_identity(folder: Path) -> OwnIdentity:
    """Ours, made where the folder has none yet.

    Key and certificate are one file, so that one can't be there without the other; the certificate
    alone lies beside it for people who put it on a machine.

    Raises:
        ValueError: the file holds no key and certificate that fit; it is named.
        OSError: the folder can't be read or written, or others can read the key.
    """
    file = folder / KEY_FILE
    if not file.exists() and put_new(file, _made()):
        made = load_certificate(read_closed(file))
        log.info(
            "a certificate of our own was made in %s, valid to %s; SHA-256 %s",
            folder,
            day(made.not_valid_after_utc),
            fingerprint(made),
        )
    content = read_closed(file)
    found = _fitting(content, content, file, named=(str(file), str(file)))
    public = folder / CERTIFICATE_FILE
    with suppress(OSError):  # for people only; we read the other one
        if not public.exists() or public.read_bytes() != der(found.certificate):
            put(public, der(found.certificate))
            public.chmod(0o644)
    return found


def given_identity(certificate: Path, key: Path, *, for_opc_ua: bool = True) -> OwnIdentity:
    """The one in files that a person has made: PEM or DER, the key without a password.

    Args:
        certificate: Its file.
        key: Its key's.
        for_opc_ua: Whether it has to hold an application URI, and an RSA key.

    Raises:
        ValueError: a file holds none, or they do not fit; key and file are named.
        OSError: a file can't be read.
    """
    named = (f"certificate: {certificate}", f"key: {key}")
    read = certificate.read_bytes(), key.read_bytes()
    return _fitting(*read, certificate, named=named, for_opc_ua=for_opc_ua)


@lru_cache(maxsize=8)
def _fitting(
    certificate: bytes,
    key: bytes,
    file: Path,
    *,
    named: tuple[str, str],
    for_opc_ua: bool = True,
) -> OwnIdentity:
    """Certificate and key by their bytes, read once: to look an RSA key over takes 30 ms."""
    its_name, key_name = named
    try:
        loaded = load_certificate(certificate)
    except ValueError as error:
        raise ValueError(f"{its_name} holds no certificate: {error}") from error
    uri = application_uri(loaded)
    if uri is None and for_opc_ua:
        raise ValueError(f"{its_name} has no application URI")
    is_pem = key.lstrip().startswith(b"-----BEGIN")
    try:
        private = (load_pem_private_key if is_pem else load_der_private_key)(key, None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{key_name} holds no key without a password: {error}") from error
    if for_opc_ua and not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError(f"{key_name} holds no RSA key")
    if private.public_key() != loaded.public_key():
        raise ValueError(f"{key_name} is not the key of {file}")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return OwnIdentity(
        certificate=loaded, key=private, key_pem=pem, application_uri=uri or "", file=file
    )


def _made() -> bytes:
    """A new key with its certificate, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + _self_signed(key, host).public_bytes(Encoding.PEM)


def _self_signed(key: rsa.RSAPrivateKey, host: str) -> x509.Certificate:
    public, now = key.public_key(), datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Sprue@{host}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sprue"),
        ]
    )
    names = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(f"urn:{host}:sprue"), x509.DNSName(host)]
    )
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
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFE)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(uses, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
