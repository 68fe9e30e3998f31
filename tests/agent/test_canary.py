"""What a machine is known by is compared before anything of it counts."""

from pathlib import Path

import pytest

from agent.canary import Canary
from drivers import MistakenError, RefusedError

ENGEL = {"manufacturer": "Engel", "model": "E 120", "serial": "4711"}


def test_a_machine_that_was_never_seen_is_let_in_and_remembered(tmp_path: Path) -> None:
    Canary(tmp_path, "IMM-07").prove(ENGEL)
    Canary(tmp_path, "IMM-07").remember(ENGEL)

    later = Canary(tmp_path, "IMM-07")
    assert later.known() == ENGEL
    later.prove(ENGEL)


@pytest.mark.parametrize(
    ("shown", "why_not"),
    [
        (ENGEL, ""),
        (ENGEL | {"serial": "4712"}, "another machine answers"),
        (ENGEL | {"model": "E 200"}, "another machine answers"),
        ({"manufacturer": "Engel", "model": "E 120"}, "it does not show what it is known by"),
        ({"serial": "4711"}, ""),
        ({}, "it does not show what it is known by"),
    ],
)
def test_it_is_the_same_by_what_it_shows(
    shown: dict[str, str], why_not: str, tmp_path: Path
) -> None:
    canary = Canary(tmp_path, "IMM-07")
    canary.remember(ENGEL)

    if not why_not:
        canary.prove(shown)
        return
    words = f"{why_not}: .*; before it was .*serial '4711'.*sprue trust"
    with pytest.raises(MistakenError, match=words):
        canary.prove(shown)


def test_who_says_nothing_can_prove_nothing_and_is_let_in(tmp_path: Path) -> None:
    canary = Canary(tmp_path, "IMM-07")
    canary.prove({})
    canary.remember({})

    assert not canary.file.exists()


def test_where_nothing_can_be_written_it_is_remembered_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("a file")
    canary = Canary(tmp_path / "pki", "IMM-07")
    canary.remember(ENGEL)

    with pytest.raises(MistakenError):
        canary.prove(ENGEL | {"serial": "4712"})


def test_a_name_that_moves_a_cursor_is_the_same_name_the_next_time(tmp_path: Path) -> None:
    canary = Canary(tmp_path, "Hall 3/IMM")
    strange = {"serial": '47"\x1b[2J11'}
    canary.remember(strange)

    assert canary.known() == {"serial": '47"?[2J11'}
    canary.prove(strange)


def test_a_file_of_another_machine_is_refused_by_name(tmp_path: Path) -> None:
    other, canary = Canary(tmp_path, "IMM-08"), Canary(tmp_path, "IMM-07")
    other.remember(ENGEL)
    other.file.rename(canary.file)
    with pytest.raises(RefusedError, match=r"IMM-07\.toml is of 'IMM-08'"):
        canary.prove(ENGEL)

    canary.file.write_text("identity = 3")
    with pytest.raises(RefusedError, match=r"IMM-07\.toml: .*missing"):
        canary.prove(ENGEL)
