"""The certificate that a person has confirmed to be a machine's: one file a machine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError, field_validator

from drivers.certificate import described, load_certificate
from drivers.checked import Checked, complaints, read_toml
from drivers.closedfile import put

FOLDER = "trusted"


class Pin(Checked):
    """What `sprue trust` has stored."""

    machine: str
    pinned_at: datetime
    ignore_dates: bool = False
    """Whether the person accepted that its time has run out, or has not begun."""
    certificate: str
    """PEM."""

    @field_validator("certificate")
    @classmethod
    def _is_one(cls, text: str) -> str:
        try:
            load_certificate(text.encode())
        except ValueError as error:
            raise ValueError(f"should be a certificate, PEM ({error})") from error
        return text

    @cached_property
    def loaded(self) -> x509.Certificate:
        """The certificate."""
        return load_certificate(self.certificate.encode())


def pin_file(pki: Path, machine: str) -> Path:
    """Where a machine's pin lies; names that are no file names are percent-encoded."""
    return pki / FOLDER / f"{quote(machine, safe=' ')}.toml"


def read_pin(pki: Path, machine: str) -> Pin | None:
    """A machine's pin; None where there is none.

    Raises:
        ValueError: the file is none, or of another machine; it is named.
    """
    file = pin_file(pki, machine)
    if not file.exists():
        return None
    try:
        pin = Pin.model_validate(read_toml(file))
    except ValidationError as error:
        raise ValueError(complaints(error, file, Pin)[0]) from error
    if pin.machine != machine:
        raise ValueError(f"{file}: machine: found {pin.machine!r}; it should be {machine!r}")
    return pin


def store_pin(
    pki: Path, machine: str, certificate: x509.Certificate, *, ignore_dates: bool
) -> Path:
    """Pin a certificate, in place of another one.

    Raises:
        OSError: the file can't be written.
    """
    file = pin_file(pki, machine)
    text = "\n".join(_lines(machine, certificate, ignore_dates=ignore_dates))
    put(file, text.encode())
    return file


def _lines(machine: str, certificate: x509.Certificate, *, ignore_dates: bool) -> Iterator[str]:
    for heading, words in described(certificate):
        yield f"# {heading}: {words}"
    yield f"machine = {json.dumps(machine)}"
    yield f"pinned_at = {datetime.now(UTC).isoformat(timespec='seconds')}"
    yield f"ignore_dates = {str(ignore_dates).lower()}"
    yield f'certificate = """\n{certificate.public_bytes(Encoding.PEM).decode()}"""\n'
