"""A secured machine is spoken to as securely as configured, or not at all."""

import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError

from drivers import MachineError, RefusedError
from drivers.opcua import OpcUaSettings
from drivers.session import open_session
from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.sharednodes import standard_nodes


@dataclass
class Files:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Ada:
    """Lets in one user."""

    def get_user(self, _: Any, username: str, password: str, certificate: Any) -> User | None:
        return User(role=UserRole.User) if (username, password) == ("ada", "s3cret") else None


async def made(folder: Path, name: str, uri: str) -> Files:
    files = Files(folder / f"{name}.der", folder / f"{name}.pem")
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(
        files.key, files.certificate, uri, socket.gethostname(), uses, {}
    )
    return files


@pytest.fixture
async def theirs(tmp_path: Path) -> Files:
    return await made(tmp_path, "theirs", "urn:test:server")


@pytest.fixture
async def ours(tmp_path: Path) -> Files:
    return await made(tmp_path, "ours", "urn:plant-2:sprue")


@pytest.fixture
async def url(theirs: Files) -> AsyncGenerator[str]:
    """A server that speaks no word in clear and knows one user."""
    server = Server(iserver=InternalServerOn(standard_nodes()))
    server.iserver.user_manager = Ada()
    await server.init()
    await server.set_application_uri("urn:test:server")
    await server.load_certificate(theirs.certificate.read_bytes(), "der")
    await server.load_private_key(theirs.key.read_bytes(), None, "pem")
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    server.set_identity_tokens([ua.UserNameIdentityToken])
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    await server.start()
    yield f"opc.tcp://127.0.0.1:{server.bserver.port}"
    await server.stop()
    for session in [*server.iserver._external_sessions.values()]:
        await session.close_session()


def settings(url: str, ours: Files, theirs: Files, **more: Any) -> OpcUaSettings:
    security = {
        "policy": "Basic256Sha256",
        "mode": "SignAndEncrypt",
        "certificate": str(ours.certificate),
        "key": str(ours.key),
        "server_certificate": str(theirs.certificate),
    }
    keys: dict[str, Any] = {
        "name": "IMM-15",
        "driver": "opcua",
        "url": url,
        "map": "m.toml",
        "timeout_s": 1,
    }
    log_in = {"user": "ada", "password": {"env": "SPRUE_TEST_PASSWORD"}}
    return OpcUaSettings(**(keys | {"security": security} | log_in | more))


async def test_a_secured_machine_is_read(
    url: str, ours: Files, theirs: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    async with open_session(settings(url, ours, theirs)) as session:
        assert session.namespaces[1] == "urn:test:server"


async def test_a_wrong_password_is_refused(
    url: str, ours: Files, theirs: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "guess")
    with pytest.raises(RefusedError, match="BadUserAccessDenied"):
        async with open_session(settings(url, ours, theirs)):
            pass


async def test_another_certificate_than_the_configured_is_refused(
    url: str, ours: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    other = await made(tmp_path, "other", "urn:test:server")
    with pytest.raises(RefusedError, match="IMM-15: its certificate has changed: it shows"):
        async with open_session(settings(url, ours, other)):
            pass


async def test_a_server_without_the_configured_policy_is_refused(
    url: str, ours: Files, theirs: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    told = settings(url, ours, theirs)
    assert told.security is not None
    other = told.model_copy(update={"security": told.security.model_copy(update={"mode": "Sign"})})
    with pytest.raises(RefusedError, match="IMM-15: it does not offer Basic256Sha256 with Sign;"):
        async with open_session(other):
            pass


async def test_an_unsecured_connection_is_not_tried_where_the_server_wants_none(url: str) -> None:
    plain = OpcUaSettings(name="IMM-15", driver="opcua", url=url, map="m.toml")
    with pytest.raises(MachineError, match="IMM-15: connecting to"):
        async with open_session(plain):
            pass


async def test_a_password_that_the_environment_lacks_is_named(
    ours: Files, theirs: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPRUE_TEST_PASSWORD", raising=False)
    told = settings("opc.tcp://127.0.0.1:1", ours, theirs)
    with pytest.raises(RefusedError, match="password: the environment has no SPRUE_TEST_PASSWORD"):
        async with open_session(told):
            pass


async def test_what_is_no_certificate_is_refused_by_name(
    ours: Files, theirs: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    ours.certificate.write_text("nothing")
    with pytest.raises(RefusedError, match=r"security\.certificate: .*ours\.der"):
        async with open_session(settings("opc.tcp://127.0.0.1:1", ours, theirs)):
            pass


async def test_a_certificate_of_our_own_is_made_where_none_is_configured(
    url: str, theirs: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    security = {
        "policy": "Basic256Sha256",
        "mode": "SignAndEncrypt",
        "pki": str(tmp_path / "pki"),
        "server_certificate": str(theirs.certificate),
    }
    told = settings(url, theirs, theirs, security=security)

    async with open_session(told) as session:
        assert session.namespaces[1] == "urn:test:server"
    made = (tmp_path / "pki" / "sprue.pem").read_bytes()
    async with open_session(told) as session:
        assert session.namespaces[1] == "urn:test:server"
    assert (tmp_path / "pki" / "sprue.pem").read_bytes() == made


async def test_a_folder_that_can_not_be_made_is_named(
    theirs: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    (tmp_path / "pki").write_text("a file")
    security = {
        "policy": "Basic256Sha256",
        "mode": "SignAndEncrypt",
        "pki": str(tmp_path / "pki"),
        "server_certificate": str(theirs.certificate),
    }
    with pytest.raises(RefusedError, match=r"security: .*pki.*"):
        async with open_session(
            settings("opc.tcp://127.0.0.1:1", theirs, theirs, security=security)
        ):
            pass


async def test_a_password_comes_from_a_file_that_is_closed(
    url: str, ours: Files, theirs: Files, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    told = settings(url, ours, theirs, password={"file": str(file)})

    file.chmod(0o644)
    with pytest.raises(RefusedError, match=r"password: .*password: others can read it .*chmod 600"):
        async with open_session(told):
            pass
    file.chmod(0o600)
    async with open_session(told) as session:
        assert session.namespaces[1] == "urn:test:server"


def test_a_secret_has_one_place(ours: Files, theirs: Files) -> None:
    with pytest.raises(ValidationError, match=r"should be \{ env = 'NAME' \} or"):
        settings("opc.tcp://127.0.0.1:1", ours, theirs, password={})


async def test_no_password_is_sent_in_clear_text(ours: Files, theirs: Files) -> None:
    with pytest.raises(ValidationError, match="no password is sent in clear text"):
        settings("opc.tcp://127.0.0.1:1", ours, theirs, security=None)
    with pytest.raises(ValidationError, match="a 'password' needs a 'user'"):
        settings("opc.tcp://127.0.0.1:1", ours, theirs, user=None)
