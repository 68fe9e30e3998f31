"""What no real server can be made to answer: an endpoint as strict as InfluxDB 2 and 3."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from agent.forward.standing import dead_letters
from tests.forward.forwarded import Forwarded, influxdb, until
from tests.forward.test_influxdb import told
from tests.forward.v2 import Answer, Endpoint, serving


def counters(endpoint: Endpoint) -> list[int]:
    """Of the cycles that it stored, in order of time."""
    found = [
        (int(key.rsplit(" ", 1)[1]), int(re.findall(r"counter=(\d+)i", fields)[0]))
        for key, fields in endpoint.stored.items()
        if key.startswith("sprue_cycle,")
    ]
    return [counter for _time, counter in sorted(found)]


@asynccontextmanager
async def forwarded(plant: Forwarded, endpoint: Endpoint, **changes: Any) -> AsyncGenerator[None]:
    async with serving(endpoint.handle) as url, plant.to(influxdb(url, **changes)):
        yield


def once(answer: Answer) -> Callable[[list[str]], Answer]:
    """This answer to the first request, then all is well."""
    answers = iter([answer])
    return lambda _lines: next(answers, Answer())


async def test_a_request_is_as_the_v2_call_wants_it(
    plant: Forwarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFLUX_TOKEN", "s3cret")
    endpoint = Endpoint()
    await plant.mold([1])
    async with forwarded(plant, endpoint, token={"env": "INFLUX_TOKEN"}):
        await told(plant)

    headers = endpoint.headers[0]
    assert endpoint.queries[0] == {"org": "plant", "bucket": "molding", "precision": "ns"}
    assert headers["Authorization"] == "Token s3cret"
    assert headers["Content-Encoding"] == "gzip"
    assert "s3cret" not in repr(plant.standing())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=503, body="busy", headers={"Retry-After": "1"}),
        Answer(status=429, headers={"Retry-After": "1"}),
        Answer(status=500, body="<html>proxy</html>"),
        Answer(status=401, body='{"code":"unauthorized","message":"unauthorized access"}'),
        Answer(status=404, body='{"code":"not found","message":"bucket not found"}'),
        Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(torn=True),
        Answer(status=204, delay_s=2),
    ],
    ids=["503", "429", "500", "401", "404", "302", "stored, then torn", "hangs"],
)
async def test_whatever_goes_wrong_on_the_way_costs_only_delay(
    plant: Forwarded, answer: Answer
) -> None:
    endpoint = Endpoint(once(answer))
    await plant.mold(range(1, 51))
    async with forwarded(plant, endpoint, timeout_s=0.5):
        await told(plant)

    assert counters(endpoint) == list(range(1, 51))
    standing = plant.standing()
    assert standing is not None
    assert (standing.letters, standing.trouble) == (0, None)


async def test_a_sink_says_when_it_wants_to_be_tried_again(plant: Forwarded) -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()

    def judge(_lines: list[str]) -> Answer:
        times.append(loop.time())
        return Answer(status=429, headers={"Retry-After": "2"}) if len(times) == 1 else Answer()

    await plant.mold([1])
    async with forwarded(plant, Endpoint(judge)):
        await told(plant)

    assert times[1] - times[0] >= 2


async def test_trouble_is_told_in_the_sinks_words_and_how_much_waits(
    plant: Forwarded, capsys: pytest.CaptureFixture[str]
) -> None:
    words = '{"code":"unauthorized","message":"no such token"}'
    endpoint = Endpoint(lambda _lines: Answer(status=401, body=words))
    await plant.mold(range(1, 4))
    async with forwarded(plant, endpoint):

        async def troubled() -> bool:
            standing = plant.standing()
            return standing is not None and standing.trouble is not None

        await until("the trouble is written down", troubled)
    standing = plant.standing()
    assert standing is not None
    assert standing.waiting == {"cycles": 3, "ledger": 1}
    assert standing.trouble == "401: no such token"

    assert main(["status", "--record", plant.url]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"influxdb +influxdb +4 rows .* never +0 +http://127", printed)
    assert "influxdb: since 0 s: 401: no such token" in printed or "401: no such token" in printed


async def test_more_than_it_takes_at_once_goes_in_halves(plant: Forwarded) -> None:
    endpoint = Endpoint(lambda lines: Answer(status=413) if len(lines) > 10 else Answer())
    await plant.mold(range(1, 101))
    async with forwarded(plant, endpoint):
        await told(plant)

    assert counters(endpoint) == list(range(1, 101))
    assert max(map(len, endpoint.requests)) == 100


def bad(counter: int) -> Callable[[list[str]], Answer]:
    """Refuses the whole request where it holds this cycle, as InfluxDB 2 does."""
    words = '{"code":"invalid","message":"partial write: field type conflict dropped=1"}'

    def judge(lines: list[str]) -> Answer:
        wrong = any(f"counter={counter}i" in line and "cycle," in line for line in lines)
        return Answer(status=400, body=words) if wrong else Answer()

    return judge


async def test_a_row_that_is_refused_stands_alone_and_can_be_sent_again(
    plant: Forwarded, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    endpoint = Endpoint(bad(37))
    await plant.mold(range(1, 101))
    async with forwarded(plant, endpoint):
        await told(plant)
        assert counters(endpoint) == [n for n in range(1, 101) if n != 37]

        assert main(["outbox", "--record", plant.url]) == 0
        printed = capsys.readouterr().out
        assert "cycles 37" in printed
        assert "400: partial write: field type conflict dropped=1" in printed

        assert await asyncio.to_thread(main, ["outbox", "retry", "1", "--record", plant.url]) == 0
        await until("it was tried again", lambda: tries(plant, 2))

        endpoint.judge = lambda _lines: Answer()  # somebody mended it there
        assert (
            await asyncio.to_thread(main, ["outbox", "retry", "--all", "--record", plant.url]) == 0
        )
        await until("it is there", lambda: stored(endpoint, 100))
        await until("it is no letter any more", lambda: tries(plant, None))
    assert counters(endpoint) == list(range(1, 101))


async def tries(plant: Forwarded, n: int | None) -> bool:
    letters = dead_letters(plant.url)
    return [letter.tries for letter in letters if not letter.again] == ([] if n is None else [n])


async def stored(endpoint: Endpoint, n: int) -> bool:
    return len(counters(endpoint)) == n


async def test_a_dropped_letter_is_forgotten_and_who_did_it_is_written_down(
    plant: Forwarded, capsys: pytest.CaptureFixture[str]
) -> None:
    await plant.mold([1, 2])
    async with forwarded(plant, Endpoint(bad(2))):
        await told(plant)

    assert await asyncio.to_thread(main, ["outbox", "drop", "1", "9", "--record", plant.url]) == 1
    captured = capsys.readouterr()
    assert captured.out == "1 forgotten\n"
    assert "no dead letter is called 9" in captured.err
    standing = plant.standing()
    assert standing is not None
    assert standing.letters == 0


async def test_a_sink_that_refuses_everything_is_itself_what_is_wrong(
    plant: Forwarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.forward.forwarder.LETTERS_MOST", 5)
    endpoint = Endpoint(lambda _lines: Answer(status=400, body="gzip: invalid header"))
    await plant.mold(range(1, 21))
    async with forwarded(plant, endpoint):

        async def paused() -> bool:
            standing = plant.standing()
            return standing is not None and "has refused" in (standing.trouble or "")

        await until("it is left alone", paused)
        endpoint.judge = lambda _lines: Answer()
        await asyncio.to_thread(main, ["outbox", "drop", "--all", "--record", plant.url])
        await told(plant)


async def test_an_address_where_nobody_listens_holds_up_nobody(plant: Forwarded) -> None:
    endpoint = Endpoint()
    async with serving(endpoint.handle) as url:
        sinks = (influxdb("http://127.0.0.1:9", name="dead"), influxdb(url, name="alive"))
        async with plant.to(*sinks):
            await plant.mold(range(1, 11))
            await until("the other one has all", lambda: stored(endpoint, 10))


async def test_a_token_that_is_not_there_is_told_and_waited_for(
    plant: Forwarded, tmp_path: Path
) -> None:
    endpoint = Endpoint()
    token = tmp_path / "token"
    token.write_text("x\n")
    token.chmod(0o644)
    await plant.mold([1])
    async with forwarded(plant, endpoint, token={"file": str(token)}):

        async def troubled() -> bool:
            standing = plant.standing()
            return standing is not None and "token" in (standing.trouble or "")

        await until("it is told", troubled)
        token.chmod(0o600)
        await told(plant)
    assert endpoint.headers[0]["Authorization"] == "Token x"


async def test_a_bucket_that_keeps_less_than_the_record_is_told_in_its_words(
    plant: Forwarded,
) -> None:
    words = "failure writing points to database: partial write: dropped 3 points outside retention "
    body = f'{{"code":"unprocessable entity","message":"{words}policy of duration 72h0m0s"}}'
    await plant.mold(range(1, 4))
    async with forwarded(plant, Endpoint(once(Answer(status=422, body=body)))):
        await told(plant)

        async def noted() -> bool:
            standing = plant.standing()
            return standing is not None and "3 points were older" in (standing.note or "")

        await until("it is told", noted)
    standing = plant.standing()
    assert standing is not None
    assert standing.letters == 0
