"""When cycles of closed months move to Parquet files."""

from typing import Annotated

from pydantic import Field

from drivers.checked import Checked


class HistorySettings(Checked):
    """What may move, and whether the agent does it by itself."""

    move_after_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Of a month that ended so long ago, all cycles may move; none: they stay."""
    daily: bool = False
    """Whether the agent moves them by itself."""
