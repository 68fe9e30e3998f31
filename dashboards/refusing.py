"""Why a change is not made: who sent it, from where, and whether they may."""

import hmac
import ipaddress
from collections.abc import Collection, Mapping
from contextlib import suppress
from urllib.parse import parse_qsl

from fastapi import Request

from agent.users.roles import ROLES
from dashboards.headers import same_origin
from dashboards.rights import RIGHTS, deeds_of
from dashboards.visitor import visitor

LONGEST_FORM = 65_536
"""Bytes."""

PASSED_ON = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})
"""Headers by which a proxy says that it is one."""


class RefusedError(Exception):
    """A change that is not made; the message says why, for the person who wanted it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class UnknownDeedError(Exception):
    """A form asks for what nobody can do."""


async def allowed_form(request: Request, origins: Collection[str], group: str) -> Mapping[str, str]:
    """The fields of a form, where its sender may do what it asks for.

    Raises:
        UnknownDeedError: there is no such deed.
        RefusedError: it comes from elsewhere, may not be done by them, or is no form.
    """
    refuse_strangers(request, origins)
    form = await read_form(request)
    refuse_forged(form.get("csrf", ""))
    deed = form.get("deed", "")
    if f"{group}.{deed}" not in RIGHTS:
        raise UnknownDeedError(f"{deed[:40]!r} should be one of {', '.join(deeds_of(group))}")
    refuse_unauthorized(f"{group}.{deed}")
    return form


def refuse_strangers(request: Request, origins: Collection[str]) -> None:
    """Refuse what another site has a browser send; and while nobody logs in, other computers.

    Raises:
        RefusedError: it says why.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    ours = same_origin(origin, host) or origin in origins
    if not ours or fetched not in ("same-origin", "none"):
        raise RefusedError(403, "This form was not sent by a page of Sprue's.")
    if visitor().way != "local":
        return
    # Nobody logs in, so whoever sits at this computer may write, and nobody else. What a
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


def refuse_forged(csrf: str) -> None:
    """Refuse what no page of ours sent for this browser.

    Raises:
        RefusedError: its token is another one's, or none.
    """
    wanted = visitor().csrf
    if not hmac.compare_digest(csrf.encode("utf-8", "replace"), wanted.encode()) and wanted:
        raise RefusedError(
            403, "This form is of an earlier log-in, or of another page. Load the page anew."
        )


def refuse_unauthorized(right: str) -> None:
    """Refuse whom the table of rights does not name.

    Raises:
        RefusedError: it says which roles may.
    """
    who = visitor()
    if who.may(right):
        return
    roles = ", ".join(role for role in ROLES if role in RIGHTS[right])
    what = right.replace(".", ": ").replace("_", " ")
    name = who.name or "This visitor"
    raise RefusedError(403, f"{name} may not do this ({what}); it takes one of: {roles}.")


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form.

    Raises:
        RefusedError: it is too long, or none.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            raise RefusedError(413, f"The form is longer than {LONGEST_FORM} bytes.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise RefusedError(400, "The form can't be read.") from error
