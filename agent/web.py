"""Where and how the pages are served."""

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from agent.users.visits import Terms
from drivers.beside import NamedFile
from drivers.checked import Checked

LISTEN = re.compile(r"^(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]+):(?P<port>\d{1,5})$")


def _listen(address: str) -> str:
    match = LISTEN.match(address)
    if not match or int(match["port"]) > 65535:
        raise ValueError("should be HOST:PORT, for example 127.0.0.1:8420")
    return address


def _origin(text: str) -> str:
    parts = urlsplit(text)
    bare = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or not parts.hostname or text.rstrip("/") != bare:
        raise ValueError("should be as a browser's address bar begins: https://sprue.plant")
    return bare.lower()


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError("should be an address or a network, such as 10.0.0.7") from error
    return text


class TlsFiles(Checked):
    """Certificate and key of the pages, PEM."""

    cert: NamedFile
    """With the certificates between it and the authority."""
    key: NamedFile
    """Only its owner may read it."""


class WebSettings(Checked):
    """Where the pages are served, and under which name."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8420"
    tls: TlsFiles | None = None
    origin: Annotated[str, AfterValidator(_origin)] | None = None
    """As browsers see us, where that is another than `listen` says: through a proxy, by a name."""
    trusted_proxy: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Whose word of where a request came from is taken (`X-Forwarded-For`)."""
    idle_min: Annotated[float, Field(ge=1, le=1440)] = 60.0
    """Who opens no page for so long is logged out."""
    session_h: Annotated[float, Field(ge=0.1, le=168)] = 12.0
    """Who logged in so long ago is logged out."""

    @model_validator(mode="after")
    def _one_scheme(self) -> Self:
        if self.tls is not None and self.origin is not None and self.origin.startswith("http:"):
            raise ValueError("tls and an origin of http:// contradict each other")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        match = LISTEN.match(self.listen)
        assert match is not None
        return match["host"].strip("[]"), int(match["port"])

    @property
    def terms(self) -> Terms:
        """How long one stays logged in."""
        return Terms(idle=timedelta(minutes=self.idle_min), most=timedelta(hours=self.session_h))

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS, to us or to a proxy before us."""
        return self.tls is not None or (self.origin or "").startswith("https:")
