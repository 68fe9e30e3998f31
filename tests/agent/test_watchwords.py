"""What people tell the watch: kept with who said it, and heard once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from agent.assembly import Assembly
from agent.batch import Batch, MachineRow, MoldRow
from agent.history import open_history
from agent.ledger import Ledger, Standing
from agent.record import open_record
from agent.stages import Stages
from agent.watch import Watch
from agent.watch.envelope import Envelope
from agent.watch.shapes import chosen_curves
from agent.watchwords import Words, read_words
from bench.watch.drawn import MOLDS, SHIFTS, clean, shifted
from bench.watch.stream import Stream
from drivers import Report
from tests.agent.makers import at
from tests.agent.watch import test_shapes

MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLD = MOLDS[0].mold

Say = Callable[..., list[dict[str, Any]]]


def stages(words: Words | None = None) -> Stages:
    known = words or Words()
    made = Stages(
        Assembly("IMM-01"),
        Ledger("IMM-01", Standing(), lambda mold: "A"),
        watch=Watch("IMM-01", facts=known.of),
    )
    made.connected(reports=True, modulus=None)
    return made


def reports(stream: Stream, n: int | None = None) -> list[Report]:
    found = [each for each in stream.observations() if isinstance(each, Report)]
    return found[:n]


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A record with 120 shots of one mold."""
    url = f"sqlite:///{tmp_path}/plant.db"
    walk = stages()
    async with open_record(url, MACHINES, [MoldRow(name=MOLD)]) as record:
        for report in reports(clean(MOLDS[0], 3, 120)):
            outcome = walk.take(report)
            done = await record.keep(Batch(machine="IMM-01", entries=outcome.entries))
        await done
    return url


