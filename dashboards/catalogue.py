"""The words of the pages: one file a language, one key a sentence."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from dashboards.figures import number

COMPLETE = "en"
"""The language that has every string."""


class Catalogue(Mapping[str, str]):
    """All strings of one language by dotted key: `tile.no_mold`.

    >>> english = catalogue("en")
    >>> english.say("tile.job", job="48193"), english.count("tile.shots_left", 1)
    ('Job 48193', 'shot left')
    """

    def __init__(self, language: str, strings: Mapping[str, str]) -> None:
        self.language = language
        self._strings = strings

    def __getitem__(self, key: str) -> str:
        return self._strings[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)

    def __len__(self) -> int:
        return len(self._strings)

    def say(self, key: str, **values: object) -> str:
        """The string with its {braces} filled in.

        Raises:
            KeyError: no such string, or a brace without a value.
        """
        return self._strings[key].format_map(values)

    def count(self, key: str, n: int, **values: object) -> str:
        """The string that fits a number: `key_one` or `key_other`; {n} is the number."""
        form = "one" if abs(n) == 1 else "other"
        return self.say(f"{key}_{form}", n=number(n), **values)


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of one language; what it lacks is said in English.

    Raises:
        FileNotFoundError: there is none.
    """
    own = strings_of(language)
    return Catalogue(language, own if language == COMPLETE else strings_of(COMPLETE) | own)


def strings_of(language: str) -> dict[str, str]:
    """What stands in the file of one language.

    Raises:
        FileNotFoundError: there is none.
    """
    text = (files("dashboards") / "strings" / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text)))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
