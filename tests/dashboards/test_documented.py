"""The reference page of the pages says what there is."""

import re
from pathlib import Path

import pytest

from agent.users.roles import ROLES
from dashboards.overview import ZOOMS
from dashboards.rights import RIGHTS
from dashboards.wire import COLUMNS, Topic

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "pages.md"


@pytest.fixture(scope="module")
def page() -> str:
    """The text of the page."""
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("topic", COLUMNS)
def test_the_columns_of_a_topic_are_the_columns_on_the_page(topic: Topic, page: str) -> None:
    line = next(line for line in page.splitlines() if line.startswith(f"| `{topic}` | `"))

    assert tuple(re.findall(r"`([a-z_]+)`", line)[1:]) == COLUMNS[topic]


def test_the_steps_of_zoom_are_the_steps_on_the_page(page: str) -> None:
    assert f"per cent: {', '.join(map(str, ZOOMS))} |" in page


def test_who_may_do_what_is_what_the_page_says(page: str) -> None:
    lines = [
        f"| `{right}` | {' | '.join('yes' if role in may else '' for role in ROLES)} |"
        for right, may in RIGHTS.items()
    ]

    assert [line for line in page.splitlines() if re.match(r"\| `\w+\.\w+` \|", line)] == lines