@pytest.fixture
def say(url: str, capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*words: str) -> list[dict[str, Any]]:
        assert main(["watch", *words, "--record", url, "--format", "json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def words_of(url: str) -> Words:
    with open_history(url) as history, history.connect() as connection:
        return read_words(connection)


def test_a_limit_is_in_force_from_its_time_on_by_its_author(url: str, say: Say) -> None:
    said = say(
        "limit", MOLD, "mold_temp_c", "--low", "52", "--high", "58", "--since",
        at(600).isoformat(), "--who", "Kim",
    )  # fmt: skip
    say("limit", MOLD, "mold_temp_c", "--lift", "--since", at(1200).isoformat(), "--who", "Lee")

    facts = words_of(url).of(MOLD, "A")

    assert (said[0]["low"], said[0]["high"], said[0]["who"]) == (52.0, 58.0, "Kim")
    assert facts is not None
    assert facts.in_force(at(0)) == {}
    assert facts.in_force(at(700))["mold_temp_c"].high == 58.0
    lifted = facts.in_force(at(1300))["mold_temp_c"]
    assert (lifted.low, lifted.high, lifted.author) == (float("-inf"), None, "Lee")
    assert len(say("limits", "--mold", MOLD)) == 2


def test_a_shot_beyond_the_set_up_sheet_is_told_at_once(url: str, say: Say) -> None:
    say("limit", MOLD, "cushion_mm", "--high", "4.5", "--since", at(-(10**7)).isoformat())
    walk = stages(words_of(url))
    first, *rest = reports(clean(MOLDS[0], 3, 40))
    for report in [first, *rest[:-1]]:
        assert not walk.take(report).anomalies
    last = rest[-1]
    far = Report(
        **{name: getattr(last, name) for name in ("machine", "counter", "ended_at")},
        received_at=last.received_at, origin=last.origin, states=last.states,
        values={**last.values, "cushion_mm": 5.0},
    )  # fmt: skip

    (found,) = walk.take(far).anomalies

    assert (found.kind, found.cause) == ("process", "cushion_shift")
    assert (found.severity, found.limit, found.value) == ("alarm", 4.5, 5.0)


def test_another_revision_has_no_limits_of_this_one(url: str, say: Say) -> None:
    say("limit", MOLD, "cushion_mm", "--high", "4.5", "--revision", "B")

    assert words_of(url).of(MOLD, "A") is None
    assert words_of(url).of(MOLD, "B") is not None


def test_what_stands_is_golden_by_the_word_of_a_person_and_heard_once(url: str, say: Say) -> None:
    walk = stages()
    for report in reports(clean(MOLDS[0], 3, 120)):
        walk.take(report)
    (said,) = say("approve", "IMM-01", "--who", "Kim", "--note", "first article")

    walk.hear(words_of(url).golden)
    memory = walk.memory()

    assert (said["mold"], said["revision"], said["who"]) == (MOLD, "A", "Kim")
    assert walk.watch.baseline is not None
    assert walk.watch.baseline.approved_by == "Kim"
    again = stages()
    again.resume(memory, ())
    assert again.watch.baseline is not None
    assert again.watch.baseline.approved_by == "Kim"
    again.hear(words_of(url).golden)
    assert not again.memory()  # nothing new was said


def test_golden_may_be_what_chosen_shots_were(url: str, say: Say) -> None:
    walk = stages()
    for report in reports(clean(MOLDS[0], 3, 120)):
        walk.take(report)

    (said,) = say("approve", "IMM-01", "--shots", "60-100", "--who", "Kim")
    walk.hear(words_of(url).golden)

    with open_history(url) as history, history.connect() as connection:
        rows = connection.exec_driver_sql(
            "select cooling_time_s from cycle where counter between 60 and 100"
        ).all()
    middle = sorted(row[0] for row in rows)[len(rows) // 2]
    assert (said["first"], said["last"]) == (60, 100)
    assert said["levels"]["cooling_time_s"] == middle
    assert walk.watch.baseline is not None
    assert walk.watch.baseline.golden["cooling_time_s"] == pytest.approx(middle)


async def test_the_golden_curves_are_those_of_the_chosen_shots_in_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/curves.db"
    press, walk = test_shapes.press(), stages()
    shots = [test_shapes.shot(press, test_shapes.dent if n > 60 else None) for n in range(80)]
    async with open_record(url, MACHINES, [MoldRow(name="M-1")]) as record:
        for each in shots:
            entry = walk.ledger.take(each.cycle)
            done = await record.keep(Batch(machine="IMM-01", entries=[entry]))
        await done

    words = ["approve", "IMM-01", "--shots", "65-75", "--who", "Kim"]
    assert main(["watch", *words, "--record", url, "--format", "json"]) == 0

    (said,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {name: each["shots"] for name, each in said["curves"].items()} == dict.fromkeys(
        test_shapes.NAMES, 11
    )
    dented = Envelope.load(words_of(url).golden[0].curves["cavity_pressure_bar"])
    whole = chosen_curves(each.cycle for each in shots[:60])["cavity_pressure_bar"]
    pressed = whole.mean > 20
    assert (dented.mean[pressed] / whole.mean[pressed]).min() == pytest.approx(0.7, abs=0.05)


def test_a_new_revision_begins_as_the_old_one_only_where_a_person_says_so(
    url: str, say: Say
) -> None:
    shift = next(s for s in SHIFTS if (s.signal, s.by) == ("cooling_time_s", 0.5))
    past = reports(shifted(MOLDS[0], 4, shift))
    cut = next(n for n, r in enumerate(past) if r.counter == 150)
    found: dict[bool, list[str]] = {}
    for carried in (False, True):
        revisions = {MOLD: "A"}
        walk = Stages(
            Assembly("IMM-01"),
            Ledger("IMM-01", Standing(), revisions.__getitem__),
            watch=Watch("IMM-01"),
        )
        walk.connected(reports=True, modulus=None)
        for n, report in enumerate(past):
            if n == cut:
                revisions[MOLD] = "B"
                if carried:
                    say("carry", MOLD, "A", "B", "--machine", "IMM-01", "--who", "Kim")
                    walk.hear(words_of(url).golden)
            walk.take(report)
        assert walk.watch.baseline is not None
        assert walk.watch.baseline.key[1] == "B"
        found[carried] = [walk.watch.baseline.state, str(walk.watch.baseline.good)]

    assert int(found[True][1]) == int(found[False][1]) + cut


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("limit", "Z-9", "cushion_mm", "--low", "1"), 1, "knows no mold 'Z-9'"),
        (("limit", MOLD, "cushion", "--low", "1"), 1, "no cycle has a signal 'cushion'"),
        (("limit", MOLD, "cushion_mm", "--low", "3", "--high", "2"), 1, "above the high one"),
        (("approve", "IMM-77"), 1, "no cycle of a known mold on a machine 'IMM-77'"),
        (("approve", "IMM-01", "--shots", "9000-9100"), 1, "are 0 good cycles in the record"),
        (("carry", MOLD, "A", "A", "--machine", "IMM-01"), 1, "changes nothing"),
        (("carry", MOLD, "A", "B", "--machine", "X"), 1, "knows no machine 'X'"),
    ],
)
def test_what_cannot_be_done_is_said(
    url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], status: int, sentence: str
) -> None:
    assert main(["watch", *words, "--record", url]) == status
    assert sentence in capsys.readouterr().err


def test_a_limit_needs_a_number(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["watch", "limit", MOLD, "cushion_mm", "--record", url])

    assert stopped.value.code == 2
    assert "say --low, --high or both" in capsys.readouterr().err


def test_tables_name_who_said_what(url: str, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    say("approve", "IMM-01", "--who", "Kim")
    say("limit", MOLD, "cushion_mm", "--low", "3.5", "--who", "Lee")

    assert main(["watch", "--record", url]) == 0
    assert "as it stood" in (table := capsys.readouterr().out)
    assert "Kim" in table
    assert main(["watch", "limits", "--record", url]) == 0
    assert "Lee" in capsys.readouterr().out
