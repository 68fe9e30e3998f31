"""Stretches of one counter: a new one where it did not simply rise, and where the old one went."""

from dataclasses import replace
from datetime import datetime

from agent.counter import Judgement, Step
from agent.entry import Segment
from agent.standing import SEGMENTS_KEPT, Earlier, Standing, Track

TRACK_MOST = 3
"""A counter goes on where it was before it went elsewhere within so many closings, or not at all"""


def follow(
    machine: str, standing: Standing, verdict: Judgement, counter: int, at: datetime
) -> tuple[list[Segment], Track | None]:
    """Open a new segment where the counter did not simply rise.

    Returns:
        The segment, and the track that the counter has gone back to.
    """
    track, since = standing.track, verdict.closings
    assert standing.ended is not None
    resumed = None
    match verdict.step:
        case Step.SAME:
            return [], None
        case Step.RISEN | Step.DOUBLED | Step.TORN:
            if track is not None:
                gone = track.stood or track.since + since > TRACK_MOST
                standing.track = None if gone else replace(track, since=track.since + since)
            return [], None
        case Step.STUCK if track and track.stood and track.counter == counter:
            standing.track = replace(track, since=track.since + since)
        case Step.RESUMED:
            standing.track, resumed = None, track
        case step:
            standing.rolls = standing.rolls or step is Step.ROLLED_BACK
            standing.track = Track(
                counter=standing.counter,
                since=since,
                ended=standing.ended,
                stood=step is Step.STUCK,
            )
    return [opened(machine, standing, counter - since, at, verdict.step.value)], resumed


def opened(machine: str, standing: Standing, first: int, at: datetime, reason: str) -> Segment:
    """Open a segment; what the ones before it leave open for late reports stays for a while."""
    old = standing.segment
    if old is not None:
        standing.earlier.append(Earlier(old.number, old.first, standing.counter))
        del standing.earlier[:-SEGMENTS_KEPT]
        kept = {each.segment for each in standing.earlier}
        standing.gaps = [gap for gap in standing.gaps if gap.segment in kept]
    segment = Segment(
        machine=machine,
        number=old.number + 1 if old else 1,
        first=first,
        opened_at=at,
        reason=reason,
    )
    standing.segment, standing.counter, standing.run = segment, first, None
    return segment
