"""Who logs in to an OPC UA server: nobody, a user with a password, or one with a certificate."""

from pathlib import Path

from asyncua import Client
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from drivers.certificate import load_certificate
from drivers.errors import RefusedError
from drivers.secret import Secret


def log_in_by_password(client: Client, machine: str, user: str, password: Secret | None) -> None:
    """Have a client that is not connected yet log in by name.

    Raises:
        RefusedError: the password is not to be had.
    """
    client.set_user(user)
    if password is not None:
        client.set_password(password.read(machine, "password"))


def log_in_by_certificate(client: Client, machine: str, certificate: Path, key: Secret) -> None:
    """Have a client that is not connected yet log in by a certificate, and sign with its key.

    Raises:
        RefusedError: a file can't be read, holds none, or they do not fit.
    """
    try:
        theirs = load_certificate(certificate.read_bytes())
    except ValueError as error:
        what = f"user_certificate: {certificate} holds no certificate: {error}"
        raise RefusedError(machine, what) from error
    except OSError as error:
        what = f"user_certificate: {certificate}: {error.strerror}"
        raise RefusedError(machine, what) from error
    try:
        private = load_pem_private_key(key.read(machine, "user_key").encode(), None)
    except (ValueError, TypeError) as error:
        what = f"user_key: no PEM key without a password: {error}"
        raise RefusedError(machine, what) from error
    if not isinstance(private, rsa.RSAPrivateKey) or private.public_key() != theirs.public_key():
        raise RefusedError(machine, f"user_key: it is not the key of {certificate}")
    client.user_certificate, client.user_private_key = theirs, private
