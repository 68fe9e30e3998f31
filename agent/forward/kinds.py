"""What differs between kinds of sinks: which topics they are told, how a row is packed, who sends.

Their libraries take a while to load, and most plants have one kind or none: each is imported when
it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from agent.forward.settings import AnySink, LineSink, PlantSettings
from agent.forward.sink import Sink
from agent.forward.topics import CURVES, TOPICS, Row, Topic
from agent.plantrecord.topics import PLANT_TOPICS

EVERY_TOPIC = {topic.name: topic for topic in PLANT_TOPICS}
"""By name; what other kinds are told has the same names, order and keys."""

Pack = Callable[[str, Row], bytes]
"""Makes a row of a topic into bytes; none where the sink has no use for it."""


def topics_of(settings: AnySink) -> Sequence[Topic]:
    """What a sink is told, in the order in which backlogs go."""
    topics = PLANT_TOPICS if isinstance(settings, PlantSettings) else TOPICS
    return [topic for topic in topics if topic.name != CURVES or settings.curves]


def packer_of(settings: AnySink) -> Pack:
    """What makes rows into bytes for a sink."""
    if isinstance(settings, PlantSettings):
        from agent.plantrecord.packing import packer

        return packer(settings)
    return _lines_of(settings)


def _lines_of(settings: LineSink) -> Pack:
    from agent.forward.lines import Lines, joined
    from agent.forward.points import ENCODERS

    lines = Lines(settings.tags, texts=settings.texts)
    return lambda topic, row: joined(map(lines.line, ENCODERS[topic](row, settings)))


def opener_of(
    settings: AnySink, agent: str, machines: Mapping[str, bool]
) -> Callable[[], AbstractAsyncContextManager[Sink]]:
    """What opens a sink.

    Args:
        settings: Of the sink.
        agent: Whose record is forwarded.
        machines: Its configured ones, and whether it shares each with other agents.
    """
    if isinstance(settings, PlantSettings):
        from agent.plantrecord.sink import open_plant_sink

        return partial(open_plant_sink, settings, agent, machines)
    from agent.forward.lineserver import open_sink

    return partial(open_sink, settings)
