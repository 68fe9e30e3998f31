"""Servers that take line protocol over HTTP: InfluxDB, VictoriaMetrics, what answers like them.

One awaited request at a time through influxdb-client; its batching writer is not used: it drops
what it could not deliver in three minutes, and tells nobody.
"""

import asyncio
import gzip
import json
import re
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from agent.forward.settings import InfluxSettings, LineSink, SinkSettings
from agent.forward.sink import LaterError, Parcel, RefusedError, TooBigError
from drivers.errors import RefusedError as NoSecretError

REFUSED = (400, 422)
TOO_BIG = 413
WORDS_MOST = 400

DROPPED = re.compile(r"dropped[ =](\d+)")
"""How many points of a request were not stored: InfluxDB 1 and 2."""

STARTED = re.compile(
    r"^(?:process_start_time_seconds|vm_app_start_timestamp)(?:{[^}]*})? (\S+)$", re.M
)
IGNORED = re.compile(r'^vm_rows_ignored_total{[^}]*reason="([^"]*)"[^}]*} (\S+)$', re.M)


@asynccontextmanager
async def open_sink(settings: LineSink) -> AsyncGenerator["LineServer"]:
    """A client of a server; whether it is there shows when something is sent.

    Raises:
        LaterError: its token can't be read now, or its authority's file is none.
    """
    try:
        token = settings.token.read(settings.name, "token") if settings.token else None
        secured = await asyncio.to_thread(_secured, settings)
    except NoSecretError as error:
        raise LaterError(str(error)) from error
    except OSError as error:
        raise LaterError(f"{settings.ca}: {error}") from error
    async with InfluxDBClientAsync(
        settings.url,
        token or "",
        org=_org(settings),
        timeout=int(settings.timeout_s * 1000),
        ssl_context=secured,
        allow_redirects=False,  # a redirected POST loses its body
    ) as client:
        yield LineServer(client, settings)


def _secured(settings: LineSink) -> ssl.SSLContext:
    if settings.url.startswith("https:"):
        return ssl.create_default_context(cafile=settings.ca)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used; a default one takes long to load


def _org(settings: LineSink) -> str:
    return settings.org if isinstance(settings, InfluxSettings) else ""


class LineServer:
    """A server that takes line protocol; `open_sink` makes one."""

    def __init__(self, client: InfluxDBClientAsync, settings: LineSink) -> None:
        self._client = client
        self._writing = WriteService(client.api_client)
        self._settings: SinkSettings = settings
        self._org = _org(settings)
        self._bucket = settings.bucket if isinstance(settings, InfluxSettings) else ""
        self._ignored: dict[str, float] = {}
        self._too_old = 0
        self._too_old_words = ""

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Write lines in one request.

        Raises:
            LaterError: no connection, no answer in time, 401, 403, 404, 429, 5xx, a redirect.
            TooBigError: 413.
            RefusedError: 400, 422; what was right in it may have been stored nevertheless.
        """
        body = b"".join(parcel.body for parcel in parcels)
        if body:
            await self.write(body)

    async def reach(self) -> None:
        """Write nothing, by the very call that rows go by.

        Raises:
            SinkError: it would take no rows.
        """
        with suppress(RefusedError):  # it knows us and the bucket; a write of nothing is none
            await self.write(b"")

    async def write(self, body: bytes) -> None:
        """Write lines, or none: that tells whether it would take any.

        Raises:
            SinkError: as `send`.
        """
        data = await asyncio.to_thread(gzip.compress, body, 1)
        try:
            await self._writing.post_write_async(
                self._org,
                self._bucket,
                data,
                precision="ns",
                content_encoding="gzip",
                content_type="text/plain; charset=utf-8",
            )
        except ApiException as error:
            if not self._is_only_old(error):
                raise _said(error) from error
        except TimeoutError as error:
            raise LaterError(f"no answer within {self._settings.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise LaterError(str(error) or type(error).__name__, cut=True) from error

    async def started(self) -> float | None:
        """When the server's process started; None where an acknowledgement means stored.

        Raises:
            LaterError: it does not say.
        """
        if not self._settings.hold_s:
            return None
        text = await self._metrics()
        found = STARTED.search(text)
        if not found:
            raise LaterError(f"{self._settings.url}/metrics does not say when the server started")
        self._count_ignored(text)
        return float(found[1])

    def ignored(self) -> str | None:
        """What the server took, from whomever, and threw away, by its own counters or answers."""
        if self._too_old:
            return (
                f"the bucket has a retention: {self._too_old} points were older and not stored; "
                f"at last: {self._too_old_words}"
            )
        rows = ", ".join(f"{n:.0f} {reason}" for reason, n in sorted(self._ignored.items()) if n)
        return f"the server has thrown rows away since it started ({rows})" if rows else None

    def _is_only_old(self, error: ApiException) -> bool:
        """Whether all that was refused is older than what the bucket keeps; the rest is stored."""
        words = _words(error)
        dropped = DROPPED.search(words)
        if error.status not in REFUSED or "retention policy" not in words or not dropped:
            return False
        self._too_old += int(dropped[1])
        self._too_old_words = words
        return True

    async def _metrics(self) -> str:
        try:
            client = self._client.api_client
            answer = await client.rest_client.GET(
                f"{self._settings.url}/metrics", headers=dict(client.default_headers)
            )
            text: str = answer.data.decode("utf-8", "replace")
        except ApiException as error:
            raise _said(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise LaterError(str(error) or type(error).__name__, cut=True) from error
        return text

    def _count_ignored(self, text: str) -> None:
        self._ignored = {}
        for reason, n in IGNORED.findall(text):
            self._ignored[reason] = self._ignored.get(reason, 0) + float(n)


def _said(error: ApiException) -> LaterError | TooBigError | RefusedError:
    words = f"{error.status}: {_words(error)}"
    if error.status == TOO_BIG:
        return TooBigError(words)
    if error.status in REFUSED:
        return RefusedError(words)
    return LaterError(words, after_s=_after_s(error.retry_after))


def _words(error: ApiException) -> str:
    """What the server said, without the wrapping that servers put around it."""
    body = error.body or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        text = str(found.get("message") or found.get("error") or text)
    return " ".join(text.split())[:WORDS_MOST] or str(error.reason or "no words")


def _after_s(text: str | None) -> float | None:
    """Seconds of a Retry-After, which may be a date.

    >>> _after_s("7"), _after_s("soon"), _after_s(None)
    (7.0, None, None)
    """
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
