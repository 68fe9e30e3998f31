"""Every string is in the catalogue, and every one of them is used."""

import re
from importlib.resources import files

from dashboards.catalogue import catalogue, strings_of
from dashboards.overview import STATES
from dashboards.rendering import SCRIPTED
from drivers.signals import SIGNALS

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


LACKING = 0.05
"""Share of strings that a language may say in English, until somebody has found its words."""


def test_german_says_what_english_says_with_the_same_values() -> None:
    english, german = strings_of("en"), strings_of("de")

    assert [key for key in german if key not in english and not key.startswith("signal.")] == []
    assert len(set(english) - set(german)) <= LACKING * len(english), set(english) - set(german)
    for key in set(english) & set(german):
        braces = [sorted(re.findall(r"{\w+}", each[key])) for each in (english, german)]
        assert braces[0] == braces[1], key


def test_what_a_language_lacks_is_said_in_english() -> None:
    assert set(catalogue("de")) >= set(ENGLISH)


def test_the_signals_that_have_german_names_are_signals() -> None:
    bare = {re.sub(r"_(s|bar|mm|c|cm3|kn|nm|l_min)$", "", name) for name in SIGNALS}

    named = {key.partition(".")[2] for key in strings_of("de") if key.startswith("signal.")}
    assert named - bare == {"usual", "shots", "cycles", "provisional"}


def test_scripts_are_given_the_strings_that_they_say() -> None:
    folder = files("dashboards") / "assets"
    scripts = [each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".js")]
    groups = {key.partition(".")[0] for key in ENGLISH}

    said = {
        group
        for script in scripts
        for group in re.findall(r"[\"'`]([a-z_]+)\.[a-z_$]", script)
        if group in groups
    }
    assert said == SCRIPTED
