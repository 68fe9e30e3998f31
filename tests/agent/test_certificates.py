"""A certificate that will expire is told sixty days ahead."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from agent.__main__ import main
from agent.certificates import expiring
from agent.config import load
from agent.record import open_record
from drivers.ownidentity import own_identity

CONFIG = """
[[machine]]
name = "IMM-07"
driver = "euromap77"
url = "opc.tcp://192.0.2.7:4840"
security = { policy = "Basic256Sha256", mode = "Sign", server_certificate = "theirs.pem" }
"""


def written(folder: Path, days: float) -> Path:
    """A configuration, and a machine's certificate that lasts so long."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "IMM-07")])
    now = datetime.now(UTC)
    theirs = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, minutes=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "theirs.pem").write_bytes(theirs.public_bytes(Encoding.PEM))
    config = folder / "sprue.toml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


@pytest.mark.parametrize(
    ("days", "said"), [(59, "in 59 days"), (0, "in 0 days"), (-1, "expired on"), (61, "")]
)
def test_what_ends_within_sixty_days_is_told(days: float, said: str, tmp_path: Path) -> None:
    found = expiring(load(written(tmp_path, days)), datetime.now(UTC))

    assert (said in found["IMM-07"][0]) if said else (found == {})


def test_our_own_end_is_told_for_every_machine_that_has_it(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, 4000))
    ours = own_identity(loaded.pki).certificate

    at = ours.not_valid_after_utc - timedelta(days=30)
    assert f"our certificate ({loaded.pki / 'sprue.pem'}) expires on" in " ".join(
        expiring(loaded, at)["IMM-07"]
    )


async def test_status_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, 30)
    loaded = load(config)
    async with open_record(loaded.record_url, loaded.machine_rows, loaded.mold_rows):
        pass

    assert main(["status", "--config", str(config)]) == 0
    assert "IMM-07: the machine's certificate expires on" in capsys.readouterr().out
    assert main(["status", "--config", str(config), "--format", "json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert "in 30 days" in line["expiring"][0]
