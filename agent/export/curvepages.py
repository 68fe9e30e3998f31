"""The curves of a page of cycles, from the months' files, a query a machine and month."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from agent import curves as codec
from agent.cycle import Curve
from agent.export.page import Page
from agent.export.survey import Survey
from agent.files import curves_path, is_plant, main_path, reader
from agent.rows import from_ns
from agent.schema import curve


@contextmanager
def open_curves(url: str) -> Iterator["Curves"]:
    """The curves of a record; a month's file is opened when it is first asked for."""
    with ExitStack() as stack:
        if is_plant(url):
            from agent.plantrecord.reading import open_reader  # with all that migrates one

            engine = stack.enter_context(open_reader(url))
            yield Curves(None, stack, stack.enter_context(closing(engine.connect())))
        else:
            yield Curves(main_path(url), stack)


@dataclass(slots=True)
class Curves:
    """Reads curves; `open_curves` makes one."""

    main: Path | None
    stack: ExitStack
    together: Connection | None = None
    """Where the curves of all months are in one place."""
    _months: dict[Path, Connection | None] = field(default_factory=dict)

    def signals(self, survey: Survey) -> list[str]:
        """Every signal of which a machine of the selection has a curve in its months."""
        found: set[str] = set()
        for each in survey.coverage:
            for month in _months(each.since, each.until):
                if (connection := self._month(month)) is not None:
                    names = select(curve.c.signal).where(curve.c.machine == each.machine)
                    found.update(connection.execute(names.distinct()).scalars())
        return sorted(found)

    def of(self, page: Page) -> list[dict[str, Curve]]:
        """By row, the curves by signal; none where the month was removed."""
        times = [from_ns(ns) for ns in page["time_ns"]]
        keys = list(zip(page["machine"], page["segment"], page["counter"], strict=True))
        found: dict[tuple[str, int, int], dict[str, Curve]] = {key: {} for key in keys}
        wanted: dict[tuple[datetime, str, int], list[int]] = {}
        for at, (machine, segment, counter) in zip(times, keys, strict=True):
            wanted.setdefault((_month_of(at), machine, segment), []).append(counter)
        for (month, machine, segment), counters in wanted.items():
            if (connection := self._month(month)) is None:
                continue
            query = select(curve).where(
                curve.c.machine == machine,
                curve.c.segment == segment,
                curve.c.counter.in_(counters),
            )
            for row in connection.execute(query):
                found[machine, segment, row.counter][row.signal] = codec.decode(
                    row.data, from_ns(row.started_ns)
                )
        return [found[key] for key in keys]

    def _month(self, month: datetime) -> Connection | None:
        if self.main is None:
            return self.together
        path = curves_path(self.main, month)
        if path not in self._months:
            self._months[path] = None
            if path.is_file():
                engine = reader(path)
                self.stack.callback(engine.dispose)
                self._months[path] = self.stack.enter_context(closing(engine.connect()))
        return self._months[path]


def _month_of(at: datetime) -> datetime:
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def _months(since: datetime, until: datetime) -> Sequence[datetime]:
    """Every month, UTC, from one time to another."""
    found, month = [], _month_of(since.astimezone(UTC))
    while month <= until:
        found.append(month)
        month = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
    return found
