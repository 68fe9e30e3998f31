"""The settings of sinks: `[[forward]]` in `sprue.toml`."""

import re
from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from agent.files import RecordError
from agent.forward.measurements import RESERVED
from agent.plantrecord.address import Address, address_of
from drivers.beside import NamedFile
from drivers.checked import Checked
from drivers.secret import Secret
from drivers.signals import SIGNALS, Kind

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$"
ALL = "*"


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("should be a URL such as http://127.0.0.1:8086")
    if parts.username or parts.password:
        raise ValueError("should hold no secret; give it as token = { env = 'NAME' }")
    return url.rstrip("/")


def _curves(names: tuple[str, ...]) -> tuple[str, ...]:
    known = [signal.name for signal in SIGNALS.values() if signal.kind is Kind.CURVE]
    for name in names:
        if name != ALL and name not in known:
            raise ValueError(f"should name curves: {', '.join(known)}, or '*' for all")
    return names


def _tags(tags: dict[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        if name in RESERVED or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(
                f"should have tags in small letters that no measurement uses; {name!r} is none"
            )
        if not value.strip():
            raise ValueError(f"should have a value for the tag {name!r}")
    return tags


class AnySinkSettings(Checked):
    """What every sink is told."""

    name: Annotated[str, Field(pattern=NAME)] = ""
    """Identity in the record: another name is another sink, which gets everything anew."""
    curves: Annotated[tuple[str, ...], AfterValidator(_curves)] = ()
    catch_up_per_s: Annotated[float | None, Field(gt=0)] = None
    """Rows of a backlog a second, at most; None for as many as the sink takes."""
    ca: NamedFile | None = None
    """The authority that signed the server's certificate, where the system does not know it."""

    @property
    def in_order(self) -> bool:
        """Whether nothing new goes before a backlog."""
        return False

    @property
    def curve_rows_most(self) -> int:
        """Cycles whose curves go in one request; each has hundreds of points."""
        return 20

    @property
    def hold_s(self) -> float:
        """How long after its acknowledgement something is held to be stored."""
        return 0.0

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        raise NotImplementedError

    def wants(self, signal: str) -> bool:
        """Whether curves of a signal go there."""
        return ALL in self.curves or signal in self.curves


class SinkSettings(AnySinkSettings):
    """What every sink that takes line protocol is told."""

    url: Annotated[str, AfterValidator(_web)]
    token: Secret | None = None
    tags: Annotated[dict[str, str], AfterValidator(_tags), Field(default_factory=dict)]
    """Set on every point, such as the plant's name where several write to one bucket."""
    curve_points: Annotated[int | None, Field(ge=2, le=100_000)] = None
    """At most so many points of a curve, evenly chosen; None for all."""
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0

    @property
    def texts(self) -> bool:
        """Whether it stores words, and a point again in another state."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return self.url


class InfluxSettings(SinkSettings):
    """InfluxDB 2 and 3, InfluxDB 1.8 by its compatible call, and what answers like them."""

    kind: Literal["influxdb"]
    org: str = ""
    bucket: Annotated[str, Field(min_length=1)]
    curve_numbers: Literal["scaled", "float"] = "scaled"
    """`scaled`: whole multiples of a decimal step where the sensor's resolution is known."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, found: object) -> object:
        return {"name": "influxdb"} | found if isinstance(found, dict) else found

    @property
    def texts(self) -> bool:
        """It stores words, and overwrites a point."""
        return True

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.url}, bucket {self.bucket}"


class VictoriaSettings(SinkSettings):
    """VictoriaMetrics: numbers only, and stored some seconds after it says so."""

    kind: Literal["victoriametrics"]
    hold: Annotated[float, Field(ge=0, le=3600, alias="hold_s")] = 60.0

    @model_validator(mode="before")
    @classmethod
    def _named(cls, found: object) -> object:
        return {"name": "victoriametrics"} | found if isinstance(found, dict) else found

    @property
    def texts(self) -> bool:
        """Numbers only; a second sample of one instant is not a newer state."""
        return False

    @property
    def hold_s(self) -> float:
        """A kill costs it what it has taken in the last seconds; a minute is safe."""
        return self.hold


def _plant(url: str) -> str:
    try:
        address_of(url)
    except RecordError as error:
        raise ValueError(str(error).removeprefix("record: ")) from error
    return url


class PlantSettings(AnySinkSettings):
    """The plant record: a PostgreSQL database that many agents fill."""

    kind: Literal["postgresql"]
    url: Annotated[str, AfterValidator(_plant)]
    password: Secret | None = None
    """None: as PostgreSQL's own programs find it, `PGPASSWORD` or `~/.pgpass`."""
    tls: Literal["verify-full", "verify-ca", "require", "disable"] | None = None
    """None: the server's certificate is checked, except on this computer."""
    curves: Annotated[tuple[str, ...], AfterValidator(_curves)] = (ALL,)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, found: object) -> object:
        return {"name": "postgresql"} | found if isinstance(found, dict) else found

    @property
    def in_order(self) -> bool:
        """What refers to something comes after it, and pages read in the order of arrival."""
        return True

    @property
    def curve_rows_most(self) -> int:
        """A curve is one row, as it is in the record."""
        return 500

    @property
    def address(self) -> Address:
        """How it is connected to.

        Raises:
            drivers.errors.RefusedError: the password is not where it should be.
        """
        password = self.password.read(self.name, "password") if self.password else None
        ca = str(self.ca) if self.ca else None
        return replace(address_of(self.url), password=password, ca=ca, tls=self.tls)

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return address_of(self.url).place


LineSink = InfluxSettings | VictoriaSettings

AnySink = Annotated[LineSink | PlantSettings, Field(discriminator="kind")]
