"""What no machine says of its shots is entered, corrected and found again."""

import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.audit import Author, change
from agent.batch import Batch, MachineRow, MoldRow
from agent.context.book import Book, read_entries
from agent.context.choosing import resolved
from agent.context.entry import Said
from agent.context.error import ContextError
from agent.context.inforce import in_force
from agent.export.page import Page
from agent.history import Filter, open_history
from agent.record import open_record
from agent.verifying import verify
from tests.agent.makers import at, cycle, ledger

ADA = Author(who="Ada", at=at(0))


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """Twenty shots of one mold on one press, of which the counter was set back after the tenth."""
    url = f"sqlite:///{tmp_path}/plant.db"
    book = ledger()
    machines = [MachineRow(name="IMM-01", driver="modbus")]
    async with open_record(url, machines, [MoldRow(name="A-1", fields={})]) as record:
        for n in range(1, 21):
            made = cycle(n if n <= 10 else n - 10, 20 * n)
            kept = await record.keep(Batch(machine="IMM-01", entries=[book.take(made)]))
        await kept
    return url


def enter(url: str, kind: str, label: str, **more: object) -> int:
    corrects = more.pop("corrects", None)
    with change(url) as connection:
        said = Said(kind=kind, label=label, **more)  # type: ignore[arg-type]
        return Book(connection, ADA).enter(said, corrects=corrects).number  # type: ignore[arg-type]


def chosen(url: str, **words: str) -> list[tuple[int, int]]:
    with open_history(url) as history:
        with history.connect() as connection:
            wanted = resolved(connection, Filter(**words))  # type: ignore[arg-type]
        return [(each.segment, each.cycle.counter) for each in history.cycles(wanted)]


def held(url: str, kind: str) -> list[str]:
    """By shot, the labels that hold."""
    with open_history(url) as history, history.connect() as connection:
        known = in_force(connection, {"IMM-01"})
        page = Page(next(history.pages(Filter(), up_to=100)))
    labels: list[list[str]] = [[] for _ in page.rows]
    for stretch, rows in known.held(page, kind):
        for n in rows:
            labels[n].append(stretch.entry.label)
    return ["+".join(each) for each in labels]


def test_a_lot_holds_until_the_next_by_shot_or_time(url: str) -> None:
    enter(url, "lot", "L1", machine="IMM-01", first=3, segment=1)
    enter(url, "lot", "L2", machine="IMM-01", since=at(290))
    enter(url, "lot", "MB", machine="IMM-01", first=1, last=2, segment=2)

    assert held(url, "lot") == [""] * 2 + ["L1"] * 8 + ["L1+MB"] * 2 + ["L1"] * 2 + ["L2"] * 6
    assert chosen(url, lot="L2") == [(2, n) for n in range(5, 11)]
    assert chosen(url, lot="MB") == [(2, 1), (2, 2)]


def test_a_box_is_of_the_newest_segment_that_has_its_shots(url: str) -> None:
    enter(url, "box", "B-7", machine="IMM-01", first=2, last=4, details={"cavities": "2, 1"})
    enter(url, "box", "B-7", machine="IMM-01", first=9, last=10, segment=1)

    assert chosen(url, box="B-7") == [(1, 9), (1, 10), (2, 2), (2, 3), (2, 4)]
    with open_history(url) as history, history.connect() as connection:
        assert read_entries(connection, label="B-7")[0].details == {"cavities": "1,2"}


def test_a_part_is_of_one_shot(url: str) -> None:
    enter(url, "id", "SN 1", machine="IMM-01", first=7, details={"cavity": "2"})

    assert chosen(url, part_id="SN 1") == [(2, 7)]
    assert held(url, "id") == [""] * 16 + ["SN 1"] + [""] * 3


def test_what_is_of_a_mold_holds_for_its_revision_from_its_time_on(url: str) -> None:
    enter(url, "sheet", "S-3", mold="A-1", since=at(100))
    enter(url, "sheet", "S-4", mold="A-1", since=at(200))
    enter(url, "part", "4711", mold="A-1", revision="B", since=at(0))

    assert held(url, "sheet") == [""] * 4 + ["S-3"] * 5 + ["S-4"] * 11
    assert held(url, "part") == [""] * 20


