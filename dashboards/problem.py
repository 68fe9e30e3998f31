"""An error, for whoever asked: a page for people, problem+json (RFC 9457) for programs."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Scope

MEDIA_TYPE = "application/problem+json"


def problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as a program reads it."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def wants_page(scope: Scope) -> bool:
    """Whether a request comes from a person's browser, and not from a program."""
    accepted = Headers(scope=scope).get("accept", "")
    return not scope["path"].startswith(("/api/", "/metrics")) and "text/html" in accepted
