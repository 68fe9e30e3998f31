"""What commands print: tables for people on a terminal, one JSON object a line for programs."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

Format = Literal["table", "json"]


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """One object a line; times as ISO 8601 in UTC."""
    for row in rows:
        print(json.dumps(row, default=_plain, ensure_ascii=False, allow_nan=False))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()
) -> None:
    """A table as wide as the terminal, or as wide as it needs where nobody watches."""
    from rich.console import Console  # what prints no table waits for none
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape("" if cell is None else harmless(str(cell))) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=240)
    console.print(table)


_ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    """A text from outside, without what a terminal would obey, or would turn its line around.

    >>> harmless("A-2217\\x1b[2J")
    'A-2217�[2J'
    """
    return _ACTING.sub("�", text)


def complain(sentence: object) -> None:
    """Say to the person what is wrong."""
    print(f"sprue: {harmless(str(sentence))}", file=sys.stderr)


def ago(at: datetime | None, now: datetime) -> str:
    """An age as people say it: `3 s`, `12 min`, `5 h`, `2 d`; empty for never."""
    if at is None:
        return ""
    return span((now - at).total_seconds())


def span(seconds: float) -> str:
    """A length of time as people say it.

    >>> span(3.2), span(125), span(7300), span(200000)
    ('3 s', '2 min', '2 h', '2 d')
    """
    if seconds < 100:
        return f"{max(0, round(seconds))} s"
    if seconds < 6000:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} d"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    raise TypeError(f"no JSON for {type(value).__name__}")
