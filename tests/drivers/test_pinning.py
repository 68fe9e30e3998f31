"""A secured machine is spoken to only as long as it shows the certificate that a person pinned."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua
from cryptography import x509
from pydantic import ValidationError

from drivers import MachineError, RefusedError
from drivers.certificate import fingerprint, load_certificate, out_of_date
from drivers.euromap77 import Euromap77Settings, open_press
from drivers.opcua import OpcUaSettings
from drivers.ownidentity import own_identity
from drivers.pin import pin_file, read_pin, store_pin
from drivers.session import open_session
from simulators.euromap77.face import Euromap77Face
from simulators.flat.face import FlatFace
from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.security import POLICIES, Security
from simulators.opcua.sharednodes import standard_nodes
from simulators.press import Press
from tests.simulators.makers import a_press

SOON = {"down_s": 0.05}


@pytest.fixture
def press() -> Press:
    return a_press(counter=500)


@pytest.fixture
async def face(press: Press, tmp_path: Path) -> AsyncGenerator[FlatFace]:
    """A press that lets in one user, over signed and encrypted connections."""
    async for face in served(press, tmp_path / "theirs"):
        yield face


async def served(press: Press, folder: Path, **more: Any) -> AsyncGenerator[FlatFace]:
    port = more.pop("port", 0)
    security = Security(user="ada", password="s3cret", folder=folder, **more)
    face = FlatFace(press, security=security, port=port)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    return tmp_path / "pki"


def settings(face: FlatFace | str, pki: Path, **security: Any) -> OpcUaSettings:
    way = {"policy": "Basic256Sha256", "mode": "SignAndEncrypt", "pki": str(pki)}
    return OpcUaSettings(
        name="IMM-16",
        driver="opcua",
        url=face if isinstance(face, str) else face.address,
        map="flat-em63",
        user="ada",
        password={"env": "SPRUE_TEST_PASSWORD"},
        security=way | security,
    )


def certificate_of(folder: Path) -> x509.Certificate:
    return load_certificate((folder / "server.der").read_bytes())


async def is_read(told: OpcUaSettings) -> bool:
    async with open_session(told) as session:
        return session.index_of("urn:sprue:simulated:flat") is not None


async def refusal(told: OpcUaSettings) -> str:
    with pytest.raises(RefusedError) as refused:
        async with open_session(told):
            pass
    return refused.value.what


async def test_a_certificate_that_nobody_has_confirmed_is_not_trusted(
    face: FlatFace, pki: Path, tmp_path: Path
) -> None:
    shown = fingerprint(certificate_of(tmp_path / "theirs"))

    for _ in range(2):  # it is not kept silently either
        assert await refusal(settings(face, pki)) == (
            f"its certificate is not trusted yet: {shown}; `sprue trust IMM-16` shows and pins it"
        )
    assert not (pki / "trusted").exists()


async def test_the_pinned_certificate_is_enough(face: FlatFace, pki: Path, tmp_path: Path) -> None:
    store_pin(pki, "IMM-16", certificate_of(tmp_path / "theirs"), ignore_dates=False)

    assert await is_read(settings(face, pki))


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", POLICIES)
async def test_every_policy_of_today_is_spoken_with_our_own_certificate(
    press: Press, policy: str, mode: str, pki: Path, tmp_path: Path
) -> None:
    async for face in served(press, tmp_path / "theirs", policy=policy):
        store_pin(pki, "IMM-16", certificate_of(tmp_path / "theirs"), ignore_dates=False)
        assert await is_read(settings(face, pki, policy=policy, mode=mode))


async def test_a_secured_press_of_the_standard_is_read_whole(
    press: Press, pki: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    face = Euromap77Face(press, security=Security(user="ada", password="s3cret", folder=folder))
    await face.start()
    try:
        store_pin(pki, "IMM-16", certificate_of(folder), ignore_dates=False)
        way = {"policy": "Basic256Sha256", "mode": "SignAndEncrypt", "pki": str(pki)}
        told = Euromap77Settings(
            name="IMM-16",
            driver="euromap77",
            url=face.address,
            user="ada",
            password={"env": "SPRUE_TEST_PASSWORD"},
            security=way,
        )
        async with open_press(told) as machine:
            frame = await machine.read()
            assert machine.identity["serial"] == "IMM-01"
            assert 500 in frame.values
    finally:
        await face.stop()


async def test_another_policy_is_never_taken_instead(
    face: FlatFace, pki: Path, tmp_path: Path
) -> None:
    store_pin(pki, "IMM-16", certificate_of(tmp_path / "theirs"), ignore_dates=False)

    assert await refusal(settings(face, pki, policy="Aes256_Sha256_RsaPss")) == (
        "it does not offer Aes256_Sha256_RsaPss with SignAndEncrypt; "
        "it offers Basic256Sha256 with Sign, Basic256Sha256 with SignAndEncrypt"
    )


async def test_no_security_at_all_is_never_taken_instead(
    press: Press, pki: Path, tmp_path: Path
) -> None:
    own_identity(tmp_path / "some")
    some = load_certificate((tmp_path / "some" / "sprue.der").read_bytes())
    store_pin(pki, "IMM-16", some, ignore_dates=False)
    face = FlatFace(press)
    await face.start()
    try:
        said = await refusal(settings(face, pki))
    finally:
        await face.stop()
    assert said.endswith("it offers no security")


async def test_a_changed_certificate_is_refused_and_both_are_named(
    press: Press, face: FlatFace, pki: Path, tmp_path: Path
) -> None:
    before = certificate_of(tmp_path / "theirs")
    store_pin(pki, "IMM-16", before, ignore_dates=False)
    await press.faults.on("certificate_changed", SOON)
    await face.listens()

    said = await refusal(settings(face, pki))

    assert said.startswith("its certificate has changed: it shows ")
    assert fingerprint(before) in said
    assert fingerprint(certificate_of(tmp_path / "theirs")) in said


async def test_an_expired_certificate_is_refused_unless_its_pin_says_so(
    press: Press, face: FlatFace, pki: Path, tmp_path: Path
) -> None:
    await press.faults.on("certificate_expired")
    await face.listens()
    expired = certificate_of(tmp_path / "theirs" / "expired")
    assert out_of_date(expired)

    store_pin(pki, "IMM-16", expired, ignore_dates=False)
    assert (await refusal(settings(face, pki))).startswith("its certificate expired on 20")
    store_pin(pki, "IMM-16", expired, ignore_dates=True)
    assert await is_read(settings(face, pki))


async def test_an_expired_certificate_is_refused_unless_the_configuration_says_so(
    press: Press, face: FlatFace, pki: Path, tmp_path: Path
) -> None:
    await press.faults.on("certificate_expired")
    await face.listens()
    file = tmp_path / "theirs" / "expired" / "server.der"

    named = settings(face, pki, server_certificate=str(file))
    assert (await refusal(named)).startswith("its certificate expired on 20")
    assert await is_read(settings(face, pki, server_certificate=str(file), ignore_dates=True))
    with pytest.raises(ValidationError, match="'ignore_dates' is for a 'server_certificate'"):
        settings(face, pki, ignore_dates=True)


async def test_a_machine_that_does_not_trust_us_says_so_in_its_own_words(
    press: Press, face: FlatFace, pki: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store_pin(pki, "IMM-16", certificate_of(tmp_path / "theirs"), ignore_dates=False)
    await press.faults.on("certificate_untrusted")
    assert "BadCertificateUntrusted" in await refusal(settings(face, pki))
    assert [record for record in caplog.records if record.name.startswith("asyncua.client")] == []

    await press.faults.off("certificate_untrusted")
    assert await is_read(settings(face, pki))


async def test_another_server_on_the_same_port_is_refused(pki: Path, tmp_path: Path) -> None:
    """A stranger who has copied everything that the machine shows, but not its key."""
    theirs, stolen, strange = tmp_path / "theirs", tmp_path / "stolen", tmp_path / "strange"
    async for face in served(a_press(counter=500), theirs):
        store_pin(pki, "IMM-16", certificate_of(theirs), ignore_dates=False)
        assert await is_read(settings(face, pki))
        port = face.port

    async for face in served(a_press(counter=9999), strange, port=port):
        said = await refusal(settings(face, pki))
        assert fingerprint(certificate_of(strange)) in said
        assert fingerprint(certificate_of(theirs)) in said
    shutil.copytree(strange, stolen)
    shutil.copy(theirs / "server.der", stolen / "server.der")
    async for face in served(a_press(counter=9999), stolen, port=port):
        with pytest.raises(MachineError, match="IMM-16: connecting to"):
            async with open_session(settings(face, pki)):
                pass

    async for face in served(a_press(counter=501), theirs, port=port):
        assert await is_read(settings(face, pki))


@pytest.fixture
async def careless(tmp_path: Path) -> AsyncGenerator[Server]:
    """A server that signs, and asks for the password in clear text; speaks Basic256 too."""
    made = own_identity(tmp_path / "careless")
    server = Server(iserver=InternalServerOn(standard_nodes()))
    await server.init()
    await server.set_application_uri(made.application_uri)
    await server.load_certificate((tmp_path / "careless" / "sprue.der").read_bytes(), "der")
    await server.load_private_key(made.key_pem, None, "pem")
    server.set_security_policy(
        [
            ua.SecurityPolicyType.Basic256Sha256_Sign,
            ua.SecurityPolicyType.Basic256_SignAndEncrypt,
        ]
    )
    server.set_identity_tokens([ua.AnonymousIdentityToken, ua.UserNameIdentityToken])
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    await server.start()
    for endpoint in server.iserver.endpoints:
        for token in endpoint.UserIdentityTokens:
            token.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"
    yield server
    await server.stop()
    for session in [*server.iserver._external_sessions.values()]:
        await session.close_session()


async def test_no_password_is_sent_in_clear_text_over_a_signed_connection(
    careless: Server, pki: Path, tmp_path: Path
) -> None:
    known = own_identity(tmp_path / "careless").certificate
    store_pin(pki, "IMM-16", known, ignore_dates=False)
    url = f"opc.tcp://127.0.0.1:{careless.bserver.port}"

    said = await refusal(settings(url, pki, mode="Sign"))

    assert "it wants the password in clear text; mode 'SignAndEncrypt' hides it" in said


async def test_the_old_policy_is_spoken_only_where_it_is_named(
    careless: Server, pki: Path, tmp_path: Path
) -> None:
    known = own_identity(tmp_path / "careless").certificate
    store_pin(pki, "IMM-16", known, ignore_dates=False)
    url = f"opc.tcp://127.0.0.1:{careless.bserver.port}"

    anonymous = {"user": None, "password": None}
    assert "it offers Basic256 with SignAndEncrypt, " in await refusal(settings(url, pki))
    old = settings(url, pki, policy="Basic256").model_copy(update=anonymous)
    async with open_session(old) as session:
        assert session.namespaces


@pytest.mark.parametrize("name", ["IMM-16", "Hall 3/IMM 16", "..", 'Müller "7"'])
def test_a_pin_is_read_back_whatever_the_machine_is_called(name: str, pki: Path) -> None:
    ours = own_identity(pki).certificate
    assert read_pin(pki, name) is None

    file = store_pin(pki, name, ours, ignore_dates=True)

    pin = read_pin(pki, name)
    assert file == pin_file(pki, name)
    assert file.parent == pki / "trusted"
    assert pin is not None
    assert (pin.loaded, pin.ignore_dates, pin.machine) == (ours, True, name)


async def test_a_pin_that_is_none_is_refused_by_name(face: FlatFace, pki: Path) -> None:
    store_pin(pki, "IMM-16", own_identity(pki).certificate, ignore_dates=False)
    file = pin_file(pki, "IMM-16")

    file.write_text(file.read_text().replace("BEGIN CERTIFICATE", "BEGIN NOTHING"))
    assert f"{file}: certificate: found" in await refusal(settings(face, pki))
    store_pin(pki, "IMM-15", own_identity(pki).certificate, ignore_dates=False)
    pin_file(pki, "IMM-15").rename(file)
    assert "machine: found 'IMM-15'; it should be 'IMM-16'" in await refusal(settings(face, pki))


# The command


CONFIG = """
[[machine]]
name = "IMM-16"
driver = "opcua"
url = "{url}"
map = "flat-em63"
user = "ada"
password = {{ env = "SPRUE_TEST_PASSWORD" }}
security = {{ policy = "Basic256Sha256", mode = "SignAndEncrypt" }}
"""


async def trusting(config: Path, *more: str) -> tuple[int, str]:
    """`sprue trust IMM-16`, as a person calls it who is not there to answer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "trust", "IMM-16", "--config", str(config), *more,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_trust_shows_the_certificate_and_pins_it_only_when_told(
    press: Press, face: FlatFace, tmp_path: Path
) -> None:
    config = tmp_path / "sprue.toml"
    config.write_text(CONFIG.format(url=face.address), encoding="utf-8")
    told = settings(face, tmp_path / "pki")
    shown = certificate_of(tmp_path / "theirs")

    status, said = await trusting(config)
    assert status == 2
    assert fingerprint(shown) in said
    assert shown.not_valid_after_utc.strftime("%Y-%m-%d") in said
    assert "application URI  urn:" in said
    assert "not trusted yet" in await refusal(told)

    status, said = await trusting(config, "--yes")
    assert status == 0, said
    ours = own_identity(tmp_path / "pki").certificate
    assert str(tmp_path / "pki" / "sprue.der") in said
    assert fingerprint(ours) in said
    assert await is_read(told)
    assert "already" in (await trusting(config))[1]

    await press.faults.on("certificate_changed", SOON)
    await face.listens()
    assert "has changed" in await refusal(told)
    status, said = await trusting(config, "--yes")
    assert (status, f"Pinned until now: {fingerprint(shown)}" in said) == (0, True)
    assert await is_read(told)


async def test_trust_takes_an_expired_certificate_only_when_told_twice(
    press: Press, face: FlatFace, tmp_path: Path
) -> None:
    config = tmp_path / "sprue.toml"
    config.write_text(CONFIG.format(url=face.address), encoding="utf-8")
    await press.faults.on("certificate_expired")
    await face.listens()

    status, said = await trusting(config, "--yes")
    assert status == 1
    assert "IMM-16: its certificate expired on" in said
    status, said = await trusting(config, "--yes", "--ignore-dates")
    assert status == 0, said
    assert await is_read(settings(face, tmp_path / "pki"))


def test_dates_are_compared_with_now(pki: Path) -> None:
    ours = own_identity(pki).certificate

    assert out_of_date(ours) is None
    assert "expired on" in str(out_of_date(ours, ours.not_valid_after_utc + timedelta(seconds=1)))
    before = ours.not_valid_before_utc - timedelta(seconds=1)
    assert "is not valid before" in str(out_of_date(ours, before))
