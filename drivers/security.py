"""How a connection to an OPC UA server is secured, and who logs in; never less than configured."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from asyncua import Client, ua
from asyncua.crypto import security_policies, uacrypto
from cryptography import x509
from pydantic import AfterValidator, Field, FilePath

from drivers.checked import Checked
from drivers.errors import RefusedError

POLICIES: Mapping[str, type] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
    "Basic256": security_policies.SecurityPolicyBasic256,
}
"""Basic256 is deprecated, but it is the least that OPC 40077 asks of a machine (§6.1)."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("should be an absolute path")
    return path


AbsoluteFile = Annotated[FilePath, AfterValidator(_absolute)]


class Secret(Checked):
    """A secret that is not written into a file: `{ env = "NAME" }`."""

    env: Annotated[str, Field(min_length=1)]
    """The environment variable that holds it."""

    def read(self, machine: str, key: str) -> str:
        """The secret.

        Raises:
            RefusedError: the environment has no such variable.
        """
        found = os.environ.get(self.env)
        if found is None:
            raise RefusedError(machine, f"{key}: the environment has no {self.env}")
        return found


class Security(Checked):
    """A secured connection: both sides prove who they are by certificates."""

    policy: Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256"]
    mode: Literal["Sign", "SignAndEncrypt"]
    certificate: AbsoluteFile
    """Ours, PEM or DER; the machine has to trust it."""
    key: AbsoluteFile
    """Of our certificate, without a password."""
    server_certificate: AbsoluteFile
    """The machine's, as its maker or its screen gives it; another one is refused."""


async def secure(client: Client, machine: str, security: Security) -> None:
    """Prepare a client that is not connected yet.

    Raises:
        RefusedError: a file is no certificate or key.
    """
    ours = _properties(security.certificate)
    client.application_uri = _application_uri(machine, security.certificate)
    try:
        await client.set_security(
            POLICIES[security.policy],
            certificate=ours,
            private_key=_properties(security.key),
            server_certificate=_properties(security.server_certificate),
            mode=getattr(ua.MessageSecurityMode, security.mode),
        )
    except (ValueError, TypeError) as error:
        raise RefusedError(machine, f"security: no certificate or key: {error}") from error


def _properties(path: Path) -> uacrypto.CertProperties:
    content = path.read_bytes()
    is_pem = content.lstrip().startswith(b"-----BEGIN")
    return uacrypto.CertProperties(content, "pem" if is_pem else "der")


def _application_uri(machine: str, path: Path) -> str:
    """The URI that our certificate is for; servers compare it with what we call ourselves."""
    properties = _properties(path)
    load = (
        x509.load_pem_x509_certificate
        if properties.extension == "pem"
        else x509.load_der_x509_certificate
    )
    try:
        names = load(properties.path_or_content).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise RefusedError(machine, f"security.certificate: {path}: {error}") from error
    if not uris:
        raise RefusedError(machine, f"security.certificate: {path} has no application URI")
    return str(uris[0])
