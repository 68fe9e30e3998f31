"""Faults of certificates, as plain asyncua sees them that takes what the server shows it."""

import socket
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncua import Client, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulators.flat.face import FlatFace
from simulators.opcua.security import Security
from simulators.press import Press
from tests.faults.uaclients import value
from tests.simulators.makers import a_press

CLIENT_URI = "urn:test:client"
SOON = {"down_s": 0.05}


class Program:
    """A program with a certificate of its own, made as asyncua's examples make it."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "client.der", folder / "client.pem"

    async def client(self, face: FlatFace, pinned: Path | None = None) -> Client:
        """A client that trusts any server, or only the one whose certificate is in a file."""
        client = Client(face.address, timeout=2)
        client.application_uri = CLIENT_URI
        client.set_user("ada")
        client.set_password("s3cret")
        files = [str(self.certificate), str(self.key)] + [str(pinned)] * (pinned is not None)
        await client.set_security_string(",".join(["Basic256Sha256,SignAndEncrypt", *files]))
        return client


@pytest.fixture
async def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    await setup_self_signed_certificate(
        program.key, program.certificate, CLIENT_URI, socket.gethostname(), uses, {}
    )
    return program


@pytest.fixture
def press() -> Press:
    return a_press(counter=500)


@pytest.fixture
async def face(press: Press, tmp_path: Path) -> AsyncGenerator[FlatFace]:
    security = Security(user="ada", password="s3cret", folder=tmp_path / "IMM-01")
    face = FlatFace(press, security=security)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
def pinned(face: FlatFace, tmp_path: Path) -> Path:
    """The server's certificate as somebody stored it when all was well."""
    file = tmp_path / "pinned.der"
    file.write_bytes((tmp_path / "IMM-01" / "server.der").read_bytes())
    return file


async def shown(face: FlatFace) -> x509.Certificate:
    """The certificate that a server shows to anybody."""
    endpoints = await Client(face.address).connect_and_get_server_endpoints()
    return x509.load_der_x509_certificate(endpoints[0].ServerCertificate)


@pytest.mark.fault("certificate_changed")
async def test_a_changed_certificate_goes_through_without_a_question(
    press: Press, face: FlatFace, program: Program
) -> None:
    before = await shown(face)
    await press.faults.on("certificate_changed", SOON)
    await face.listens()

    async with await program.client(face) as client:
        assert await value(client, "ActCntCyc") == 500
    after = await shown(face)
    assert after.public_key() != before.public_key()
    assert after.subject == before.subject


@pytest.mark.fault("certificate_changed")
async def test_who_kept_the_old_certificate_is_refused_by_its_owner(
    press: Press, face: FlatFace, program: Program, pinned: Path
) -> None:
    async with await program.client(face, pinned) as client:
        assert await value(client, "ActCntCyc") == 500
    await press.faults.on("certificate_changed", SOON)
    await face.listens()

    with pytest.raises(ua.UaStatusCodeError, match="BadSecurityChecksFailed"):
        await (await program.client(face, pinned)).connect()


@pytest.mark.fault("certificate_expired")
async def test_an_expired_certificate_goes_through_where_nobody_looks_at_the_date(
    press: Press, face: FlatFace, program: Program
) -> None:
    before = await shown(face)
    await press.faults.on("certificate_expired")
    await face.listens()

    assert (await shown(face)).not_valid_after_utc < datetime.now(UTC)
    async with await program.client(face) as client:
        assert await value(client, "ActCntCyc") == 500
    careful = await program.client(face)
    dates = CertificateValidatorOptions.TIME_RANGE | CertificateValidatorOptions.PEER_SERVER
    careful.certificate_validator = CertificateValidator(dates).validate
    with pytest.raises(ua.UaStatusCodeError, match="BadCertificateTimeInvalid"):
        await careful.connect()

    await press.faults.off("certificate_expired")
    await face.listens()
    assert await shown(face) == before


@pytest.mark.fault("certificate_untrusted")
async def test_a_client_that_is_trusted_no_longer_is_refused_at_its_next_connect(
    press: Press, face: FlatFace, program: Program
) -> None:
    async with await program.client(face) as client:
        await press.faults.on("certificate_untrusted")
        assert await value(client, "ActCntCyc") == 500
    with pytest.raises(ua.UaStatusCodeError, match="BadCertificateUntrusted"):
        await (await program.client(face)).connect()

    await press.faults.off("certificate_untrusted")
    async with await program.client(face) as client:
        assert await value(client, "ActCntCyc") == 500


@pytest.mark.fault("certificate_changed", "certificate_untrusted")
async def test_refusals_are_not_told_on_the_console(
    press: Press,
    face: FlatFace,
    program: Program,
    pinned: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await press.faults.on("certificate_untrusted")
    with pytest.raises(ua.UaError):
        await (await program.client(face)).connect()
    await press.faults.on("certificate_changed", SOON)
    await face.listens()
    with pytest.raises(ua.UaError):
        await (await program.client(face, pinned)).connect()

    ours = ("asyncua.server", "asyncua.crypto", "asyncio", "simulators")
    told = [record for record in caplog.records if record.name.startswith(ours)]
    assert [(record.name, record.getMessage()) for record in told] == []
