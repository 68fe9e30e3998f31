"""How a connection to an OPC UA server is secured; never less than configured."""

import asyncio
from collections.abc import Mapping
from typing import Literal, Protocol

from asyncua import Client, ua
from asyncua.crypto import security_policies
from cryptography import x509

from drivers.credentials import Credentials, check, identity, trusted_certificate
from drivers.endpoint import certificate_for, offered

POLICIES: Mapping[str, type[security_policies.SecurityPolicy]] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
    "Basic256": security_policies.SecurityPolicyBasic256,
}
"""Basic256 is deprecated, but it is the least that OPC 40077 asks of a machine (§6.1)."""


class Security(Credentials):
    """A secured connection: both sides prove who they are by certificates."""

    policy: Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256"]
    mode: Literal["Sign", "SignAndEncrypt"]


class Address(Protocol):
    """Where a machine is; the settings of every machine with a server have it."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...


async def secure(client: Client, security: Security, at: Address) -> None:
    """Prepare a client that is not connected yet: it will speak with that machine, or not at all.

    What the server shows beforehand is compared and never taken over; that it also has the key of
    the certificate is proved when the channel is opened.

    Raises:
        RefusedError: its certificate is not trusted, has changed or expired; it does not offer
            what is configured; a file of ours can't be used.
        MachineError: nobody answers.
    """
    # To make a key, or to look one over, takes a processor for as long as some polls of others.
    ours = await asyncio.to_thread(identity, at.name, security)
    trusted = trusted_certificate(at.name, security)
    found = await shown_certificate(security, at)
    check(at.name, trusted, found)
    client.application_uri = ours.application_uri
    mode = getattr(ua.MessageSecurityMode, security.mode)
    policy = POLICIES[security.policy](found, ours.certificate, ours.key, mode)
    client.security_policy = policy
    client.uaclient.set_security(policy)


async def shown_certificate(security: Security, at: Address) -> x509.Certificate:
    """The certificate that a server shows for the way that is configured; nothing proves it.

    Raises:
        RefusedError: it does not offer what is configured.
        MachineError: nobody answers.
    """
    endpoints = await offered(at.name, at.url, at.timeout_s)
    policy = POLICIES[security.policy]
    return certificate_for(at.name, endpoints, policy, security.mode, security.policy)
