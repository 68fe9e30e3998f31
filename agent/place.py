"""Where the record is and whose clock the plant lives by: all that a command on the record reads.

The rest of the configuration is `agent.config`'s, which knows every driver: a wrong machine is no
reason to keep a mold's life from somebody, nor are protocols' libraries to wait for.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError

from agent.archive.settings import HistorySettings
from agent.ending import MISUSED, CommandError
from agent.files import RecordError, main_path
from agent.retention.settings import RetentionSettings
from agent.users.taste import Decimal, Language, Length, Pressure, Taste, Temperature
from drivers.checked import Checked, complaints, read_toml


class ConfigError(CommandError):
    """The configuration can't be used.

    Args:
        sentences: One per mistake; each names the file and the key.
    """

    status = MISUSED

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = tuple(sentences)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("should be an IANA time zone such as Europe/Berlin") from error
    return name


def _record_url(url: str) -> str:
    try:
        main_path(url)
    except RecordError as error:
        raise ValueError("should be sqlite:///FILE, or sqlite:////FOLDER/FILE from /") from error
    return url


class SiteSettings(Checked):
    """What the plant is called and which clock it lives by."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "Plant"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    language: Language | None = None
    """Of the pages; None: the one that a browser asks for."""
    decimal: Decimal | None = None
    """None: the one of the language."""
    pressure: Pressure = "bar"
    temperature: Temperature = "°C"
    length: Length = "mm"
    """In which units the pages show; what is kept does not change."""

    @property
    def taste(self) -> Taste:
        """How the pages look to who has not chosen otherwise."""
        return Taste(
            language=self.language, decimal=self.decimal, pressure=self.pressure,
            temperature=self.temperature, length=self.length,
        )  # fmt: skip


class RecordSettings(Checked):
    """Where the record lies; a relative file is beside the configuration."""

    url: Annotated[str, AfterValidator(_record_url)] = "sqlite:///sprue.db"
    reserve_mb: Annotated[float, Field(ge=0, le=100_000)] = 64.0
    """Room that is kept for shots, for a day on which the disk is full; 0 for none."""
    slow_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """From one sample to the next of what holds between shots too; 0 keeps none."""


class Place(Checked):
    """The tables of `sprue.toml` that say so."""

    site: SiteSettings = SiteSettings()
    record: RecordSettings = RecordSettings()
    history: HistorySettings = HistorySettings()
    retention: RetentionSettings = RetentionSettings()

    def record_url(self, file: Path) -> str:
        """The record's URL with its file made absolute, as the configuration in `file` means it."""
        return f"sqlite:///{(file.parent / main_path(self.record.url)).absolute()}"


def load_place(path: Path) -> Place:
    """Read what a configuration says of its record and its site, and nothing else.

    Raises:
        ConfigError: with a sentence per mistake in these.
    """
    raw = read(path)
    try:
        return Place.model_validate({key: raw[key] for key in Place.model_fields if key in raw})
    except ValidationError as error:
        raise ConfigError(complaints(error, path, Place)) from error


def read(path: Path) -> dict[str, Any]:
    """A configuration as it is written.

    Raises:
        ConfigError: the file can't be read or is not TOML.
    """
    try:
        return read_toml(path)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
