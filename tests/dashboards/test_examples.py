"""Examples in docstrings are what the code answers."""

import doctest
from types import ModuleType

import pytest

import agent.live
from dashboards import catalogue, face, figures, headers, overview, plantzone, spark


@pytest.mark.parametrize(
    "module",
    [agent.live, catalogue, face, figures, headers, overview, plantzone, spark],
    ids=lambda module: module.__name__,
)
def test_an_example_is_what_the_code_answers(module: ModuleType) -> None:
    results = doctest.testmod(module)

    assert results.attempted > 0
    assert results.failed == 0
