"""What Prometheus is told, and whom it is told to."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from agent.audit import change
from agent.batch import Batch
from agent.display import Display
from agent.ledger import Ledger, Standing
from agent.live import Plant
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import Shelf
from agent.record import open_record
from agent.users.people import add_person
from agent.users.tokens import add_token
from tests.agent.makers import cycle
from tests.dashboards.browsing import GOOD
from tests.dashboards.client import get, serving
from tests.dashboards.recorded import MACHINES, MOLDS, recorded
from tests.dashboards.story import AT, story
from tests.dashboards.test_gate import BY

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"

pytestmark = pytest.mark.asyncio(loop_scope="module")

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(slots=True)
class Place:
    """A plant that is served, and its record."""

    address: str
    url: str
    plant: Plant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    """The story's record, served."""
    url = await recorded(tmp_path_factory.mktemp("metrics"))
    plant = story(12)
    async with serving(plant, record=url) as address:
        yield Place(address=address, url=url, plant=plant)


async def scraped(place: Place, **headers: str) -> Samples:
    """One scrape, read as Prometheus reads it."""
    answer = await get(f"{place.address}/metrics", **headers)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float | None:
    """One value; None where there is none."""
    return samples.get((name, frozenset(labels.items())))


async def test_a_scrape_says_what_was_kept_lost_and_found(place: Place) -> None:
    found = await scraped(place)

    assert of(found, "sprue_cycles_kept_total", machine="IMM-07") == 140
    assert of(found, "sprue_cycles_kept_total", machine="IMM-12") == 0
    assert of(found, "sprue_closings_unobserved", machine="IMM-07") == 0
    assert of(found, "sprue_blind_seconds_total", machine="IMM-07") == 900
    raised = {"kind": "cooling_time", "cause": "timer_changed"}
    assert of(found, "sprue_anomalies_raised_total", **raised) == 1
    open_ = {"kind": "process", "severity": "info", "state": "acknowledged"}
    assert of(found, "sprue_anomalies_open", **open_) == 1
    assert of(found, "sprue_record_readable") == of(found, "sprue_record_writable") == 1
    assert (of(found, "process_resident_memory_bytes") or 0) > 10_000_000


async def test_what_came_since_the_last_scrape_is_added(place: Place) -> None:
    before = await scraped(place)
    async with open_record(place.url, MACHINES, MOLDS) as record:
        book = Ledger("IMM-12", record.before["IMM-12"].standing, lambda _mold: "A", None)
        for n in (1, 2, 5):
            shot = cycle(n, 20 * n, machine="IMM-12", mold="A-2149")
            await (await record.keep(Batch(machine="IMM-12", entries=[book.take(shot)])))
    after = await scraped(place)

    for machine, more in (("IMM-07", 0), ("IMM-12", 3)):
        kept = [of(each, "sprue_cycles_kept_total", machine=machine) for each in (before, after)]
        assert (kept[1] or 0) - (kept[0] or 0) == more
    assert of(after, "sprue_closings_unobserved", machine="IMM-12") == 2


async def test_how_long_a_shot_took_to_the_disk_is_counted_by_bounds(place: Place) -> None:
    before = await scraped(place)
    display = Display("IMM-07", place.plant, MoldLife(Shelf(molds={}, took={}), []))
    now = place.plant.clock()
    book = Ledger("IMM-07", Standing(), lambda _mold: "C", None)
    for n, (ago_s, received_s) in enumerate(((0.2, 0.03), (4.0, 0.03)), 1):
        shot = replace(
            cycle(n, 20 * n), time=now - timedelta(seconds=ago_s),
            received_at=now - timedelta(seconds=received_s),
        )  # fmt: skip
        display.booked(book.take(shot))
    after = await scraped(place)

    def more(name: str, le: str) -> float:
        return (of(after, name, le=le) or 0) - (of(before, name, le=le) or 0)

    assert more("sprue_cycle_durable_seconds_bucket", "0.1") == 0
    assert more("sprue_cycle_durable_seconds_bucket", "2.5") == 1
    assert more("sprue_cycle_durable_seconds_bucket", "+Inf") == 2
    assert more("sprue_cycle_written_seconds_bucket", "0.5") == 2


async def test_polls_that_were_answered_are_counted(place: Place) -> None:
    before = await scraped(place)
    display = Display("IMM-07", place.plant, MoldLife(Shelf(molds={}, took={}), []))
    for _ in range(3):
        display.sampled({}, place.plant.clock())
    after = await scraped(place)

    for machine, more in (("IMM-07", 3), ("IMM-12", 0)):
        found = [
            of(each, "sprue_polls_answered_total", machine=machine) for each in (before, after)
        ]
        assert (found[1] or 0) - (found[0] or 0) == more


async def test_a_record_that_does_not_answer_is_a_metric_and_no_error(tmp_path: Path) -> None:
    url = await recorded(tmp_path)
    plant = story(1)
    async with serving(plant, record=url) as address:
        for file in tmp_path.glob("plant.db*"):
            file.unlink()
        found = await scraped(Place(address=address, url=url, plant=plant))

    assert of(found, "sprue_record_readable") == 0
    assert of(found, "sprue_viewers") == 0


async def test_every_metric_stands_on_the_page_with_its_labels(place: Place) -> None:
    answer = await get(f"{place.address}/metrics")
    named = set(re.findall(r"^# TYPE (sprue_\w+) ", answer.text, re.M))

    documented = set(re.findall(r"^\| `(sprue_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.M))
    assert named == documented


async def test_where_there_are_users_it_takes_a_token_or_this_computer(tmp_path: Path) -> None:
    url = await recorded(tmp_path)
    with change(url) as connection:
        add_person(connection, BY, "Ada", "admin", GOOD)
        _found, token = add_token(connection, BY, "prom", "metrics", AT + timedelta(days=9))
    async with serving(story(1), record=url) as address:
        path = f"{address}/metrics"
        assert (await get(path)).status == 200, "this computer"
        assert (await get(path, x_forwarded_for="192.0.2.7")).status == 401
        bearer = f"Bearer {token}"
        passed = await get(path, x_forwarded_for="192.0.2.7", authorization=bearer)
        assert passed.status == 200
        assert (await get(path, authorization="Bearer sprue_no")).status == 401
        assert (await get(f"{address}/api/status")).status == 401
