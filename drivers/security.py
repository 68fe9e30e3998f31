"""How a connection to an OPC UA server is secured; never less than configured."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from asyncua import Client, ua
from asyncua.crypto import security_policies, uacrypto
from cryptography import x509
from pydantic import ValidationInfo, model_validator

from drivers.beside import PKI, Beside, NamedFile
from drivers.certificate import der, load_certificate
from drivers.checked import Checked
from drivers.errors import RefusedError
from drivers.ownidentity import KEY_FILE, OwnIdentity, given_identity, own_identity

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
    server_certificate: NamedFile
    """The machine's, as its maker or its screen gives it; another one is refused."""

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
        return self


async def secure(client: Client, machine: str, security: Security) -> None:
    """Prepare a client that is not connected yet.

    Raises:
        RefusedError: a file is no certificate or key, or can't be read or made.
    """
    ours = identity(machine, security)
    server = server_certificate(machine, security)
    client.application_uri = ours.application_uri
    await client.set_security(
        POLICIES[security.policy],
        certificate=uacrypto.CertProperties(der(ours.certificate), "der"),
        private_key=uacrypto.CertProperties(ours.key_pem, "pem"),
        server_certificate=uacrypto.CertProperties(der(server), "der"),
        mode=getattr(ua.MessageSecurityMode, security.mode),
    )


def known_certificates(machine: str, security: Security) -> Iterator[tuple[str, x509.Certificate]]:
    """The certificates that a connection rests on, as far as they are there: ours, theirs.

    Raises:
        RefusedError: a file can't be used.
    """
    if security.certificate is not None or (security.pki / KEY_FILE).exists():
        ours = identity(machine, security)
        yield f"our certificate ({ours.file})", ours.certificate
    yield "the machine's certificate", server_certificate(machine, security)


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


def server_certificate(machine: str, security: Security) -> x509.Certificate:
    """The certificate that the machine must have.

    Raises:
        RefusedError: the file is no certificate, or can't be read.
    """
    file = security.server_certificate
    try:
        return load_certificate(file.read_bytes())
    except ValueError as error:
        what = f"security.server_certificate: {file} holds no certificate: {error}"
        raise RefusedError(machine, what) from error
    except OSError as error:
        what = f"security.server_certificate: {file}: {error.strerror}"
        raise RefusedError(machine, what) from error
