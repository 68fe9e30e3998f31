"""Our own key and certificate: made once, right for a server, readable for nobody else."""

import os
import stat
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from drivers.certificate import application_uri, fingerprint, load_certificate
from drivers.ownidentity import given_identity, own_identity


@pytest.fixture(autouse=True)
def careless_umask() -> Generator[None]:
    """As some services run: nothing is closed but what closes itself."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = own_identity(tmp_path / "pki"), own_identity(tmp_path / "pki")

    assert fingerprint(first.certificate) == fingerprint(second.certificate)
    assert first.key_pem == second.key_pem


def test_many_machines_that_connect_at_once_make_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as at_once:
        made = list(at_once.map(own_identity, [tmp_path / "pki"] * 6))

    assert len({each.key_pem for each in made}) == 1
    assert sorted(file.name for file in (tmp_path / "pki").iterdir()) == ["sprue.der", "sprue.pem"]


def test_the_key_is_closed_and_the_certificate_is_there_to_be_handed_out(tmp_path: Path) -> None:
    made = own_identity(tmp_path)

    assert stat.S_IMODE((tmp_path / "sprue.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "sprue.der").stat().st_mode) == 0o644
    assert load_certificate((tmp_path / "sprue.der").read_bytes()) == made.certificate
    assert b"PRIVATE" not in (tmp_path / "sprue.der").read_bytes()


def test_it_says_who_we_are_for_twenty_years(tmp_path: Path) -> None:
    made = own_identity(tmp_path)

    certificate, now = made.certificate, datetime.now(UTC)
    assert made.application_uri == application_uri(certificate)
    assert made.application_uri.startswith("urn:")
    assert made.application_uri.endswith(":sprue")
    assert certificate.not_valid_after_utc > now + timedelta(days=19 * 365)
    assert certificate.not_valid_before_utc < now - timedelta(days=300)
    uses = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert uses.digital_signature
    assert uses.key_encipherment
    assert uses.data_encipherment
    assert uses.content_commitment


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    own_identity(tmp_path)
    (tmp_path / "sprue.pem").chmod(0o640)

    with pytest.raises(PermissionError, match=r"others can read it .*chmod 600"):
        own_identity(tmp_path)


def test_a_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    own_identity(one)
    own_identity(other)

    with pytest.raises(ValueError, match=r"key: .*other/sprue\.pem is not the key of .*one"):
        given_identity(one / "sprue.der", other / "sprue.pem")
