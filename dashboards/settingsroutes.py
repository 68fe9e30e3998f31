"""The address of settings, and what its forms do."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from agent.audit import Author
from agent.files import RecordError
from agent.users.error import UserError
from agent.users.people import add_person, checked, remove_person, set_password, set_role, set_taste
from agent.users.secret import digest
from agent.users.taste import Taste
from agent.users.tokens import add_token, revoke_token
from dashboards.changing import answered
from dashboards.recordaccess import RecordAccess, new_key
from dashboards.rendering import Renderer
from dashboards.settingspage import DAYS, SettingsPage, look_at_settings
from dashboards.visitor import visitor


def add(app: FastAPI, draw: Renderer, access: RecordAccess) -> None:
    """Add the routes to an application."""

    async def page(*, status: int = 200, complaint: str = "", secret: str = "") -> Response:
        try:
            found = await access.read(lambda connection, _now: look_at_settings(connection))
            head = await access.head()
        except RecordError as error:
            return draw.sorry(503, str(error))
        now = access.now()
        shown_page = SettingsPage(found, draw.plant.site, visitor(), now, draw.strings, draw.zone)
        return draw.page(
            "settings.html", now=now, status=status, page=shown_page, **head, complaint=complaint,
            secret=secret, key=new_key(),
        )  # fmt: skip

    async def again(words: str, _said: Mapping[str, str]) -> Response:
        return await page(status=409, complaint=words)

    @app.api_route("/settings", methods=["GET", "HEAD"])
    async def settings() -> Response:
        return await page()

    @app.post("/settings/own")
    async def own(request: Request) -> Response:
        return await answered(
            request, draw, access, _change_own,
            group="own", refuses=UserError, again=again, then="/settings",
        )  # fmt: skip

    @app.post("/settings/users")
    async def users(request: Request) -> Response:
        return await answered(
            request, draw, access, _change_users,
            group="user", refuses=UserError, again=again, then="/settings#users",
        )  # fmt: skip

    @app.post("/settings/tokens")
    async def tokens(request: Request) -> Response:
        made = ""

        def deed(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            nonlocal made
            made = _change_tokens(connection, author, form)

        answer = await answered(
            request, draw, access, deed,
            group="token", refuses=UserError, again=again, then="/settings#tokens",
        )  # fmt: skip
        # Shown in the answer itself, and so never again: it stands nowhere else.
        return await page(secret=made) if made else answer


def _change_own(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
    """What one form asks for.

    Raises:
        UserError: it can't be done; says why.
    """
    who = visitor()
    if who.way != "session" or who.wall:
        raise UserError("this is of a person who is logged in")
    match form.get("deed"):
        case "password":
            if checked(connection, who.name, form.get("old", "")) is None:
                raise UserError("the old password is not the right one")
            _same(form)
            stays = digest(who.session)
            set_password(connection, author, who.name, form.get("password", ""), stays=stays)
        case "taste":
            set_taste(connection, author, who.name, _taste(form))
        case other:
            raise UserError(f"{other!r} is done elsewhere")


def _taste(form: Mapping[str, str]) -> Taste:
    said = {key: value for key in Taste.model_fields if (value := form.get(key, "").strip())}
    try:
        return Taste.model_validate(said)
    except ValidationError as error:
        wrong = ", ".join(str(each["loc"][0]) for each in error.errors())
        raise UserError(f"{wrong}: there is no such choice") from error


def _change_users(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
    name = form.get("name", "")
    match form.get("deed"):
        case "add":
            _same(form)
            password = form.get("password", "")
            add_person(connection, author, name, form.get("role", ""), password)
        case "role":
            set_role(connection, author, name, form.get("role", ""))
        case "password":
            _same(form)
            set_password(connection, author, name, form.get("password", ""))
        case _:
            remove_person(connection, author, name)


def _change_tokens(connection: Connection, author: Author, form: Mapping[str, str]) -> str:
    name = form.get("name", "")
    if form.get("deed") == "revoke":
        revoke_token(connection, author, name)
        return ""
    days = form.get("days", "")
    if days not in map(str, DAYS):
        raise UserError(f"a token is good for one of {', '.join(map(str, DAYS))} days")
    until = author.at + timedelta(days=int(days))
    return add_token(connection, author, name, form.get("scope", ""), until)[1]


def _same(form: Mapping[str, str]) -> None:
    if form.get("password", "") != form.get("again", ""):
        raise UserError("the two passwords differ; nothing was changed")
