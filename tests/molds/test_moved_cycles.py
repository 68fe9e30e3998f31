"""Cycles are listed under the mold that they count on; the status names the mold people say."""

import json
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from agent.__main__ import main
from agent.audit import change
from agent.batch import Batch
from agent.history import Filter, open_history
from agent.ledger import Ledger, Standing
from agent.molds.desk import Desk
from agent.molds.shelf import mounted, read_shelf, read_words
from agent.record import open_record
from agent.recordpast import record_past
from agent.rows import to_ns
from agent.schema import mount
from agent.watchwords import read_words as read_watch_words
from tests.agent.makers import at, cycle, ledger, sighting
from tests.molds.test_molds import MACHINES, MOLDS, author, counted

On = tuple[str | None, str | None]


def counters(
    url: str, mold: str, since: datetime | None = None, until: datetime | None = None
) -> list[int]:
    """Counters of the cycles that are found under a mold; as many as are said to be there."""
    wanted = Filter(mold=mold, since=since, until=until)
    with open_history(url) as history:
        found = [booked.cycle.counter for booked in history.cycles(wanted)]
        assert history.count(wanted) == len(found)
        newest = [booked.cycle.counter for booked in history.cycles(wanted, newest=3)]
    assert newest == found[-3:]
    return found


def owners(url: str, *, as_booked: bool = False) -> dict[int, On]:
    with open_history(url) as history:
        return {
            booked.cycle.counter: (booked.mold, booked.revision)
            for booked in history.cycles(Filter(), as_booked=as_booked)
        }


async def test_cycles_are_found_under_the_mold_that_they_count_on_now(tmp_path: Path) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        entry = Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))
    assert counters(url, "A-1") == [*range(1, 11)]
    assert counters(url, "B-2") == [*range(11, 21)]
    assert counters(url, "B-2", since=at(300), until=at(340)) == [15, 16]
    assert set(owners(url, as_booked=True).values()) == {("A-1", "A")}, "rows stay as they were"

    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", None, since=at(305))
    assert (counters(url, "A-1"), counters(url, "B-2")) == ([*range(1, 11)], [*range(11, 16)])
    assert {on for n, on in owners(url).items() if n > 15} == {(None, None)}, "on no mold at all"

    with change(url) as connection:
        Desk(connection, author()).withdraw(entry, "wrong press")
    assert (counters(url, "A-1"), counters(url, "B-2")) == ([*range(1, 16)], [])


async def test_cycles_since_a_re_cut_entered_late_are_its_revisions(tmp_path: Path) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        Desk(connection, author()).revise("A-1", since=at(305), reason="gate re-cut")

    found = owners(url)

    assert {n for n, on in found.items() if on == ("A-1", "B")} == {16, 17, 18, 19, 20}
    assert {n for n, on in found.items() if on == ("A-1", "A")} == {*range(1, 16)}


async def test_a_cycle_that_came_late_is_where_its_closing_was_moved_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        for item in (cycle(1, 20), cycle(2, 40), sighting(12, 240)):
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(item)]))
        await done
    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", "B-2", since=at(140))
    async with open_record(url, MACHINES, MOLDS) as record:
        for item in (cycle(4, 80), cycle(11, 220)):  # delivered after the outage
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(item)]))
        await done

    assert (counters(url, "A-1"), counters(url, "B-2")) == ([1, 2, 4], [11])


async def test_commands_and_files_name_the_mold_that_cycles_count_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = await counted(tmp_path)
    where = ["--record", url]
    said = ["molds", "mount", "IMM-01", "B-2", "--since", at(210).isoformat(), *where]
    assert main(said) == 0
    capsys.readouterr()

    assert main(["cycles", "--mold", "B-2", "--format", "json", *where]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["counter"], line["mold"]) for line in lines] == [
        (n, "B-2") for n in range(11, 21)
    ]
    out = ["--out", str(tmp_path / "files")]
    assert main(["export", "--mold", "A-1", *out, *where]) == 0
    (path,) = (tmp_path / "files").glob("*.csv")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 10


async def test_the_past_is_replayed_as_the_agent_saw_it(tmp_path: Path) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))
        words = read_watch_words(connection)
    with open_history(url) as history:
        past = list(record_past(history, words))

    assert {getattr(each, "mold", None) for each in past} == {"A-1"}


def status_mold(url: str, capsys: pytest.CaptureFixture[str]) -> str | None:
    capsys.readouterr()
    assert main(["status", "--record", url, "--format", "json"]) == 0
    found: str | None = json.loads(capsys.readouterr().out.splitlines()[0])["mold"]
    return found


async def test_the_status_names_the_mold_that_a_person_mounted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = await counted(tmp_path)
    assert status_mold(url, capsys) == "A-1"
    with change(url) as connection:
        entry = Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))
    assert status_mold(url, capsys) == "B-2", "no agent had to take it in"

    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", None, since=at(300))
    assert status_mold(url, capsys) is None, "a person took it off"

    with change(url) as connection:
        Desk(connection, author()).withdraw(entry + 1, "it is still on")
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        book.standing = record.before["IMM-01"].standing
        done = await record.keep(
            Batch(machine="IMM-01", entries=[book.take(cycle(21, 420, mold="C-3"))])
        )
        await done
    assert status_mold(url, capsys) == "C-3", "the machine names another than before"


async def test_a_mount_entered_late_holds_over_a_re_cut_that_came_before_the_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    revision = {"A-1": "A"}
    book = Ledger("IMM-01", Standing(), lambda mold: revision[mold], None)
    async with open_record(url, MACHINES, MOLDS) as record:
        for n in range(1, 13):
            revision["A-1"] = "A" if n < 5 else "B"
            entries = [book.take(cycle(n, 20 * n))]
            done = await record.keep(Batch(machine="IMM-01", entries=entries))
        await done
    with open_history(url) as history, history.connect() as connection:
        rows = connection.execute(select(mount.c.revision, mount.c.source)).all()
    assert [tuple(row) for row in rows] == [("A", "machine"), ("B", "machine")]

    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", "B-2", since=at(30))
        assert mounted(read_shelf(connection).words)["IMM-01"].mold == "B-2"
    assert (counters(url, "A-1"), counters(url, "B-2")) == ([1], [*range(2, 13)])
    assert status_mold(url, capsys) == "B-2"


async def test_the_newest_words_say_what_all_words_say(tmp_path: Path) -> None:
    url = await counted(tmp_path, 1)
    chance, ended = Random(5), 0
    for _ in range(150):
        with change(url) as connection:
            connection.execute(mount.delete())
            times = sorted(chance.sample(range(100), chance.randint(1, 6)))
            for n, second in enumerate(times):  # a mold twice in a row was re-cut
                until = to_ns(at(times[n + 1])) if n + 1 < len(times) else None
                connection.execute(
                    mount.insert().values(
                        machine_id=1, mold_id=chance.choice((1, 2)), revision="A",
                        since_ns=to_ns(at(second)), until_ns=until, source="machine",
                    )
                )  # fmt: skip
            desk = Desk(connection, author())
            for _ in range(chance.randint(0, 3)):
                mold = chance.choice(("A-1", "B-2", None))
                desk.mount("IMM-01", mold, since=at(chance.randint(0, 100)))
            everything = mounted(read_words(connection))["IMM-01"]
            newest = mounted(read_words(connection, newest=True))["IMM-01"]
            ended += everything.source == "machine"
            connection.rollback()
        assert (newest.mold, newest.source) == (everything.mold, everything.source)
    assert 30 < ended < 120
