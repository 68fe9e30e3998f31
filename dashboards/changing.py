"""A form that changes the record, answered: done and shown anew, or shown again with the reason."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from agent.audit import Author
from agent.files import RecordError
from dashboards.recordaccess import RecordAccess
from dashboards.refusing import RefusedError, UnknownDeedError
from dashboards.rendering import Renderer


async def answered(
    request: Request,
    draw: Renderer,
    access: RecordAccess,
    deed: Callable[[Connection, Author, Mapping[str, str]], None],
    *,
    group: str,
    refuses: type[Exception],
    again: Callable[[str, Mapping[str, str]], Awaitable[Response]],
    then: str,
) -> Response:
    """Do what a form asks for, and answer it.

    Args:
        request: The POST.
        draw: Draws the page that says why nothing was done.
        access: The record.
        deed: Changes it.
        group: Of `dashboards.rights`, whose deeds the form may ask for.
        refuses: What `deed` raises where it can't be done; its words are for the person.
        again: The page of the form, with these words and what was written in it.
        then: Where to go when it is done.
    """
    said: dict[str, str] = {}

    def heard(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
        said.update(form)
        deed(connection, author, form)

    try:
        await access.write(request, heard, group=group)
    except (refuses, UnknownDeedError) as error:
        return await again(str(error), said)
    except RefusedError as error:
        return draw.sorry(error.status, str(error))
    except RecordError as error:
        return draw.sorry(503, str(error))
    return RedirectResponse(then, 303)
