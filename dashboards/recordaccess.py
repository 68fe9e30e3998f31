"""The record as the pages use it: short questions in a thread, and changes by whoever may."""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from fastapi import Request
from sqlalchemy import Connection

from agent.audit import Author, change, login_name, was_done
from agent.files import RecordError, is_plant, main_path, own_trouble, trouble_of
from agent.history import History, open_history
from dashboards.inbox import waiting
from dashboards.looking import Looker
from dashboards.refusing import allowed_form
from dashboards.visitor import visitor

T = TypeVar("T")

NAME_MOST = 64

UNSAID = ("csrf", "password", "again", "old")
"""Fields that are no part of a wish, for no trace of a secret is to be in the record."""


class RecordAccess:
    """Reads and changes one record.

    Args:
        url: Of the record.
        clock: UTC.
        origins: Under which browsers know us, beside the host that they ask for.
    """

    def __init__(
        self, url: str, clock: Callable[[], datetime], origins: Collection[str] = ()
    ) -> None:
        self.now = clock
        self.url = url
        self.origins = origins
        self._one_by_one = asyncio.Lock()
        self._looker = Looker(url)

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

    async def look(self, key: Hashable, question: Callable[[Connection, datetime], T]) -> T:
        """Ask what is asked for every request, see `Looker`.

        Args:
            key: What distinguishes the question from others.
            question: As for `read`.

        Raises:
            RecordError: it can't be read.
        """
        return await asyncio.to_thread(self._looker.ask, key, question, self.now())

    async def head(self) -> Mapping[str, Any]:
        """What the top of every page says: how many are new, and why nothing can be written.

        Raises:
            RecordError: it can't be read.
        """
        return {"waiting": await self.read(waiting), "trouble": await self.trouble()}

    async def trouble(self) -> str:
        """Why the record's writer can't write now; empty where all is well."""
        if is_plant(self.url):
            return ""
        path = main_path(self.url)
        if (said := own_trouble(path)) is not None:  # a disk that hangs hangs up every look at it
            return said
        return await asyncio.to_thread(trouble_of, path) or ""

    async def ask(self, question: Callable[[History, datetime], T]) -> T:
        """The same with the record's own questions.

        Raises:
            RecordError: it can't be read.
        """
        return await asyncio.to_thread(self._ask, question)

    async def write(
        self,
        request: Request,
        deed: Callable[[Connection, Author, Mapping[str, str]], object],
        *,
        group: str,
    ) -> Mapping[str, str]:
        """Do what a form asks for, once.

        Args:
            request: A POST of a form: `deed`, `csrf`, `key` (the same for the same wish), `who`
                where nobody logs in, and what the deed needs.
            deed: Changes the record; its errors are passed on, and then nothing was changed.
            group: Of `dashboards.rights`: which deeds there are, and who may do them.

        Returns:
            The form's fields.

        Raises:
            UnknownDeedError: there is no such deed.
            RefusedError: it comes from another site or computer, from somebody who may not do
                this, or is no form.
            RecordError: the record can't be written to.
        """
        form = await allowed_form(request, self.origins, group)
        author = self.author(request.url.path, form)
        await self.do(author, lambda connection, author: deed(connection, author, form))
        return form

    def author(self, path: str, form: Mapping[str, str]) -> Author:
        """Whose deed it is, and which wish it fulfils."""
        signed = visitor()
        who = signed.name or " ".join(form.get("who", "").split())[:NAME_MOST] or login_name()
        origin = f"page, {signed.address}" if signed.address else "page"
        wish = _wish(signed.name, path, form) if form.get("key") else None
        return Author(who=who, origin=origin, at=self.now(), wish=wish)

    async def do(self, author: Author, deed: Callable[[Connection, Author], T]) -> T | None:
        """Change the record, unless the audit log has the same wish already.

        Returns:
            What the deed gives; None where it was done before.

        Raises:
            RecordError: the record can't be written to.
        """
        async with self._one_by_one:  # so that the second click waits for the first one's end
            return await asyncio.to_thread(self._do, author, deed)

    async def note(self, deed: Callable[[Connection], None]) -> None:
        """Write something down that is nobody's deed.

        Raises:
            RecordError: the record can't be written to.
        """
        at = Author(who="sprue", origin="page", at=self.now())
        await self.do(at, lambda connection, _author: deed(connection))

    def _ask(self, question: Callable[[History, datetime], T]) -> T:
        with open_history(self.url) as history:
            return question(history, self.now())

    def _do(self, author: Author, deed: Callable[[Connection, Author], T]) -> T | None:
        with change(self.url) as connection:
            if author.wish is not None and was_done(connection, author.wish):
                return None
            return deed(connection, author)


def new_key() -> str:
    """What makes two forms two wishes, and one form sent twice one."""
    return uuid4().hex


def _wish(who: str, path: str, form: Mapping[str, str]) -> str:
    """One form with its words: sent anew with others, as after the Back button, it is another."""
    fields = (f"{key}={form[key]}" for key in sorted(form) if key not in UNSAID)
    return wish_of(who, path, *fields)


def wish_of(*parts: str) -> str:
    """What two tries of the same wish have in common."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
