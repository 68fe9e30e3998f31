"""A user may be a certificate; its key is read from a closed file, and nobody else gets in."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from pydantic import ValidationError

from drivers import RefusedError
from drivers.certificate import der
from drivers.opcua import OpcUaSettings
from drivers.ownidentity import own_identity
from drivers.pin import store_pin
from drivers.session import open_session
from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.sharednodes import standard_nodes


class Holder:
    """Lets in who holds the key of one certificate."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self.certificate = certificate

    def get_user(self, _: Any, username: Any, password: Any, certificate: Any) -> User | None:
        shown = der(certificate) if isinstance(certificate, x509.Certificate) else certificate
        return User(role=UserRole.User) if shown == der(self.certificate) else None


@pytest.fixture
async def url(tmp_path: Path) -> AsyncGenerator[str]:
    made = own_identity(tmp_path / "theirs")
    server = Server(iserver=InternalServerOn(standard_nodes()))
    server.iserver.user_manager = Holder(own_identity(tmp_path / "ada").certificate)
    await server.init()
    await server.set_application_uri(made.application_uri)
    await server.load_certificate(der(made.certificate), "der")
    await server.load_private_key(made.key_pem, None, "pem")
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    server.set_identity_tokens([ua.X509IdentityToken])
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    await server.start()
    store_pin(tmp_path / "pki", "IMM-16", made.certificate, ignore_dates=False)
    yield f"opc.tcp://127.0.0.1:{server.bserver.port}"
    await server.stop()
    for session in [*server.iserver._external_sessions.values()]:
        await session.close_session()


def settings(url: str, folder: Path, whose: str = "ada", **more: Any) -> OpcUaSettings:
    keys: dict[str, Any] = {
        "name": "IMM-16",
        "driver": "opcua",
        "url": url,
        "map": "flat-em63",
        "security": {
            "policy": "Basic256Sha256",
            "mode": "SignAndEncrypt",
            "pki": str(folder / "pki"),
        },
        "user_certificate": str(folder / whose / "sprue.der"),
        "user_key": {"file": str(folder / whose / "sprue.pem")},
    }
    return OpcUaSettings(**(keys | more))


async def refusal(told: OpcUaSettings) -> str:
    with pytest.raises(RefusedError) as refused:
        async with open_session(told):
            pass
    return refused.value.what


async def test_the_holder_of_the_key_gets_in_and_nobody_else(url: str, tmp_path: Path) -> None:
    own_identity(tmp_path / "eve")

    async with open_session(settings(url, tmp_path)) as session:
        assert session.namespaces
    assert "BadUserAccessDenied" in await refusal(settings(url, tmp_path, "eve"))
    anonymous = settings(url, tmp_path, user_certificate=None, user_key=None)
    assert "BadIdentityTokenRejected" in await refusal(anonymous)


async def test_a_key_that_does_not_fit_or_is_open_is_named(url: str, tmp_path: Path) -> None:
    own_identity(tmp_path / "eve")
    key = tmp_path / "eve" / "sprue.pem"

    mixed = settings(url, tmp_path, user_key={"file": str(key)})
    assert "user_key: it is not the key of" in await refusal(mixed)
    key.chmod(0o644)
    assert "others can read it" in await refusal(mixed)
    nothing = settings(url, tmp_path, user_certificate=__file__)
    assert f"user_certificate: {__file__} holds no certificate" in await refusal(nothing)


def test_one_user_logs_in(tmp_path: Path) -> None:
    own_identity(tmp_path / "ada")
    for more, why in (
        ({"user": "ada"}, "two users"),
        ({"user_key": None}, "belong together"),
        ({"security": None}, "needs 'security'"),
    ):
        with pytest.raises(ValidationError, match=why):
            settings("opc.tcp://127.0.0.1:1", tmp_path, **more)
