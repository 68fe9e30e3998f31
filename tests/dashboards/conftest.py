"""Plants to show."""

import pytest

from agent.live import Plant
from tests.dashboards.story import story


@pytest.fixture
def demo_plant() -> Plant:
    """24 presses on a Monday afternoon."""
    return story(24)


@pytest.fixture
def small_plant() -> Plant:
    """12 presses on the same afternoon."""
    return story(12)