def test_a_correction_is_another_entry_and_both_stay(url: str) -> None:
    wrong = enter(url, "lot", "L1", machine="IMM-01", since=at(0))
    right = enter(url, "lot", "L9", machine="IMM-01", since=at(0), corrects=wrong)

    assert set(held(url, "lot")) == {"L9"}
    with pytest.raises(ContextError, match=f"corrected already, by entry {right}"):
        enter(url, "lot", "L8", machine="IMM-01", since=at(0), corrects=wrong)
    with change(url) as connection:
        Book(connection, ADA).withdraw(right, "another machine's")
    assert set(held(url, "lot")) == {""}
    with open_history(url) as history, history.connect() as connection:
        entries = read_entries(connection, every=True)
        assert [(each.corrects, each.withdrawn) for each in entries] == [
            (None, False), (wrong, False), (right, True),
        ]  # fmt: skip
    assert not verify(url).differences


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"kind": "crate", "label": "x"}, "should be one of lot"),
        ({"kind": "lot", "label": "x"}, "say of which machine"),
        ({"kind": "lot", "label": " ", "machine": "IMM-01"}, "say the lot of the resin"),
        ({"kind": "lot", "label": "a\x1b", "machine": "IMM-01"}, "can't be printed"),
        ({"kind": "lot", "label": "x", "machine": "IMM-77"}, "knows no machine 'IMM-77'"),
        ({"kind": "box", "label": "x", "machine": "IMM-01"}, "first and last shot"),
        ({"kind": "box", "label": "x", "machine": "IMM-01", "first": 3}, "say its last shot"),
        ({"kind": "id", "label": "x", "machine": "IMM-01", "first": 3, "last": 4}, "one shot"),
        ({"kind": "part", "label": "x", "mold": "Z"}, "knows no mold 'Z'"),
        ({"kind": "part", "label": "x", "mold": "A-1", "machine": "IMM-01"}, "whichever machine"),
        ({"kind": "cavities", "label": "1;x", "machine": "IMM-01"}, "numbers of cavities"),
        ({"kind": "lot", "label": "x", "machine": "IMM-01", "details": {"hue": "red"}}, "'hue'"),
    ],
)
def test_what_lacks_something_is_refused(url: str, said: dict[str, object], words: str) -> None:
    with pytest.raises(ContextError, match=words):
        enter(url, **said)  # type: ignore[arg-type]


def test_a_list_is_taken_in_whole_or_not_at_all(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text(
        "Kind;Label;Machine;First;Last;Since;Resin\r\n"
        "box;B-1;IMM-01;1;5;;\r\n"
        "lot;L-5;IMM-01;;;2026-03-02T06:01:00Z;PC/ABS\r\n",
        encoding="cp1252",
    )
    argv = ["context", "import", str(file), "--record", url, "--who", "Ada"]

    assert main([*argv, "--dry-run"]) == 0
    assert "2 entries would be made; nothing was written" in capsys.readouterr().out
    assert main(["context", "--record", url, "--format", "json"]) == 0
    assert capsys.readouterr().out == ""

    assert main(argv) == 0
    capsys.readouterr()
    assert main(["context", "--record", url, "--format", "json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["label"], each["who"]) for each in lines] == [("B-1", "Ada"), ("L-5", "Ada")]
    assert lines[1]["details"] == {"resin": "PC/ABS"}

    file.write_text("kind,label,machine,first,last\nbox,B-2,IMM-01,1,5\nbox,B-3,IMM-01,9,5\n")
    assert main(argv) == 1
    told = capsys.readouterr().err
    assert "line 3: box B-3: shot 5 comes before shot 9" in told
    assert "nothing was imported" in told
    assert main(["export", "--record", url, "--box", "B-2"]) == 1
    assert "no box 'B-2' was entered" in capsys.readouterr().err


def test_cycles_are_listed_by_box(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["context", "add", "box", "B-1", "--machine", "IMM-01", "--shots", "4-6"]
    assert main([*argv, "--segment", "1", "--with", "count=6", "--record", url]) == 0
    capsys.readouterr()

    assert main(["cycles", "--box", "B-1", "--record", url, "--format", "json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["segment"], each["counter"]) for each in lines] == [(1, 4), (1, 5), (1, 6)]


async def test_what_was_not_seen_of_a_box_is_told_by_its_stretches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    book = ledger()
    async with open_record(url, [MachineRow(name="IMM-01", driver="modbus")]) as record:
        for n in (*range(1, 8), *range(10, 21)):
            made = cycle(n, 20 * n, values={"cycle_time_s": 20.0})
            kept = await record.keep(Batch(machine="IMM-01", entries=[book.take(made)]))
        await kept
    enter(url, "box", "B-1", machine="IMM-01", first=5, last=12)
    enter(url, "box", "B-1", machine="IMM-01", since=at(360), until=at(400))
    argv = ["export", "--record", url, "--box", "B-1", "--out", str(tmp_path)]

    assert main(argv) == 0
    captured = capsys.readouterr()
    first, second, together = captured.err.splitlines()
    assert "6 cycles recorded (6 shots), 2 shots not observed, blind" in first
    assert "2 cycles recorded (2 shots), 0 shots not observed, blind" in second
    assert "8 cycles recorded (8 shots), 2 shots not observed, blind" in together
    assert captured.out.strip().endswith("sprue-box-B-1.csv")
