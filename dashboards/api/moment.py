"""Times that programs send: with their offset, and of a century that machines live in."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _ours(at: datetime) -> datetime:
    if not FIRST <= at < LAST:
        raise ValueError(f"should be from {FIRST.year} to {LAST.year}")
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_ours)]
"""UTC."""
