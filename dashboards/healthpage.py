"""How Sprue itself does: every source, what was lost on the way, every sink, the disk."""

import glob
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from agent.files import is_plant, main_path
from agent.forward.standing import Standing, standings
from agent.history import History, MachineSums
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.figures import duration_parts, number
from dashboards.plantzone import PlantZone
from drivers.skew import Skew

BYTES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))

ASIDE = re.compile(r"\.curves\.db\.damaged-[^-]+$")

SCARCE = 0.05
"""Less of the disk free than this needs somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFound:
    """What the record and its disk say."""

    machines: Sequence[MachineSums]
    sinks: Sequence[Standing]
    files: Sequence[tuple[str, int]]
    """Names and bytes."""
    disk_free: int
    disk_size: int


def look_at_health(url: str, history: History, now: datetime) -> HealthFound:
    """Read what the page shows."""
    if is_plant(url):
        return HealthFound(machines=history.sums(now), sinks=(), files=(), disk_free=0, disk_size=0)
    path = main_path(url)
    usage = shutil.disk_usage(path.parent)
    return HealthFound(
        machines=history.sums(now),
        sinks=standings(url),
        files=sorted((file.name, size) for file in files_of(path)
                     if (size := _size(file)) is not None),
        disk_free=usage.free,
        disk_size=usage.total,
    )  # fmt: skip


def files_of(main: Path) -> list[Path]:
    """A record's files and what lies beside each: logs, locks, damaged ones, older schemas."""
    stem = glob.escape(main.stem)
    patterns = (
        f"{glob.escape(main.name)}*", f"{stem}-????-??.curves.db*", f"{stem}.schema-*.db",
    )  # fmt: skip
    return [path for pattern in patterns for path in main.parent.glob(pattern)]


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size if file.is_file() else None
    except OSError:
        return None  # gone meanwhile, as a log is


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One machine."""

    name: str
    driver: str
    link: str
    why: str
    seen: str
    clock: str
    cycles: str
    kept: str
    refused: str
    unobserved: str
    blind: str
    missing: str
    """Signals that it does not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRow:
    """One store that gets everything."""

    name: str
    kind: str
    place: str
    waiting: str
    since: str
    told: str
    letters: str
    trouble: str


class HealthPage:
    """Everything that the template of the page needs."""

    def __init__(
        self, found: HealthFound, now: datetime, strings: Catalogue, zone: PlantZone
    ) -> None:
        self.now = now
        self.version = version("sprue")
        self._found = found
        self._strings = strings
        self._zone = zone
        share = found.disk_free / found.disk_size if found.disk_size else 1.0
        self.scarce = share < SCARCE
        self.has_files = found.disk_size > 0
        """A plant record has none here, and is the sink itself."""
        self.disk = strings.say(
            "health.free", free=size(found.disk_free), whole=size(found.disk_size)
        )
        self.files = [(shown(name), size(n)) for name, n in found.files]
        self.aside = ", ".join(shown(name) for name, _ in found.files if ASIDE.search(name))
        """Damaged files that were set aside, without what lies beside each."""

    @property
    def sources(self) -> list[SourceRow]:
        """Every machine: what came, what was kept, and where we were blind."""
        return [self._source(each) for each in self._found.machines]

    @property
    def identity(self) -> str:
        """That what came is what was kept and what was refused, over all machines."""
        machines = self._found.machines
        seen, kept = sum(m.seen for m in machines), sum(m.kept for m in machines)
        refused = seen - kept
        return self._strings.say(
            "health.identity", seen=number(seen), kept=number(kept), refused=number(refused),
            unobserved=number(sum(m.unobserved for m in machines)),
        )  # fmt: skip

    @property
    def sinks(self) -> list[SinkRow]:
        """Every sink that is configured."""
        return [self._sink(each) for each in self._found.sinks]

    def _source(self, each: MachineSums) -> SourceRow:
        say = self._strings.say
        condition = each.condition
        refused = ", ".join(
            f"{number(n)} {shown(reason).replace('_', ' ')}" for reason, n in each.refused.items()
        )
        return SourceRow(
            name=each.machine,
            driver=each.driver or "",
            link=each.link,
            why=shown(each.blind_now.why) if each.blind_now else "",
            seen=say("health.ago", age=self._span((self.now - each.seen_at).total_seconds()))
            if each.seen_at
            else say("health.never"),
            clock=_ahead(condition.clock),
            cycles=number(each.seen),
            kept=number(each.kept),
            refused=refused,
            unobserved=number(each.unobserved),
            blind=self._span(each.blind_s) if each.blind_s >= 0.5 else "",
            missing=", ".join(shown(name) for name in condition.unavailable),
        )

    def _sink(self, each: Standing) -> SinkRow:
        def moment(at: datetime | None) -> str:
            return self._zone.moment(at, self.now) if at else ""

        return SinkRow(
            name=shown(each.name),
            kind=each.kind,
            place=shown(each.place),
            waiting=number(each.rows),
            since=moment(each.oldest_at),
            told=moment(each.acknowledged_at),
            letters=number(each.letters) if each.letters else "",
            trouble=shown(each.trouble or each.note or ""),
        )

    def _span(self, seconds: float) -> str:
        key, parts = duration_parts(seconds)
        return self._strings.say(key, **parts)


def size(n: int) -> str:
    """Bytes in a unit that fits.

    >>> size(999), size(1_500_000).replace("\\u202f", " ")
    ('999 B', '1.5 MB')
    """
    for unit, name in BYTES:
        if n >= unit:
            return f"{number(n / unit, 1 if n < 100 * unit else 0)} {name}"
    return f"{n} B"


def _ahead(skew: Skew | None) -> str:
    if skew is None:
        return ""
    sign = "+" if skew.ahead_s >= 0 else "−"
    return f"{sign}{number(abs(skew.ahead_s), 1)} s"
