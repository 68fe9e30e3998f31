"""Sums since the start of the plant's day, for the overview."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from agent.batch import Blind
from agent.ledger import Entry
from agent.live import Today

DAY_STARTS_AT_H = 6
"""The early shift's start, where nobody says otherwise."""


def day_start(now: datetime, zone: ZoneInfo) -> datetime:
    """The start of the plant's day that `now` lies in, UTC.

    >>> from datetime import UTC
    >>> day_start(datetime(2026, 7, 2, 3, 0, tzinfo=UTC), ZoneInfo("Europe/Berlin")).isoformat()
    '2026-07-01T04:00:00+00:00'
    """
    local = now.astimezone(zone)
    start = local.replace(hour=DAY_STARTS_AT_H, minute=0, second=0, microsecond=0)
    if start > local:
        start = (start - timedelta(days=1)).replace(hour=DAY_STARTS_AT_H)
    return start.astimezone(now.tzinfo)


class Tally:
    """Counts what is booked, and what can't be seen, from one start of day to the next.

    Args:
        today: The sums so far, read from the record at start; its `blind_s` counts only
            intervals that have ended.
        zone: The plant's time zone.
    """

    def __init__(self, today: Today, zone: ZoneInfo) -> None:
        self._zone = zone
        self._today = today
        self._closed_s = today.blind_s

    def add(self, entry: Entry) -> None:
        """Count one entry."""
        self._today = replace(
            self._today,
            shots=self._today.shots + sum(shots for _mold, _revision, shots in entry.added()),
            cycles=self._today.cycles + entry.recorded,
            unobserved=self._today.unobserved + sum(run.unobserved for run in entry.runs),
        )

    def ended(self, blind: Blind) -> None:
        """Count a blind interval that is over."""
        if blind.until is not None:
            self._closed_s += _within(blind, self._today.since, blind.until)

    def now(self, now: datetime, open_blinds: Iterable[Blind]) -> Today:
        """The sums at this instant; a new day starts them anew."""
        since = day_start(now, self._zone)
        if since > self._today.since:
            self._today, self._closed_s = Today(since=since), 0.0
        open_s = sum(_within(blind, since, now) for blind in open_blinds)
        self._today = replace(self._today, blind_s=self._closed_s + open_s)
        return self._today


def _within(blind: Blind, since: datetime, until: datetime) -> float:
    return max(0.0, (until - max(blind.since, since)).total_seconds())
