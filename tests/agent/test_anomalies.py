"""Anomalies in the record: kept with what caused them, and what people do to them kept apart."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from agent import schema
from agent.__main__ import main
from agent.anomalies import Known, Wanted, anomalies
from agent.anomaly import Anomaly
from agent.audit import change
from agent.batch import Batch, Blind, MachineRow, MoldRow, Saved
from agent.blindness import blindness
from agent.files import RecordError
from agent.history import open_history
from agent.record import open_record
from tests.agent.makers import at, cycle, ledger

MACHINES = [MachineRow(name="IMM-01", driver="modbus"), MachineRow(name="IMM-02", driver="modbus")]
MOLDS = [MoldRow(name="A-1"), MoldRow(name="B-2")]

Said = Callable[..., list[dict[str, Any]]]


def anomaly(name: str = "a", seconds: float = 0.0, **changes: Any) -> Anomaly:
    fields: dict[str, Any] = {
        "id": name,
        "time": at(seconds),
        "machine": "IMM-01",
        "mold": "A-1",
        "revision": "A",
        "segment": 1,
        "counter": 7,
        "since_counter": 6,
        "kind": "cooling_time",
        "cause": "timer_changed",
        "signal": "cooling_time_s",
        "value": 12.5,
        "expected": 12.0,
        "limit": 12.1,
        "message": "Cooling is 0.5 s longer since shot 6.",
        "short": "cooling +0.5 s",
        "evidence": {"step_s": 0.5, "who": "Operator 2"},
    }
    return Anomaly(**(fields | changes))


async def kept(url: str, *found: Anomaly) -> None:
    async with open_record(url, MACHINES, MOLDS) as record:
        await (await record.keep(Batch(machine="IMM-01", anomalies=found)))


def known(url: str, **wanted: Any) -> list[Known]:
    with open_history(url) as history, history.connect() as connection:
        return anomalies(connection, Wanted(**wanted), now=at(0))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/plant.db"


@pytest.fixture
def say(url: str, capsys: pytest.CaptureFixture[str]) -> Said:
    """A command about anomalies; what it printed as JSON."""

    def run(*words: str, status: int = 0) -> list[dict[str, Any]]:
        assert main(["anomalies", *words, "--record", url, "--format", "json"]) == status
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


async def test_an_anomaly_comes_back_as_it_was_kept(url: str) -> None:
    await kept(url, anomaly())

    (found,) = known(url)

    assert found.anomaly == anomaly()
    assert found.state == "open"
    assert found.actions == ()


async def test_the_same_id_again_is_a_newer_state_of_the_same_anomaly(url: str) -> None:
    await kept(url, anomaly())
    await kept(url, anomaly(seconds=90, counter=11, until_counter=10, closed_at=at(90), value=12.6))

    (found,) = known(url)

    assert found.state == "closed"
    assert found.anomaly.value == 12.6
    assert (found.anomaly.time, found.anomaly.counter) == (at(0), 7)
    assert (found.anomaly.until_counter, found.anomaly.closed_at) == (10, at(90))


async def test_an_anomaly_is_kept_with_the_cycle_that_caused_it_or_not_at_all(url: str) -> None:
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        entry = book.take(cycle(7, 100))
        saved = Saved(stage="watch", body=b"{}", segment=1, counter=7)
        batch = Batch(machine="IMM-01", entries=[entry], anomalies=[anomaly()], saved=[saved])
        await (await record.keep(batch))
        broken = Batch(
            machine="IMM-01",
            entries=[book.take(cycle(8, 120))],
            anomalies=[anomaly("b", evidence={"bad": {1, 2}})],
        )
        await record.keep(broken)
        with pytest.raises(RecordError):
            await record.watch()

    with open_history(url) as history, history.connect() as connection:
        counters = connection.execute(select(schema.cycle.c.counter)).scalars().all()
        of_watch = select(schema.saved.c.counter).where(schema.saved.c.stage == "watch")
        memories = connection.execute(of_watch).scalars().all()
    assert (counters, memories) == ([7], [7])
    assert [each.anomaly.id for each in known(url)] == ["a"]


async def test_people_acknowledge_comment_and_close(url: str, say: Said) -> None:
    await kept(url, anomaly())

    (first,) = say("ack", "1", "seen it", "--who", "Kim")
    say("comment", "a", "the timer was set for the thick lid", "--who", "Lee")
    assert (first["state"], first["actions"][0]["who"]) == ("acknowledged", "Kim")
    assert [each["number"] for each in say("list", "--state", "acknowledged")] == [1]
    (last,) = say("close", "1", "--who", "Kim")

    assert last["state"] == "closed"
    assert [each["action"] for each in last["actions"]] == ["ack", "comment", "close"]
    assert say() == []
    assert [each["number"] for each in say("--state", "all")] == [1]


async def test_a_newer_state_of_the_anomaly_leaves_what_people_said(url: str, say: Said) -> None:
    await kept(url, anomaly())
    say("ack", "1", "--who", "Kim")

    await kept(url, anomaly(value=12.7))

    (found,) = known(url)
    assert found.state == "acknowledged"
    assert found.anomaly.value == 12.7


async def test_every_deed_is_in_the_audit_log(url: str, say: Said) -> None:
    await kept(url, anomaly())
    say("ack", "1", "--who", "Kim")
    say("mute", "1", "--for", "8h", "--reason", "trial", "--who", "Lee")
    say("unmute", "1", "--who", "Kim")

    audit = schema.audit
    with open_history(url) as history, history.connect() as connection:
        rows = connection.execute(
            select(audit.c.who, audit.c.action, audit.c.origin)
            .where(audit.c.kind == "anomaly")
            .order_by(audit.c.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("Kim", "ack", "command line"),
        ("Lee", "mute", "command line"),
        ("Kim", "unmute", "command line"),
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ack", "9"), "no anomaly in the record has the id or number '9'"),
        (("show", "nothing"), "no anomaly in the record has the id or number 'nothing'"),
        (("comment", "1", " "), "a comment needs words"),
        (("unmute", "3"), "there is no mute 3"),
        (("mute", "--reason", "x", "--for", "1h"), "say what to mute"),
        (("mute", "1", "--reason", " ", "--for", "1h"), "takes a reason"),
        (("mute", "1", "--reason", "x", "--until", "2020-01-01T00:00Z"), "should lie ahead"),
        (("mute", "--mold", "Z", "--reason", "x", "--for", "1h"), "knows no mold 'Z'"),
        (("mute", "--kind", "weather", "--reason", "x", "--for", "1h"), "no kind is called"),
        (("mute", "--kind", "blind/fog", "--reason", "x", "--for", "1h"), "has no cause 'fog'"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    await kept(url, anomaly())

    assert main(["anomalies", *words, "--record", url]) == 1
    assert sentence in capsys.readouterr().err
    (found,) = known(url)
    assert found.state == "open"


async def test_what_is_closed_is_not_closed_again(
    url: str, say: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    await kept(url, anomaly(closed_at=at(9)))

    assert main(["anomalies", "close", "1", "--record", url]) == 1
    assert "is closed already" in capsys.readouterr().err
    (found,) = say("comment", "1", "it was the thick lid")
    assert found["state"] == "closed"


async def test_a_mute_covers_what_is_alike_until_its_end(url: str, say: Said) -> None:
    await kept(
        url,
        anomaly("a"),
        anomaly("b", counter=40),
        anomaly("other cause", cause="cut_short"),
        anomaly("other machine", machine="IMM-02"),
    )

    (mute,) = say("mute", "a", "--for", "3d", "--reason", "trial of longer cooling", "--who", "Lee")
    muted = {each["id"]: each["muted"] for each in say("list")}

    assert {name for name, found in muted.items() if found} == {"a", "b"}
    assert muted["a"]["reason"] == "trial of longer cooling"
    assert len(say("list")) == 4  # muted is not gone
    (ended,) = say("unmute", str(mute["number"]), "--who", "Kim")
    assert ended["until"] < mute["until"]
    assert not any(each["muted"] for each in say("list"))
    assert len(say("mutes")) == 1


async def test_a_whole_mold_can_be_muted_or_one_kind(url: str, say: Said) -> None:
    await kept(
        url, anomaly("a"), anomaly("b", mold="B-2"), anomaly("c", kind="process",
                                                             cause="pressure_shift")
    )  # fmt: skip

    say("mute", "--mold", "B-2", "--for", "1h", "--reason", "sampling")
    say("mute", "--kind", "process/pressure_shift", "--for", "1h", "--reason", "new lot")

    assert {each["id"] for each in say("list") if each["muted"]} == {"b", "c"}


async def test_lists_are_filtered_by_machine_mold_kind_and_time(url: str, say: Said) -> None:
    await kept(
        url,
        anomaly("a"),
        anomaly("b", seconds=60, machine="IMM-02", mold="B-2"),
        anomaly("c", seconds=120, kind="process", cause="cushion_shift"),
    )

    def ids(*words: str) -> list[str]:
        return [each["id"] for each in say("list", *words)]

    assert ids() == ["a", "b", "c"]
    assert ids("--machine", "IMM-02") == ids("--mold", "B-2") == ["b"]
    assert ids("--kind", "cooling_time") == ["a", "b"]
    assert ids("--kind", "process/cushion_shift") == ["c"]
    assert ids("--since", at(60).isoformat()) == ["b", "c"]
    assert ids("--until", at(60).isoformat()) == ["a"]
    assert ids("--limit", "1") == ["c"]


async def test_not_a_fault_is_kept_and_counted(url: str, say: Said) -> None:
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        entries = [book.take(cycle(n, 20.0 * n)) for n in range(1, 101)]
        found = [anomaly("a"), anomaly("b"), anomaly("c", kind="process", cause="cushion_shift")]
        await (await record.keep(Batch(machine="IMM-01", entries=entries, anomalies=found)))

    say("close", "a", "it was set so", "--not-a-fault", "--who", "Kim")
    cooling, cushion = say("figures")

    assert (cooling["kind"], cooling["raised"], cooling["not_a_fault"]) == ("cooling_time", 2, 1)
    assert (cooling["open"], cooling["per_10000"]) == (1, 200.0)
    assert cooling["not_a_fault_per_10000"] == 100.0
    assert (cushion["raised"], cushion["not_a_fault"]) == (1, 0)


async def test_people_act_while_the_agent_writes(url: str, say: Said) -> None:
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        await (await record.keep(Batch(machine="IMM-01", anomalies=[anomaly()])))
        for n in range(1, 6):
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(cycle(n, n * 20))]))
            say("comment", "1", f"note {n}")
            await done

    (found,) = known(url)
    assert [action.text for action in found.actions] == [f"note {n}" for n in range(1, 6)]
    with open_history(url) as history, history.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.cycle)).scalar() == 5


def test_there_is_no_record_to_act_on(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="there is no"), change(f"sqlite:///{tmp_path}/no.db"):
        pytest.fail("opened a record that is not there")


async def test_tables_for_people_name_what_counts(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await kept(url, anomaly(likely="an operator", advice="Ask for the set-up sheet."))
    main(["anomalies", "mute", "1", "--for", "1h", "--reason", "trial", "--record", url])
    capsys.readouterr()

    assert main(["anomalies", "--record", url]) == 0
    table = capsys.readouterr().out
    assert main(["anomalies", "show", "1", "--record", url]) == 0
    shown = capsys.readouterr().out

    assert "cooling_time/timer_changed" in table
    assert "open, muted" in table
    assert "Cooling is 0.5 s longer" in table
    for words in ("Operator 2", "an operator", "Ask for the set-up sheet.", "trial"):
        assert words in shown


@pytest.mark.parametrize(
    ("cause", "lasts_s", "called"),
    [
        ("unreachable", 59, None),
        ("unreachable", 60, "unreachable"),
        ("mistaken", 600, "refused"),
        ("overflow", 600, None),
        ("not_running", 600, None),
    ],
)
def test_a_machine_that_stays_away_is_an_anomaly(
    cause: str, lasts_s: float, called: str | None
) -> None:
    blind = Blind(machine="IMM-01", since=at(0), until=None, cause=cause, why="gone")

    found = blindness(blind, timedelta(seconds=lasts_s), None)

    assert (found.cause if found else None) == called


async def test_status_says_what_calls_for_somebody(
    url: str, say: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    await kept(url, anomaly("a"), anomaly("b", closed_at=at(5)), anomaly("c", machine="IMM-02"))
    say("mute", "c", "--for", "1h", "--reason", "trial")
    capsys.readouterr()

    assert main(["status", "--record", url]) == 0
    shown = capsys.readouterr().out
    assert main(["status", "--record", url, "--format", "json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert shown.count("Cooling is 0.5 s longer since shot 6. (anomaly 1)") == 1
    assert "(anomaly 2)" not in shown
    assert "(anomaly 3)" not in shown
    open_ = {line["machine"]: line["anomalies"] for line in lines if "machine" in line}
    assert open_ == {"IMM-01": ["a"], "IMM-02": []}
