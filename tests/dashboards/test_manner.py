"""Language, decimal sign, zone and units: of the browser, the site, and whoever logged in."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from agent.audit import change
from agent.live import Plant, Site
from agent.users.people import add_person
from agent.users.taste import Taste
from dashboards.manner import manner_of
from tests.dashboards.browsing import GOOD, Browsing, hidden
from tests.dashboards.client import get, serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT, story
from tests.dashboards.test_gate import BY
from tests.dashboards.test_recordpages import words_of

aio = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class Place:
    """Pages with one user, Ada."""

    address: str
    ada: Browsing


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    """The story's record, served to Ada."""
    url = await recorded(tmp_path_factory.mktemp("manner"))
    with change(url) as connection:
        add_person(connection, BY, "Ada", "admin", GOOD)
    async with serving(story(12), record=url) as address:
        ada = Browsing(address)
        assert (await ada.log_in("Ada")).status == 303
        yield Place(address=address, ada=ada)


@pytest.mark.parametrize(
    ("own", "site", "accepted", "expected"),
    [
        ({}, {}, "", ("en", ".", "bar")),
        ({}, {}, "de-AT,de;q=0.9", ("de", ",", "bar")),
        ({}, {"language": "en"}, "de", ("en", ".", "bar")),
        ({"language": "de"}, {"language": "en", "pressure": "MPa"}, "en", ("de", ",", "MPa")),
        ({"decimal": ".", "pressure": "psi"}, {"decimal": ","}, "de", ("de", ".", "psi")),
        ({}, {}, "fr, *;q=0.1,,;q=x, de;q=nonsense", ("en", ".", "bar")),
    ],
)
def test_a_person_chooses_over_the_site_and_the_site_over_the_browser(
    own: dict[str, str], site: dict[str, str], accepted: str, expected: tuple[str, ...]
) -> None:
    found = manner_of(Taste.model_validate(own), Taste.model_validate(site), accepted)

    assert (found.language, found.decimal, found.pressure) == expected


@aio
async def test_a_browser_gets_its_language(place: Place) -> None:
    german = await place.ada.open("/molds/A-2217", accept_language="de-DE,de;q=0.9,en;q=0.5")
    english = await place.ada.open("/molds/A-2217", accept_language="fr,en;q=0.5")

    assert '<html lang="de"' in german.text
    assert "140 Schuss gemacht, 93 % der Standzeit" in words_of(german)
    assert "0,6" in words_of(german)
    assert '<html lang="en"' in english.text
    assert "140 shots made" in words_of(english)
    login = await get(f"{place.address}/login", accept="text/html", accept_language="de")
    assert "Passwort" in login.text


@aio
async def test_a_person_sees_numbers_times_and_units_as_they_chose(place: Place) -> None:
    page = await place.ada.open("/settings")
    form = {"deed": "taste", "csrf": hidden(page)["csrf"], "language": "de", "decimal": ",",
            "timezone": "America/New_York", "temperature": "°F", "pressure": "psi"}  # fmt: skip
    try:
        assert (await place.ada.send("/settings/own", form)).status == 303
        press = words_of(await place.ada.open("/press/IMM-07"))
        assert "Kühlzeit 12,2" in press
        assert "08:32:07" in press, "an hour of New York"
        numbers = words_of(await place.ada.open("/anomalies/1"))
        assert "Gefunden 12,21 s" in numbers
        assert "Kühlzeit gegen sonst +0,41 s" in numbers
        settings = (await place.ada.open("/settings")).text
        assert '<option value="psi" selected>' in settings
        wrong = await place.ada.send("/settings/own", form | {"timezone": "Mars/Base"})
        assert wrong.status == 409
        assert "timezone: there is no such choice" in unescape(wrong.text).lower()
    finally:
        bare = {"deed": "taste", "csrf": form["csrf"]}
        assert (await place.ada.send("/settings/own", bare)).status == 303
    assert "Cooling time 12.2" in words_of(await place.ada.open("/press/IMM-07"))


@aio
async def test_a_site_chooses_for_all(tmp_path: Path) -> None:
    url = await recorded(tmp_path)
    told = story(12)
    taste = Taste(language="de", length="in", decimal=".")
    plant = Plant(
        Site(name="Werk 2", timezone="Europe/Berlin", taste=taste), told.tiles, lambda: AT
    )
    async with serving(plant, record=url) as address:
        page = await get(f"{address}/anomalies/3", accept_language="en")

    text = words_of(page)
    assert "Massepolster verschoben" in text
    assert re.search(r"Massepolster 0\.1457 in", text), "3.7 mm"
    assert '"decimal":"."' in page.text
