"""What is wrong with an agent's surroundings, and what to do about it: `sprue doctor`.

Every examination is one function that yields findings. It reads and asks, and changes nothing: the
agent may run meanwhile, or not have run yet. Where the agent's own word is to be had (its record),
it is taken rather than asked for anew.
"""

import ctypes
import os
import re
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from agent.backup import MANIFEST
from agent.certificates import expiring
from agent.checking import Reading
from agent.config import Loaded
from agent.console import ago, span
from agent.files import RecordError, curve_files, main_path, refuse_network, trouble_of
from agent.forward.reach import Reached
from agent.forward.standing import standings
from agent.history import MachineSums, open_history

State = Literal["good", "look", "bad"]

FREE_LEAST = 1 << 30
"""Bytes on the record's disk below which a person should look."""
FREE_NONE = 64 << 20
"""Bytes below which the record will soon take nothing."""
LASTS_LEAST = timedelta(days=30)
BACKUP_OLD = timedelta(days=7)
CLOCK_OFF_S = 2.0
"""Machines' clocks that are off by less are right, for cycles."""
FILES_PER_MACHINE = 4
FILES_OF_OURS = 128
"""Open files of an agent without machines: record, months, pages, sinks; a guess with room."""
SQLITE_LEAST = (3, 35)
OTHERS_MAY = stat.S_IWOTH
"""Somebody who is neither the owner nor of the group may write."""
STA_UNSYNC = 0x0040
"""Of Linux's `adjtimex`: nobody keeps the clock right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    area: str
    state: State
    """`look`: it works, and a person should see to it; `bad`: something does not work."""
    found: str
    do: str = ""
    """What to do about it; empty where all is well."""


def examine(
    loaded: Loaded,
    now: datetime,
    *,
    readings: Sequence[Reading] | None = None,
    sinks: Sequence[Reached] | None = None,
) -> list[Finding]:
    """Look at everything.

    Args:
        loaded: The configuration, which is right.
        now: Our clock.
        readings: What the machines answered just now; None where nobody asked them.
        sinks: The same of the sinks.
    """
    path = main_path(loaded.record_url)
    sums, unreadable = _sums(loaded, now)
    looks: list[Callable[[], Iterator[Finding]]] = [
        lambda: _versions(),
        lambda: _clock(sums),
        lambda: _place(path),
        lambda: _disk(path, now),
        lambda: _record(path, sums, unreadable),
        lambda: _backups(path, now),
        lambda: _permissions(loaded, path),
        lambda: _files_open(loaded),
        lambda: _certificates(loaded, now),
        lambda: _machines(sums, now) if readings is None else _answers(readings),
        lambda: _sinks(loaded, sums is not None, now),
        lambda: _reached(sinks or ()),
    ]
    return [finding for look in looks for finding in look()]


def _sums(loaded: Loaded, now: datetime) -> tuple[list[MachineSums] | None, str | None]:
    """The loss identities of the record; None where there is none yet, or why it can't be read."""
    if not main_path(loaded.record_url).exists():
        return None, None
    try:
        with open_history(loaded.record_url) as history:
            return history.sums(now), None
    except (RecordError, sqlite3.Error) as error:
        return None, str(error)


def _versions() -> Iterator[Finding]:
    ours = version("sprue")
    python = ".".join(map(str, sys.version_info[:3]))
    wrong = []
    for line in requires("sprue") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            there = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(there, prereleases=True):
            wrong.append(f"{wanted.name} is {there}, not {wanted.specifier}")
    if sqlite3.sqlite_version_info < SQLITE_LEAST:
        least = ".".join(map(str, SQLITE_LEAST))
        wrong.append(f"SQLite is {sqlite3.sqlite_version}, not {least} or later")
    if wrong:
        yield Finding(
            area="versions",
            state="bad",
            found="; ".join(wrong),
            do="install Sprue anew with its lock (README): other versions were not tried with it",
        )
    else:
        found = (
            f"Sprue {ours}, Python {python}, SQLite {sqlite3.sqlite_version}, libraries as locked"
        )
        yield Finding(area="versions", state="good", found=found)


