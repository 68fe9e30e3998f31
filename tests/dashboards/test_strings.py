"""Every string is in the catalogue, and every one of them is used."""

import re
from importlib.resources import files

from dashboards.catalogue import catalogue
from dashboards.overview import STATES

ENGLISH = catalogue("en")
SOURCES = [
    entry.read_text(encoding="utf-8")
    for folder in (
        files("dashboards"),
        *(files("dashboards") / sub for sub in ("assets", "templates")),
    )
    for entry in folder.iterdir()
    if entry.name.endswith((".py", ".js", ".html"))
]


def mentioned(key: str) -> bool:
    """Whether a page or module names the key, or puts it together from its first word."""
    stem = re.sub(r"_(one|other)$", "", key)
    group = key.partition(".")[0]
    return any(
        any(f"{quote}{stem}{quote}" in source for quote in "\"'")
        or re.search(rf'["`\']{group}\.(\$\{{|{{|" ~)', source)
        or re.search(rf'["`]{re.escape(stem.rpartition("_")[0])}_([{{$]|" ~)', source)
        for source in SOURCES
    )


def test_every_string_is_used() -> None:
    assert [key for key in ENGLISH if not mentioned(key)] == []


def test_every_string_that_is_named_is_there() -> None:
    named = {
        key
        for source in SOURCES
        for key in re.findall(r'\b(?:say|t)\("([a-z_]+\.[a-z_0-9]+)"(?! ~)', source)
    }
    counted = {
        f"{key}_{form}"
        for source in SOURCES
        for key in re.findall(r'\bcount\("([a-z_]+\.[a-z_]+)"', source)
        for form in ("one", "other")
    }

    assert (named | counted) - set(ENGLISH) == set()
    assert len(named) > 30


def test_every_state_has_its_words() -> None:
    assert all(f"{group}.{state}" in ENGLISH for state in STATES for group in ("state", "count"))


def test_no_string_fills_in_what_nobody_gives() -> None:
    assert all(re.fullmatch(r"([^{}]|\{[a-z_]+\})*", text) for text in ENGLISH.values())
