"""The record as the pages use it: short questions in a thread, and changes by whoever may."""

import asyncio
import hashlib
import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import uuid4

from fastapi import Request
from sqlalchemy import Connection

from agent.audit import Author, change, login_name
from agent.files import RecordError, main_path, trouble_of
from agent.history import History, open_history
from dashboards.headers import same_origin
from dashboards.inbox import waiting

T = TypeVar("T")

LONGEST_FORM = 65_536
"""Bytes."""

NAME_MOST = 64

REMEMBERED_KEYS = 1000
"""Changes that are not made twice, however often their form is sent."""

PASSED_ON = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})
"""Headers by which a proxy says that it is one."""


class RefusedError(Exception):
    """A change that is not made; the message says why, for the person who wanted it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class RecordAccess:
    """Reads and changes one record.

    Args:
        url: Of the record.
        clock: UTC.
    """

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self.now = clock
        self.url = url
        self._done: OrderedDict[bytes, None] = OrderedDict()
        self._one_by_one = asyncio.Lock()

    async def read(
        self, question: Callable[[Connection, datetime], T], *, otherwise: T | None = None
    ) -> T:
        """Ask the record something, in a thread.

        Args:
            question: Asks, on a connection that can only read.
            otherwise: The answer where the record can't be read just now; None lets that be raised.

        Raises:
            RecordError: it can't be read.
        """

        def asked(history: History, now: datetime) -> T:
            with history.connect() as connection:
                return question(connection, now)

        try:
            return await self.ask(asked)
        except RecordError:
            if otherwise is None:
                raise
            return otherwise

    async def head(self) -> Mapping[str, Any]:
        """What the top of every page says: how many are new, and why nothing can be written.

        Raises:
            RecordError: it can't be read.
        """
        return {"waiting": await self.read(waiting), "trouble": await self.trouble()}

    async def trouble(self) -> str:
        """Why the record's writer can't write now; empty where all is well."""
        return await asyncio.to_thread(trouble_of, main_path(self.url)) or ""

    async def ask(self, question: Callable[[History, datetime], T]) -> T:
        """The same with the record's own questions.

        Raises:
            RecordError: it can't be read.
        """
        return await asyncio.to_thread(self._ask, question)

    async def write(
        self, request: Request, deed: Callable[[Connection, Author, Mapping[str, str]], object]
    ) -> Mapping[str, str]:
        """Do what a form asks for, once.

        Args:
            request: A POST of a form: `who`, `key` (the same for the same wish) and what the deed
                needs.
            deed: Changes the record; its errors are passed on, and then nothing was changed.

        Returns:
            The form's fields.

        Raises:
            RefusedError: the form comes from another site or another computer, or is none.
            RecordError: the record can't be written to.
        """
        self._refuse_strangers(request)
        form = await _form(request)
        who = " ".join(form.get("who", "").split())[:NAME_MOST] or login_name()
        wish = _wish(request.url.path, form) if form.get("key") else None
        async with self._one_by_one:  # so that the second click waits for the first one's end
            if wish in self._done:
                return form
            author = Author(who=who, origin="page", at=self.now())
            await asyncio.to_thread(self._write, deed, author, form)
            if wish is not None:
                self._done[wish] = None
                if len(self._done) > REMEMBERED_KEYS:
                    self._done.popitem(last=False)
        return form

    def _ask(self, question: Callable[[History, datetime], T]) -> T:
        with open_history(self.url) as history:
            return question(history, self.now())

    def _write(
        self,
        deed: Callable[[Connection, Author, Mapping[str, str]], object],
        author: Author,
        form: Mapping[str, str],
    ) -> None:
        with change(self.url) as connection:
            deed(connection, author, form)

    def _refuse_strangers(self, request: Request) -> None:
        origin, host = request.headers.get("origin"), request.headers.get("host", "")
        fetched = request.headers.get("sec-fetch-site", "same-origin")
        if not same_origin(origin, host) or fetched not in ("same-origin", "none"):
            raise RefusedError(403, "This form was not sent by a page of Sprue's.")
        # Nobody logs in yet, so whoever sits at this computer may write, and nobody else. What a
        # proxy on this computer passes on comes from anywhere.
        if not PASSED_ON.isdisjoint(request.headers.keys()):
            raise RefusedError(
                403, "A form that comes through a proxy is not taken while there are no users."
            )
        with suppress(ValueError):
            if request.client and ipaddress.ip_address(request.client.host).is_loopback:
                return
        raise RefusedError(
            403, "Only a browser on the computer that Sprue runs on may change the record."
        )


def new_key() -> str:
    """What makes two forms two wishes, and one form sent twice one."""
    return uuid4().hex


def _wish(path: str, form: Mapping[str, str]) -> bytes:
    """One form with its words: sent anew with others, as after the Back button, it is another."""
    words = "\0".join([path, *(f"{key}={form[key]}" for key in sorted(form))])
    return hashlib.sha256(words.encode("utf-8", "replace")).digest()


async def _form(request: Request) -> Mapping[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            raise RefusedError(413, f"The form is longer than {LONGEST_FORM} bytes.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise RefusedError(400, "The form can't be read.") from error
