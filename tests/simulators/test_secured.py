"""A secured OPC UA server is reached with what it asks for, and with nothing less."""

import socket
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulators.certificates import renew
from simulators.flat.face import FlatFace
from simulators.opcua.security import POLICIES, Security
from tests.simulators.makers import a_press

CLIENT_URI = "urn:test:client"


@pytest.fixture
async def client_files(tmp_path: Path) -> str:
    """Certificate and key of a client, as a security string has them."""
    certificate, key = tmp_path / "client.der", tmp_path / "client.pem"
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    await setup_self_signed_certificate(
        key, certificate, CLIENT_URI, socket.gethostname(), uses, {}
    )
    return f"{certificate},{key}"


@asynccontextmanager
async def face(folder: Path, **security: Any) -> AsyncGenerator[FlatFace]:
    face = FlatFace(a_press(counter=500), security=Security(folder=folder, **security))
    await face.start()
    try:
        yield face
    finally:
        await face.stop()


async def client(face: FlatFace, security: str, user: str = "", password: str = "") -> Client:
    client = Client(face.address, timeout=2)
    client.application_uri = CLIENT_URI
    if user:
        client.set_user(user)
        client.set_password(password)
    await client.set_security_string(security)
    return client


async def counter(client: Client) -> float:
    async with client:
        read: float = await client.get_node(ua.NodeId("ActCntCyc", 2)).read_value()
        return read


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", POLICIES)
async def test_every_policy_is_spoken(
    policy: str, mode: str, client_files: str, tmp_path: Path
) -> None:
    async with face(tmp_path / "server", policy=policy, user="ada", password="s3cret") as served:
        secured = f"{POLICIES[policy]},{mode},{client_files}"

        assert await counter(await client(served, secured, "ada", "s3cret")) == 500


@pytest.mark.parametrize(
    ("user", "password", "answer"),
    [
        ("ada", "guess", "BadUserAccessDenied"),
        ("admin", "", "BadUserAccessDenied"),
        ("", "", "BadIdentityTokenRejected"),
    ],
)
async def test_who_does_not_log_in_as_asked_is_refused(
    user: str, password: str, answer: str, client_files: str, tmp_path: Path
) -> None:
    async with face(tmp_path / "server", user="ada", password="s3cret") as served:
        secured = f"Basic256Sha256,SignAndEncrypt,{client_files}"

        with pytest.raises(ua.UaStatusCodeError, match=answer):
            await (await client(served, secured, user, password)).connect()


async def test_a_user_may_have_no_password(client_files: str, tmp_path: Path) -> None:
    async with face(tmp_path / "server", user="OPC40077") as served:
        secured = f"Basic256Sha256,SignAndEncrypt,{client_files}"

        assert await counter(await client(served, secured, "OPC40077")) == 500


async def test_without_a_user_anybody_with_a_certificate_reads(
    client_files: str, tmp_path: Path
) -> None:
    async with face(tmp_path / "server") as served:
        secured = f"Basic256Sha256,SignAndEncrypt,{client_files}"

        assert await counter(await client(served, secured)) == 500


async def test_another_policy_than_the_servers_is_refused(
    client_files: str, tmp_path: Path
) -> None:
    async with face(tmp_path / "server", policy="Aes256_Sha256_RsaPss") as served:
        pinned = tmp_path / "server" / "server.der"
        secured = f"Basic256Sha256,Sign,{client_files},{pinned}"

        with pytest.raises(ua.UaStatusCodeError, match="BadSecurityChecksFailed"):
            await (await client(served, secured)).connect()


async def test_no_session_is_had_in_clear_but_endpoints_are_told_to_anybody(tmp_path: Path) -> None:
    async with face(tmp_path / "server") as served:
        plain = Client(served.address)
        endpoints = await plain.connect_and_get_server_endpoints()
        await plain.connect_socket()
        await plain.send_hello()
        await plain.open_secure_channel()

        with pytest.raises(ua.UaStatusCodeError, match="BadSecurityPolicyRejected"):
            await plain.create_session()
        await plain.disconnect_sessionless()

    modes = {
        (endpoint.SecurityPolicyUri.split("#")[1], endpoint.SecurityMode.name)
        for endpoint in endpoints
    }
    assert modes == {("Basic256Sha256", "Sign"), ("Basic256Sha256", "SignAndEncrypt")}


async def test_the_certificate_names_its_server_lives_long_and_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "IMM-01"
    async with face(folder):
        made = (folder / "server.der").read_bytes()
    async with face(folder) as served:
        endpoints = await Client(served.address).connect_and_get_server_endpoints()

    assert endpoints[0].ServerCertificate == made
    certificate = x509.load_der_x509_certificate(made)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == [endpoints[0].Server.ApplicationUri] == ["urn:sprue:simulated:IMM-01"]
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now
    assert certificate.not_valid_after_utc > now + timedelta(days=10 * 365)
    if sys.platform != "win32":
        assert stat.S_IMODE((folder / "server.pem").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX's")
def test_a_new_key_is_closed_though_the_old_ones_file_was_open(tmp_path: Path) -> None:
    key = tmp_path / "server.pem"
    key.write_text("old")
    key.chmod(0o644)
    with key.open() as held:
        renew(tmp_path, "urn:sprue:simulated:IMM-01")

        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert held.read() == "old", "who has the old file open reads nothing of the new"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"policy": "Basic128Rsa15"}, "it should be one of Basic256Sha256"),
        ({"password": "s3cret"}, "a 'password' needs a 'user'"),
    ],
)
def test_security_that_makes_no_sense_is_refused(
    given: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Security(folder=tmp_path, **given)
