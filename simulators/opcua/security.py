"""How a simulated machine secures its OPC UA server.

Source:
    OPC 40077, 6: self-signed certificates that a person accepts on the machine; users with a
    password.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulators.certificates import identity

MODES = ("Sign", "SignAndEncrypt")

POLICIES: Mapping[str, str] = {
    "Basic256Sha256": "Basic256Sha256",
    "Aes128_Sha256_RsaOaep": "Aes128Sha256RsaOaep",
    "Aes256_Sha256_RsaPss": "Aes256Sha256RsaPss",
}
"""By the name of OPC 10000-7: asyncua's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What a client must bring: it signs, with or without encryption, and may have to log in.

    Every client's certificate is taken: the simulated machine's operator has accepted it.

    Raises:
        ValueError: there is no such policy, or a password without a user.
    """

    policy: str = "Basic256Sha256"
    """Or Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss."""
    user: str = ""
    """Empty: anonymous clients are let in, and nobody else."""
    password: str = ""
    """May be empty, as some makers' are."""
    folder: Path
    """Where key and certificate lie; they are made when they are first needed."""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            known = ", ".join(POLICIES)
            raise ValueError(f"policy is '{self.policy}'; it should be one of {known}")
        if self.password and not self.user:
            raise ValueError("a 'password' needs a 'user'")


class _OneUser:
    """Lets in one user, or anybody where none is named."""

    def __init__(self, security: Security) -> None:
        self._security = security

    def get_user(
        self, _server: Any, username: str | None, password: str | None, certificate: Any
    ) -> User | None:
        told = (username or "", password or "")
        if told != (self._security.user, self._security.password):
            return None
        return User(role=UserRole.User)


async def secure(server: Server, security: Security | None, uri: str) -> None:
    """Set a server's policies, certificate and users; None leaves it open.

    Raises:
        OSError: the folder can't be read or written.
    """
    if security is None:
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        return
    mine = await asyncio.to_thread(identity, security.folder, uri)
    await server.load_certificate(mine.certificate, "der")
    server.iserver.private_key = await asyncio.to_thread(load_pem_private_key, mine.key, None)
    policy = POLICIES[security.policy]
    server.set_security_policy(
        [getattr(ua.SecurityPolicyType, f"{policy}_{mode}") for mode in MODES]
    )
    token = ua.UserNameIdentityToken if security.user else ua.AnonymousIdentityToken
    server.set_identity_tokens([token])
    server.iserver.user_manager = _OneUser(security)
    server.iserver.is_secured = True