def _clock(sums: Sequence[MachineSums] | None) -> Iterator[Finding]:
    """Whether somebody keeps this computer's clock right, and whose clocks are off."""
    off = {
        each.machine: each.condition.clock.ahead_s
        for each in sums or ()
        if each.condition.clock is not None
        and abs(each.condition.clock.ahead_s) > CLOCK_OFF_S + each.condition.clock.within_s
    }
    known = sum(each.condition.clock is not None for each in sums or ())
    kept = _clock_is_kept()
    one_way = len(off) == known > 1 and len({ahead > 0 for ahead in off.values()}) == 1
    if one_way:
        ahead_s = sorted(off.values())[len(off) // 2]
        way = "behind" if ahead_s > 0 else "ahead"
        yield Finding(
            area="clock",
            state="bad",
            found=f"all {known} machines' clocks say that this computer is about "
            f"{span(abs(ahead_s))} {way}",
            do="set this computer's clock, and let a time service keep it",
        )
        return
    if kept is False:
        yield Finding(
            area="clock",
            state="look",
            found="no time service keeps this computer's clock right",
            do="enable one (systemd-timesyncd, chrony): times of cycles are by this clock where a "
            "machine has none",
        )
    else:
        found = (
            "a time service keeps it right" if kept else "kept by the system, as far as can be seen"
        )
        yield Finding(area="clock", state="good", found=found)
    for machine, ahead_s in off.items():
        yield Finding(
            area="clock",
            state="look",
            found=f"{machine}'s is {span(abs(ahead_s))} {'ahead' if ahead_s > 0 else 'behind'}",
            do="set it at the machine; its cycles are counted right all the same",
        )


def _clock_is_kept() -> bool | None:
    """By the kernel's word, on Linux; None where nobody can tell."""
    if not sys.platform.startswith("linux"):
        return None
    status = ctypes.create_string_buffer(512)  # `struct timex`; all zero asks and changes nothing
    try:
        answer = ctypes.CDLL(None).adjtimex(status)
    except (OSError, AttributeError):
        return None
    if answer < 0:
        return None
    at = 5 * ctypes.sizeof(ctypes.c_long)  # modes (padded), offset, freq, maxerror, esterror
    return not int.from_bytes(status.raw[at : at + 4], sys.byteorder) & STA_UNSYNC


def _place(path: Path) -> Iterator[Finding]:
    folder = path.absolute().parent
    if not folder.is_dir():
        found, do = f"its folder {folder} is not there", "make it, or change [record] url"
    elif not os.access(folder, os.W_OK | os.X_OK):
        found, do = f"{folder} can't be written to", "give the agent's user the right to"
    else:
        try:
            refuse_network(path)
        except RecordError as error:
            found, _, do = str(error).removeprefix("record: ").partition("; ")
        else:
            return
    yield Finding(area="record", state="bad", found=found, do=do)


def _disk(path: Path, now: datetime) -> Iterator[Finding]:
    """Room that is left, and for how long it lasts at the pace of this record so far."""
    folder = next(
        each for each in (path.absolute().parent, *path.absolute().parents) if each.exists()
    )
    free = shutil.disk_usage(folder).free
    files = [each for each in (path, *curve_files(path)) if each.exists()]
    size = sum(each.stat().st_size for each in files)
    found, lasts = f"{_size(free)} free", None
    if files:
        born = min(datetime.fromtimestamp(_born(each), now.tzinfo) for each in files)
        if (age := now - born) > timedelta(days=1) and size:
            lasts = age * (free / size)
            found += f", the record is {_size(size)}: at its pace enough for {_long(lasts)}"
        else:
            found += f", the record is {_size(size)}"
    if free < FREE_NONE:
        yield Finding(area="disk", state="bad", found=found, do="make room now")
    elif free < FREE_LEAST or (lasts is not None and lasts < LASTS_LEAST):
        yield Finding(area="disk", state="look", found=found, do="make room, or move the record")
    else:
        yield Finding(area="disk", state="good", found=found)


def _born(path: Path) -> float:
    """When a file was made, as far as the system tells; else when it changed last."""
    status = path.stat()
    return getattr(status, "st_birthtime", min(status.st_mtime, status.st_ctime))


def _record(
    path: Path, sums: Sequence[MachineSums] | None, unreadable: str | None
) -> Iterator[Finding]:
    if unreadable is not None:
        do = "do what it says; keep a damaged file, and `sprue restore` a backup elsewhere"
        found = unreadable.removeprefix("record: ")
        yield Finding(area="record", state="bad", found=found, do=do)
        return
    if (trouble := trouble_of(path)) is not None:
        yield Finding(
            area="record",
            state="bad",
            found=f"the agent can't write: {trouble}",
            do="mend what it says; it goes on by itself, and what it could not keep is counted",
        )
    if sums is None:
        do = "start the agent: `sprue run`"
        yield Finding(area="record", state="look", found=f"{path} is not there yet", do=do)
    else:
        found = f"{path}, {sum(each.kept for each in sums):,} cycles of {len(sums)} machines"
        yield Finding(area="record", state="good", found=found)


def _backups(path: Path, now: datetime) -> Iterator[Finding]:
    """Of the folder where `sprue backup` puts them unless it is told otherwise."""
    if not path.exists():
        return
    manifests = list((path.parent / "backups").glob(f"*/{MANIFEST}"))
    newest = max((each.stat().st_mtime for each in manifests), default=None)
    if newest is None:
        yield Finding(
            area="backup",
            state="look",
            found=f"none in {path.parent / 'backups'}",
            do="`sprue backup`, once a day, to another disk (--out)",
        )
        return
    at = datetime.fromtimestamp(newest, now.tzinfo)
    if now - at > BACKUP_OLD:
        found = f"the newest is {ago(at, now)} old"
        yield Finding(area="backup", state="look", found=found, do="`sprue backup`, once a day")
    else:
        yield Finding(area="backup", state="good", found=f"the newest is {ago(at, now)} old")


def _permissions(loaded: Loaded, path: Path) -> Iterator[Finding]:
    """Files that others may write to, though the agent believes them."""
    if sys.platform == "win32":
        return
    believed = [loaded.path, path, path.absolute().parent]
    for each in believed:
        if each.exists() and each.stat().st_mode & OTHERS_MAY and not _is_sticky(each):
            yield Finding(
                area="permissions",
                state="bad",
                found=f"anybody on this computer may write to {each}",
                do=f"chmod o-w {each}",
            )


def _is_sticky(path: Path) -> bool:
    """A folder such as /tmp: everybody may write, and nobody touch another's files."""
    return path.is_dir() and bool(path.stat().st_mode & stat.S_ISVTX)


def _files_open(loaded: Loaded) -> Iterator[Finding]:
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_OF_OURS + FILES_PER_MACHINE * len(loaded.config.machine)
    if soft != resource.RLIM_INFINITY and soft < needed:
        yield Finding(
            area="limits",
            state="bad",
            found=f"a process may open {soft} files; {len(loaded.config.machine)} machines need "
            f"about {needed}",
            do="raise LimitNOFILE of the service, or `ulimit -n`",
        )


def _certificates(loaded: Loaded, now: datetime) -> Iterator[Finding]:
    for machine, sentences in expiring(loaded, now).items():
        for sentence in sentences:
            over = re.search(r"\bexpired\b", sentence) is not None
            yield Finding(
                area="certificates",
                state="bad" if over else "look",
                found=f"{machine}: {sentence}",
                do="renew it at its owner; ours is made anew when its files are moved away, and "
                "has to be trusted by the machine again",
            )


def _machines(sums: Sequence[MachineSums] | None, now: datetime) -> Iterator[Finding]:
    """How each does by the record, as the agent left it."""
    up = [each for each in sums or () if each.link == "up"]
    if up:
        missing = [each for each in up if each.condition.unavailable]
        yield Finding(area="machines", state="good", found=f"{len(up)} up")
        for each in missing:
            yield Finding(
                area="machines",
                state="look",
                found=f"{each.machine} does not give {', '.join(each.condition.unavailable)}",
                do="compare its map with `sprue check --connect`",
            )
    for each in sums or ():
        if each.link == "never":
            found, do = "was never reached", "`sprue check --connect` says why"
        elif each.blind_now is not None:
            found = f"down for {ago(each.blind_now.since, now)}: {each.blind_now.why}"
            do = "see to the machine or its network; the agent tries on by itself"
        else:
            continue
        yield Finding(area="machines", state="bad", found=f"{each.machine} {found}", do=do)


def _answers(readings: Sequence[Reading]) -> Iterator[Finding]:
    """How each answered just now."""
    good = sum(each.error is None for each in readings)
    if good:
        yield Finding(area="machines", state="good", found=f"{good} answered")
    for each in readings:
        if each.error is not None:
            do = "see to the machine, its address and its network"
            found = f"{each.machine}: {each.error}"
            yield Finding(area="machines", state="bad", found=found, do=do)


def _sinks(loaded: Loaded, recorded: bool, now: datetime) -> Iterator[Finding]:
    """How deliveries do, by the record."""
    configured = {each.name for each in loaded.config.forward}
    for each in standings(loaded.record_url) if recorded else ():
        if each.name not in configured:
            continue
        if each.trouble is not None:
            since = ago(each.trouble_since, now)
            found = f"{each.name}: {each.trouble}, for {since}; {each.rows:,} rows wait"
            do = "see to the sink; the agent tries on by itself, and nothing is lost"
            yield Finding(area="sinks", state="bad", found=found, do=do)
        if each.letters:
            found = f"{each.name} refused {each.letters:,} rows"
            do = "`sprue outbox list` says why; then `sprue outbox retry` or `drop`"
            yield Finding(area="sinks", state="look", found=found, do=do)
        if each.trouble is None and not each.letters:
            found = f"{each.name}: {each.rows:,} rows wait"
            yield Finding(area="sinks", state="good", found=found)


def _reached(sinks: Sequence[Reached]) -> Iterator[Finding]:
    for each in sinks:
        if each.error is not None:
            found = f"{each.sink} at {each.place}: {each.error}"
            do = "see to its address, its token and its bucket"
            yield Finding(area="sinks", state="bad", found=found, do=do)
        else:
            found = f"{each.sink} at {each.place} takes rows"
            yield Finding(area="sinks", state="good", found=found)


def _size(n: float) -> str:
    """Bytes as people say them.

    >>> _size(0), _size(1536), _size(5 * 2**30)
    ('0 B', '1.5 kB', '5.0 GB')
    """
    if n < 1024:
        return f"{n:.0f} B"
    for unit in ("kB", "MB", "GB"):
        n /= 1024
        if n < 1024:
            return f"{n:.1f} {unit}"
    return f"{n / 1024:.1f} TB"


def _long(time: timedelta) -> str:
    """A length of time that is long.

    >>> _long(timedelta(days=12)), _long(timedelta(days=900))
    ('12 days', '2.5 years')
    """
    return f"{time.days:,} days" if time.days < 365 else f"{time.days / 365.25:,.1f} years"
