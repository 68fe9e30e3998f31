"""Which shot of its mold's life a row is: the ledger's own number, and its bounds."""

from collections.abc import Sequence
from pathlib import Path

from agent.audit import Author, change
from agent.batch import Batch, MachineRow, MoldRow
from agent.cycle import Cycle
from agent.export.survey import survey
from agent.export.table import table
from agent.history import Filter, open_history
from agent.molds.desk import Desk
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.record import open_record
from agent.sighting import Sighting
from tests.agent.makers import at, cycle, ledger, sighting

MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLDS = [
    MoldRow(name="A-1", fields={"planned_shots": 100, "cavities": 2}),
    MoldRow(name="B-2", fields={}),
]
ADA = Author(who="Ada", at=at(10_000))

RE_CUT = Filter(mold="A-1", revision="B")

Number = tuple[int, int | None, int | None, int | None]
"""Counter, number, least and most."""


async def kept(folder: Path, items: Sequence[Cycle | Sighting]) -> str:
    url, book = f"sqlite:///{folder}/plant.db", ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        for item in items:
            entry = book.take(item)
            done = await record.keep(Batch(machine="IMM-01", entries=[entry]))
        await done
    return url


def numbers(url: str, size: int = 3, wanted: Filter | None = None) -> list[Number]:
    """Every row's, read in pages of so many rows."""
    found: list[Number] = []
    with open_history(url) as opened, opened.held() as history:
        whole = table(history, survey(history, wanted or Filter(), ADA.at))
        for page in whole.pages(size):
            found += zip(page["counter"], *page.mold_shots, strict=True)
    return found


def life(url: str, mold: str, revision: str) -> tuple[int, int, int]:
    with open_history(url) as history, history.connect() as connection:
        took = sum_of(read_took(connection)[mold], frozenset({revision}))
    return took.shots, took.shots_min, took.shots_max


async def test_a_shot_has_its_number_in_the_mold_s_life(tmp_path: Path) -> None:
    url = await kept(tmp_path, [cycle(n, 20 * n) for n in (1, 2, 3, 6, 7, 8)])
    with change(url) as connection:
        desk = Desk(connection, ADA)
        desk.correct("A-1", 1000, "by the old book", kind="start")
        desk.correct("A-1", 7, "tried elsewhere")

    expected = [(n, 1000 + n, None, None) for n in (1, 2, 3, 6, 7, 8)]
    assert numbers(url) == expected, "what was corrected later does not change what was"
    assert life(url, "A-1", "A") == (1015, 1015, 1015)


async def test_a_correction_counts_from_the_first_shot_that_ended_after_it(tmp_path: Path) -> None:
    url = await kept(tmp_path, [cycle(n, 20 * n) for n in range(1, 7)])
    with change(url) as connection:
        Desk(connection, Author(who="Ada", at=at(70))).correct("A-1", 500, "tried elsewhere")
        Desk(connection, Author(who="Ada", at=at(100))).correct("A-1", -3, "by the press's book")

    corrected = {1: 1, 2: 2, 3: 3, 4: 504, 5: 502, 6: 503}
    assert numbers(url) == [(n, nth, None, None) for n, nth in corrected.items()]
    assert life(url, "A-1", "A") == (503, 503, 503)


async def test_closings_without_plastic_have_no_number_and_take_none(tmp_path: Path) -> None:
    closings = [cycle(n, 20 * n, closing="dry" if n in (2, 5) else "shot") for n in range(1, 8)]
    url = await kept(tmp_path, closings)

    ordinals = {1: 1, 2: None, 3: 2, 4: 3, 5: None, 6: 4, 7: 5}
    assert numbers(url, 2) == [(n, nth, None, None) for n, nth in ordinals.items()]
    assert life(url, "A-1", "A")[0] == 5


