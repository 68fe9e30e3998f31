"""Curves lie in files of their own; what their cycles say of them shows whoever changes them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.batch import Batch, MachineRow
from agent.record import open_record
from agent.verifying import verify
from tests.agent.makers import at, cycle, ledger
from tests.agent.test_record import curve

SIGNALS = ("injection_pressure_bar", "screw_position_mm")
MONTH_S = 20 * 24 * 3600
"""From the start of the makers' time well into the next month, twice over."""


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """Cycles of two months, with two curves each, and one without."""
    url, book = f"sqlite:///{tmp_path}/plant.db", ledger()
    async with open_record(url, [MachineRow(name="IMM-01", driver="modbus")]) as record:
        for n in range(1, 9):
            seconds = 20 * n + (n > 4) * 2 * MONTH_S
            curves = {name: curve(at(seconds - 15)) for name in SIGNALS}
            made = cycle(n, seconds, curves=curves if n != 3 else {})
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(made)]))
        await done
    return url


def months(tmp_path: Path) -> list[Path]:
    return sorted(tmp_path.glob("*.curves.db"))


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(statement).rowcount > 0
        database.commit()


def words(url: str) -> list[str]:
    return [each.words for each in verify(url).differences]


def test_curves_as_they_were_written_are_right(url: str, tmp_path: Path) -> None:
    assert len(months(tmp_path)) == 2
    assert words(url) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE curve SET data = zeroblob(length(data)) WHERE counter = 2 AND signal LIKE 'inj%'",
        "UPDATE curve SET started_ns = started_ns + 1 WHERE counter = 2",
        "DELETE FROM curve WHERE counter = 2 AND signal = 'screw_position_mm'",
        "UPDATE curve SET signal = 'melt_pressure_bar' WHERE counter = 2 AND signal LIKE 'inj%'",
    ],
)
def test_a_curve_that_was_changed_is_named_with_its_shot(
    url: str, tmp_path: Path, statement: str
) -> None:
    change(months(tmp_path)[0], statement)

    assert words(url) == ["curves: IMM-01, counter 2 are not as they were written"]


def test_curves_that_were_swapped_between_shots_are_named(url: str, tmp_path: Path) -> None:
    month = months(tmp_path)[1]
    change(month, "UPDATE curve SET counter = -counter WHERE counter IN (6, 7)")
    change(month, "UPDATE curve SET counter = 13 + counter WHERE counter IN (-6, -7)")

    assert [each[:26] for each in words(url)] == [
        "curves: IMM-01, counter 6 ", "curves: IMM-01, counter 7 ",
    ]  # fmt: skip


def test_curves_that_were_removed_are_missing(url: str, tmp_path: Path) -> None:
    change(months(tmp_path)[1], "DELETE FROM curve WHERE counter = 5")

    assert words(url) == ["curves: IMM-01, counter 5 are missing: they were removed"]


def test_a_months_file_that_is_gone_or_damaged_is_named(url: str, tmp_path: Path) -> None:
    first, second = months(tmp_path)
    first.unlink()
    second.write_bytes(b"SQLite format 3\0" + bytes(8192))

    gone, damaged = words(url)

    assert gone == f"curves: {first.name} is missing, with the curves of 3 cycles"
    assert damaged.startswith(f"curves: {second.name} can't be read: ")


def test_what_a_cycle_says_of_its_curves_is_in_the_chain_itself(url: str, tmp_path: Path) -> None:
    change(months(tmp_path)[0], "DELETE FROM curve WHERE counter = 2")
    change(tmp_path / "plant.db", "UPDATE cycle SET curves = NULL WHERE counter = 2")

    (told,) = words(url)

    assert told.startswith("cycle: row 2, IMM-01, counter 2")


def test_a_curve_without_a_cycle_is_nobodys(url: str, tmp_path: Path) -> None:
    change(
        months(tmp_path)[0],
        "INSERT INTO curve SELECT machine, segment, 99, signal, samples, started_ns, data "
        "FROM curve WHERE counter = 2",
    )

    assert words(url) == []


async def test_a_curve_left_by_a_kill_is_written_over_by_its_shots_own(
    url: str, tmp_path: Path
) -> None:
    change(
        months(tmp_path)[1],
        "INSERT INTO curve SELECT machine, segment, 9, signal, samples, started_ns, data "
        "FROM curve WHERE counter = 8",
    )
    async with open_record(url) as record:
        book = ledger(standing=record.before["IMM-01"].standing)
        seconds = 180 + 2 * MONTH_S
        curves = {name: curve(at(seconds - 9), 0.5) for name in SIGNALS}
        made = cycle(9, seconds, curves=curves)
        await (await record.keep(Batch(machine="IMM-01", entries=[book.take(made)])))

    assert words(url) == []
