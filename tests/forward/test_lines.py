"""Line protocol that every server reads back as it was sent; types by the table, never by value."""

import doctest
import math
from types import ModuleType

import pytest

import agent.forward.lines
import agent.forward.lineserver
import agent.forward.points
from agent.forward.lines import Lines, Point
from agent.forward.measurements import CYCLE, MEASUREMENTS


def line(texts: bool = True, **fields: object) -> str | None:
    more = fields.pop("more", {})
    tags = {"machine": "IMM 1", "mold": None, "revision": "A"}
    point = Point(measurement=CYCLE, tags=tags, fields=fields, more=more, time_ns=5)  # type: ignore[arg-type]
    made = Lines({"site": "B=2"}, texts=texts).line(point)
    return made.decode() if made is not None else None


HEAD = r"sprue_cycle,site=B\=2,machine=IMM\ 1,mold=none,revision=A"


def test_a_line_is_what_the_protocol_says() -> None:
    assert line(counter=7, cycle_time_s=20, job='a "b"', closing="shot") == (
        HEAD + r' counter=7i,closing="shot",job="a \"b\"",cycle_time_s=20.0 5'
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "12"])
def test_what_is_no_number_is_left_out(value: object) -> None:
    assert line(counter=1, cycle_time_s=value) == HEAD + " counter=1i 5"


def test_a_whole_number_of_a_float_field_stays_a_float() -> None:
    """One integer in a float field is an error for good on InfluxDB."""
    assert line(cycle_time_s=20) == line(cycle_time_s=20.0)


def test_an_integer_that_no_server_holds_is_left_out() -> None:
    assert line(counter=2**63, segment=1) == HEAD + " segment=1i 5"


def test_where_only_numbers_are_stored_words_are_labels_and_texts_are_left_out() -> None:
    assert line(texts=False, counter=7, closing="dry", job="J") == (
        HEAD + ",closing=dry,state=none,mode=none counter=7i 5"
    )


def test_a_point_of_which_nothing_can_be_stored_is_none() -> None:
    assert line(cycle_time_s=math.nan) is None
    assert line(texts=False, job="J") is None


def test_a_line_break_can_begin_no_line_of_its_own() -> None:
    made = line(counter=1, job="a\nsprue_cycle,machine=X counter=2i 5", more={"x\ny": 1.0})

    assert made is not None
    assert "\n" not in made


def test_no_tag_and_field_share_a_name_and_no_field_comes_twice() -> None:
    for measurement in MEASUREMENTS:
        names = [*measurement.tags, *(field.name for field in measurement.fields)]
        assert len(names) == len(set(names)), measurement.name


@pytest.mark.parametrize(
    "module", [agent.forward.lines, agent.forward.points, agent.forward.lineserver]
)
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    found = doctest.testmod(module)

    assert found.failed == 0
    assert found.attempted > 0
