"""What makes a manifest prove more than a file's hash: its own seal, and a digest of every line.

A line's digest is short: it says where a file differs, after its SHA-256 has said that it does.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SHORT = 4
"""Bytes of a line's digest."""
BY_LINES = ("csv", "jsonl", "dfq")
"""Formats whose rows are lines, or begin with one."""

SEAL = re.compile(rb',\n "seal": "([0-9a-f]{64})"\n\}\n\Z')


def sealed(text: str) -> str:
    """A JSON object's text, whose last key is the SHA-256 of the text without it."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return text.removesuffix("\n}\n") + f',\n "seal": "{digest}"\n}}\n'


def is_unbroken(data: bytes) -> bool:
    """Whether a sealed text is as it was sealed."""
    found = SEAL.search(data)
    if found is None:
        return False
    return hashlib.sha256(data[: found.start()] + b"\n}\n").hexdigest() == found[1].decode()


def digests_of(path: Path) -> str:
    """Of every line of a file, one after the other."""
    with path.open("rb") as file:
        return base64.b64encode(b"".join(map(_digest, file))).decode()


def first_difference(path: Path, kept: str) -> str:
    """Where a file of lines differs from what it was, in words; empty where it does not.

    Args:
        path: The file.
        kept: What `digests_of` said when it was written.
    """
    data = base64.b64decode(kept)
    expected = [data[n : n + SHORT] for n in range(0, len(data), SHORT)]
    n = -1
    with path.open("rb") as file:
        for n, (line, following) in enumerate(_around(file)):
            if words := _difference(n, line, following, expected):
                return words
    if n + 1 < len(expected):
        return f"line {n + 2} and what comes after it were removed"
    return ""


def _difference(n: int, line: bytes, following: bytes | None, expected: Sequence[bytes]) -> str:
    digest = _digest(line)
    if n >= len(expected):
        return f"line {n + 1} was added: {_shown(line)}"
    if digest == expected[n]:
        return ""
    is_next = following is not None and _digest(following) == expected[n]
    if n + 1 < len(expected) and digest == expected[n + 1]:
        if is_next:
            return f"lines {n + 1} and {n + 2} were swapped: {_shown(line)}"
        return f"line {n + 1} was removed; now there is {_shown(line)}"
    if is_next:
        return f"line {n + 1} was added: {_shown(line)}"
    if digest in expected:
        return f"line {n + 1} was line {expected.index(digest) + 1}: {_shown(line)}"
    return f"line {n + 1} is not as it was written: {_shown(line)}"


def _around(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    """Every line, with the one after it."""
    before: bytes | None = None
    for line in lines:
        if before is not None:
            yield before, line
        before = line
    if before is not None:
        yield before, None


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=SHORT).digest()


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    plain = "".join(each if each.isprintable() else " " for each in text)
    return plain if len(plain) <= 100 else f"{plain[:100]}..."
