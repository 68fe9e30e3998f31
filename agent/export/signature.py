"""Keys that sign manifests: Ed25519, the signature in a file of its own, as any tool checks it.

`openssl pkeyutl -verify -pubin -inkey KEY.pub -rawin -in MANIFEST -sigfile MANIFEST.sig` does, too.
"""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent.export.error import ExportError
from agent.files import main_path

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

NAME = "sprue-signing.key"


def make_key(path: Path) -> "Ed25519PublicKey":
    """Make a key, and its public half beside it as `NAME.pub`; never over one.

    Raises:
        ExportError: there is one, or the files can't be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(private)
        public_path(path).write_text(public_pem(key.public_key()), encoding="ascii")
    except FileExistsError:
        raise ExportError(f"{path}: is there already; 'sprue keys show' shows it") from None
    except OSError as error:
        raise ExportError(f"{path}: can't be written: {error.strerror or error}") from error
    return key.public_key()


def private_key(path: Path) -> "Ed25519PrivateKey":
    """The key in a file.

    Raises:
        ExportError: there is none, or others may read it.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ExportError(f"{path}: others may read it; 'chmod 600 {path}'")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        words = error.strerror or error
        raise ExportError(f"{path}: {words}; 'sprue keys make' makes one") from error
    except (ValueError, TypeError) as error:
        raise ExportError(f"{path}: is no private key as 'sprue keys make' makes one") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ExportError(f"{path}: is no Ed25519 key")
    return key


def public_key(path: Path) -> "Ed25519PublicKey":
    """The public half in a file.

    Raises:
        ExportError: there is none.
    """
    try:
        return public_of(path.read_text(encoding="ascii"))
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise ExportError(f"{path}: is no public key as 'sprue keys make' makes one") from error


def public_of(pem: str) -> "Ed25519PublicKey":
    """The public half in a text.

    Raises:
        ValueError: it is none.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("no Ed25519 key")
    return key


def public_pem(key: "Ed25519PublicKey") -> str:
    """As a file has it."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def fingerprint(key: "Ed25519PublicKey") -> str:
    """Under which people know a key: SHA-256 of its 32 bytes."""
    from cryptography.hazmat.primitives import serialization

    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


def fits(key: "Ed25519PublicKey", signature: bytes, data: bytes) -> bool:
    """Whether a signature is this key's, of these bytes."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def signature_of(manifest: Path) -> Path:
    """Where a manifest's signature is."""
    return manifest.with_name(f"{manifest.name}.sig")


def public_path(key: Path) -> Path:
    """Where the public half of a key is."""
    return key.with_name(f"{key.name}.pub")


def key_path(given: Path | None, url: str) -> Path:
    """Where the key is, unless somebody says otherwise: beside the record."""
    return given if given is not None else main_path(url).with_name(NAME)
