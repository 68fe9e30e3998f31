"""A browser as far as log-in goes: it keeps cookies, and sends the hidden fields of forms."""

import re
from collections.abc import Mapping
from html import unescape

from tests.dashboards.client import Answer, get, post

PAGE = {"accept": "text/html,application/xhtml+xml", "sec_fetch_mode": "navigate"}

GOOD = "a sentence about molds"


class Browsing:
    """One browser at one server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}

    async def open(self, path: str, **headers: str) -> Answer:
        """Open a page; it is not followed anywhere."""
        answer = await get(f"{self.address}{path}", **(PAGE | self._cookie() | headers))
        self._keep(answer)
        return answer

    async def send(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form."""
        answer = await post(f"{self.address}{path}", fields, **(PAGE | self._cookie() | headers))
        self._keep(answer)
        return answer

    async def log_in(self, name: str, password: str = GOOD, **fields: str) -> Answer:
        """Log in by the page."""
        page = await self.open("/login")
        return await self.send(
            "/login", hidden(page) | {"name": name, "password": password} | fields
        )

    async def csrf(self) -> str:
        """What this browser's forms carry."""
        return hidden(await self.open("/settings"))["csrf"]

    def cookie(self) -> dict[str, str]:
        """The header, for requests that are made otherwise."""
        return self._cookie()

    def _cookie(self) -> dict[str, str]:
        said = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"cookie": said} if said else {}

    def _keep(self, answer: Answer) -> None:
        for line in answer.cookies:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "max-age=0" in line.lower():
                del self.cookies[name]


def hidden(answer: Answer) -> dict[str, str]:
    """Hidden fields of all forms of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text)
    return {name: unescape(value) for name, value in found}
