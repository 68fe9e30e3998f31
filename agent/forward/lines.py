"""Line protocol: points turned into bytes that every server reads the same way.

Where servers differ, the sink's settings say what it can store; what it can't is left out by rule.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from agent.forward.measurements import ABSENT, Measurement, Type

Datum = float | int | bool | str | None

CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point, before it is text."""

    measurement: Measurement
    tags: Mapping[str, str | None]
    fields: Mapping[str, Datum]
    """Of the measurement's own fields; None and what is not finite is left out."""
    more: Mapping[str, float | int | str] = field(default_factory=dict)
    """Of fields whose names are not ours; each name always with the same type."""
    time_ns: int


class Lines:
    """Makes the lines of one sink.

    Args:
        tags: Set on every point.
        texts: False where a sink stores numbers only: words become tags there, and texts are left
            out.
    """

    def __init__(self, tags: Mapping[str, str], *, texts: bool) -> None:
        self._own = "".join(f",{name(key)}={tag(value)}" for key, value in sorted(tags.items()))
        self._texts = texts

    def line(self, point: Point) -> bytes | None:
        """One line without its end; None where nothing of the point can be stored."""
        tags = dict(point.tags)
        fields: list[str] = []
        for each in point.measurement.fields:
            value = point.fields.get(each.name)
            if each.type == "word" and not self._texts:
                tags[each.name] = str(value) if value is not None else None
            elif (text := self._value(each.type, value)) is not None:
                fields.append(f"{each.name}={text}")
        for key, more in point.more.items():
            kind: Type = (
                "text" if isinstance(more, str) else "integer" if isinstance(more, int) else "float"
            )
            if (text := self._value(kind, more)) is not None:
                fields.append(f"{name(key)}={text}")
        if not fields:
            return None
        head = point.measurement.name + self._own
        head += "".join(f",{key}={tag(value)}" for key, value in tags.items())
        return f"{head} {','.join(fields)} {point.time_ns}".encode()

    def _value(self, kind: Type, value: Datum) -> str | None:
        if value is None:
            return None
        if kind in ("text", "word"):
            return quoted(str(value)) if self._texts else None
        if kind == "boolean":
            return "true" if value else "false"
        if isinstance(value, str):
            return None
        if kind == "integer":
            return f"{int(value)}i" if abs(value) < 2**63 else None
        number = float(value)
        return repr(number) if math.isfinite(number) else None


@lru_cache(maxsize=20_000)
def tag(value: str | None) -> str:
    r"""A tag's value; what no server reads back as it was sent is replaced.

    A backslash would escape what follows it, or the line itself at its end; servers disagree on it.

    >>> tag("Halle 2, links"), tag("C:\\"), tag(None), tag("a=b\n")
    ('Halle\\ 2\\,\\ links', 'C:/', 'none', 'a\\=b')
    """
    text = CONTROL.sub(" ", value or "").replace("\\", "/").strip() or ABSENT
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


@lru_cache(maxsize=20_000)
def name(key: str) -> str:
    """A field's or tag's name, escaped like a tag's value."""
    return tag(key)


def quoted(text: str) -> str:
    r"""A text as a field.

    >>> quoted('say "5\\6"')
    '"say \\"5\\\\6\\""'
    """
    plain = CONTROL.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def joined(lines: Iterator[bytes | None]) -> bytes:
    """Lines as one body, each with its end."""
    return b"".join(line + b"\n" for line in lines if line is not None)
