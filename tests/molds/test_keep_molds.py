"""The how-to on molds does what it says: every command of it, in order, on one record."""

import argparse
import asyncio
import re
import shlex
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.batch import Batch
from agent.config import load
from agent.ledger import Ledger, Standing
from agent.molds.commands import add
from agent.record import open_record
from tests.agent.makers import cycle

PAGE = Path(__file__).parents[2] / "docs/how-to/keep-molds.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
COMMANDS = [
    shlex.split(line)[1:] for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()
]


async def count(shots: int) -> None:
    """What the press does while `sprue run` runs: a shot every 20 s, through ledger and record."""
    loaded = load(Path("sprue.toml"))
    book = Ledger("IMM-07", Standing(), lambda mold: "A", None)
    async with open_record(loaded.record_url, loaded.machine_rows, loaded.mold_rows) as record:
        for n in range(1, shots + 1):
            entry = book.take(cycle(n, 20 * n, machine="IMM-07", mold="A-2101"))
            done = await record.keep(Batch(machine="IMM-07", entries=[entry]))
        await done


def tidy(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_the_page_prints_what_its_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    compared = 0
    for kind, text in BLOCKS:
        if kind == "toml":
            Path("sprue.toml").write_text(text, encoding="utf-8")
        elif kind == "csv":
            Path("molds.csv").write_text(text, encoding="cp1252")
        elif kind == "sh":
            capsys.readouterr()
            for line in text.splitlines():
                command = shlex.split(line)[1:]
                if command[0] == "run":
                    asyncio.run(count(20))
                else:
                    assert main(command) == 0, line
            printed = capsys.readouterr().out
        else:
            assert tidy(printed) == tidy(text), "after the commands above it"
            compared += 1
    assert compared > 5


def test_the_page_shows_every_action() -> None:
    molds = argparse.ArgumentParser()
    add(molds)
    (actions,) = (a for a in molds._actions if a.choices)
    assert actions.choices is not None

    assert {command[1] for command in COMMANDS if command[0] == "molds"} == {*actions.choices}
