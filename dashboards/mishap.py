"""What is answered where Sprue itself has a defect: words, and a name to find it in the log by."""

import logging
from collections.abc import Callable
from uuid import uuid4

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.problem import problem, wants_page

log = logging.getLogger(__name__)


class Mishap:
    """Middleware around whatever may fail by a defect of ours.

    Args:
        app: What lies behind.
        page: The page for a person, by the name under which it stands in the log.
    """

    def __init__(self, app: ASGIApp, page: Callable[[str], Response] | None = None) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            name = uuid4().hex[:8]
            log.exception("mishap %s: %s %r", name, scope["method"], scope["path"])
            if begun:
                raise  # half an answer is not to look like a whole one
            await self._answer(scope, name)(scope, receive, send)

    def _answer(self, scope: Scope, name: str) -> Response:
        if self._page is not None and wants_page(scope):
            return self._page(name)
        words = f"Sprue has made a mistake and could not answer; its log names it {name}."
        return problem(500, words)
