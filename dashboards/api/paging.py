"""Pages of lists that never skip or repeat a row: a cursor is the key of the last one."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Query
from fastapi.responses import Response

K = TypeVar("K", int, str)

USUAL, MOST = 100, 1000

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the part before.")]


class CursorError(Exception):
    """A cursor that we did not give."""


def cursor_of(key: int | str) -> str:
    """What a program sends back to go on after a row.

    >>> key_of(cursor_of(17), int), key_of(cursor_of("A-2217"), str), key_of(None, int)
    (17, 'A-2217', None)
    """
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(cursor: str | None, kind: type[K]) -> K | None:
    """The key in a cursor.

    Raises:
        CursorError: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        key = None
    if not isinstance(key, kind) or isinstance(key, bool):
        raise CursorError("cursor: this is not what `next` of an answer said")
    if isinstance(key, int) and abs(key) >= 2**63:
        raise CursorError("cursor: this is not what `next` of an answer said")
    return key


def page(
    items: Sequence[Mapping[str, Any]],
    keys: Sequence[int | str],
    limit: int,
    came: str | None,
) -> bytes:
    """One part of a list as JSON.

    Args:
        items: One more than `limit` where there are more.
        keys: Of each.
        limit: How many were asked for.
        came: The cursor that was asked with.
    """
    given = min(limit, len(items))
    last = cursor_of(keys[given - 1]) if given else came
    more = len(items) > limit
    return encoded({"items": items[:limit], "next": last if more else None, "last": last})


def encoded(body: Any) -> bytes:
    """JSON; times in UTC."""
    text = json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def answer(body: bytes, status: int = 200) -> Response:
    """JSON that was encoded already, off the event loop."""
    return Response(body, status, media_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    raise TypeError(f"no JSON for {type(value).__name__}")