async def test_a_closing_without_plastic_that_came_late_takes_no_number(tmp_path: Path) -> None:
    """Its row of the ledger, which corrects the unobserved one, is later than the next run's."""
    first: list[Cycle | Sighting] = [cycle(1, 20), cycle(2, 40), cycle(13, 260), cycle(14, 280)]
    late = [cycle(5, 100, closing="dry"), cycle(9, 180, closing="dry")]
    came = [cycle(n, 20 * n) for n in (3, 4, 6, 8, 10, 12)]
    url = await kept(tmp_path, [*first, *late, *came, cycle(15, 300)])

    ordinals = {1: 1, 2: 2, 3: 3, 4: 4, 6: 5, 8: 7, 10: 8, 12: 10, 13: 11, 14: 12, 15: 13}
    expected = [(n, ordinals.get(n), None, None) for n in sorted([*ordinals, 5, 9])]
    assert sorted(numbers(url)) == expected
    assert life(url, "A-1", "A") == (13, 13, 13)


async def test_late_closings_without_plastic_that_the_parts_had_told_take_no_number(
    tmp_path: Path,
) -> None:
    """Their row of the ledger has two shots less than closings already; nothing corrects that."""
    seen = [cycle(n, 20 * n, counters={"parts_counter": 2 * n}) for n in range(1, 13)]
    after = [cycle(n, 20 * n, counters={"parts_counter": 2 * (n - 2)}) for n in (21, 22)]
    late = [
        cycle(n, 20 * n, closing="dry" if n in (14, 15) else "shot", received_at=at(450))
        for n in range(13, 21)
    ]
    url = await kept(tmp_path, [*seen, *after, *late])

    ordinals = {n: n if n < 14 else n - 2 for n in range(1, 23) if n not in (14, 15)}
    expected = [(n, ordinals.get(n), None, None) for n in range(1, 23)]
    assert sorted(numbers(url)) == expected
    assert life(url, "A-1", "A") == (20, 20, 20)


async def test_a_re_cut_and_another_mold_begin_their_own(tmp_path: Path) -> None:
    url = await kept(tmp_path, [cycle(n, 20 * n) for n in range(1, 13)])
    with change(url) as connection:
        desk = Desk(connection, ADA)
        desk.revise("A-1", since=at(85), reason="gate re-cut")
        desk.mount("IMM-01", "B-2", since=at(165))

    ordinals = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]
    assert [number for _, number, *_ in numbers(url)] == ordinals
    assert numbers(url, wanted=RE_CUT) == [(n, n - 4, None, None) for n in range(5, 9)]
    assert life(url, "A-1", "B") == life(url, "B-2", "A") == (4, 4, 4)


async def test_an_uncertain_count_has_its_bounds(tmp_path: Path) -> None:
    """A gap that two molds share: how many each made of it nobody saw."""
    first: list[Cycle | Sighting] = [cycle(1, 20), cycle(2, 40), sighting(12, 240)]
    url = await kept(tmp_path, [*first, *(cycle(n, 20 * n, mold="B-2") for n in (13, 14))])
    with change(url) as connection:
        Desk(connection, ADA).mount("IMM-01", "B-2", since=at(140))

    shots, least, most = life(url, "B-2", "A")
    assert least < shots < most
    assert numbers(url) == [
        (1, 1, None, None), (2, 2, None, None),
        (13, shots - 1, least - 1, most - 1), (14, shots, least, most),
    ]  # fmt: skip


async def test_bounds_enclose_a_number_below_one(tmp_path: Path) -> None:
    """More was corrected away than had been counted by then."""
    items: list[Cycle | Sighting] = [cycle(1, 20), cycle(2, 40), sighting(12, 240)]
    url = await kept(tmp_path, [*items, *(cycle(n, 20 * n, mold="B-2") for n in range(13, 16))])
    with change(url) as connection:
        Desk(connection, ADA).mount("IMM-01", "B-2", since=at(140))
    shots, least, most = life(url, "B-2", "A")
    with change(url) as connection:
        early = Desk(connection, Author(who="Ada", at=at(250)))
        early.correct("B-2", -shots, "were of another mold")

    below = most - shots
    assert shots - least == below, "as much room above as below"
    assert numbers(url)[2:] == [(13 + n, n - 2, n - 2 - below, n - 2 + below) for n in range(3)]
