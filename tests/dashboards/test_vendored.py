"""What others made is listed with its licence, and is what the list says."""

import hashlib
import tomllib
from pathlib import Path

import dashboards

VENDOR = Path(dashboards.__file__).parent / "assets" / "vendor"
LISTED = tomllib.loads((VENDOR / "vendored.toml").read_text(encoding="utf-8"))["asset"]


def test_every_vendored_file_is_listed() -> None:
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}

    assert found - {"vendored.toml"} == {asset["file"] for asset in LISTED}


def test_every_vendored_file_is_what_was_listed() -> None:
    for asset in LISTED:
        digest = hashlib.sha256((VENDOR / asset["file"]).read_bytes()).hexdigest()

        assert digest == asset["sha256"], asset["file"]


def test_every_vendored_file_names_version_licence_and_source() -> None:
    for asset in LISTED:
        assert asset.keys() == {
            "name",
            "version",
            "licence",
            "source",
            "source_file",
            "file",
            "sha256",
        }


def test_the_licence_that_must_travel_with_the_fonts_does() -> None:
    assert "SIL OPEN FONT LICENSE" in (VENDOR / "inter" / "LICENSE.txt").read_text()
