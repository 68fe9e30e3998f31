"""Copies of a record: made while the agent runs, checked by opening them, and put back.

A backup is a folder of its own: the main file, the months' curves, the files of moved cycles, and a
manifest that says what is in it. The main file is copied first: curves are written before the
cycles that they belong to, so that no cycle in a backup is without its curves.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from agent.archive.catalogue import archive_folder
from agent.copying import CopyError, check, copy_database, open_alone
from agent.ending import CommandError
from agent.files import RecordError, curve_files, main_path, refuse_network

MANIFEST = "manifest.json"
CHUNK = 1 << 20

Step = Callable[[str], None]
"""Told what is being done, for a person who waits."""


class BackupError(CommandError):
    """A backup can't be made, or not be put back; the message says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One file of a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in a backup."""

    made_at: str
    sprue: str
    main: str
    """Name of the main file."""
    schema: str
    cycles: int
    files: tuple[Copied, ...]


def back_up(url: str, out: Path, now: datetime, step: Step = lambda _what: None) -> Path:
    """Copy a record into a folder of its own, and check the copy.

    The agent may run meanwhile: it is not held up, and the copy is of one moment.

    Args:
        url: Of the record.
        out: Where the folder is made.
        now: Names the folder.
        step: Told what is being done.

    Returns:
        The folder.

    Raises:
        RecordError: there is no such record.
        BackupError: it can't be copied, or the copy is not sound.
    """
    main = main_path(url)
    if not main.is_file():
        raise RecordError(f"record: there is no {main}; 'sprue run' makes it")
    folder = out / f"{main.stem}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    if folder.exists():
        raise BackupError(f"{folder} is there already; try again in a second")
    with _disk(unfinished):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        names = []
        for path in (main, *curve_files(main)):
            step(path.name)
            with suppress(FileNotFoundError):  # a month that was removed just now
                copy_database(path, unfinished / path.name)
                names.append(path.name)
        for name, sha256 in _moved(unfinished / main.name):
            step(name)
            _copy(main.parent / name, unfinished / name)
            if _sha256(unfinished / name) != sha256:
                raise BackupError(
                    f"{main.parent / name} is damaged: it is not what was written; put the file "
                    "back from an older backup"
                )
            names.append(name)
        step("check")
        manifest = Manifest(
            made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
            sprue=version("sprue"),
            main=main.name,
            schema=_schema(unfinished / main.name),
            cycles=_cycles(unfinished / main.name),
            files=tuple(_copied(unfinished, name) for name in names),
        )
        _write(unfinished / MANIFEST, json.dumps(asdict(manifest), indent=2) + "\n")
        _sync_folder(unfinished)
        unfinished.rename(folder)
        _sync_folder(out)
    return folder


def restore(folder: Path, url: str, step: Step = lambda _what: None) -> Manifest:
    """Put a backup where a record is to be; never over one.

    Args:
        folder: Of a backup.
        url: Of the record that is to be made.
        step: Told what is being done.

    Raises:
        RecordError: the place is not one for a record.
        BackupError: something is there already, or the backup is not what its manifest says.
    """
    from agent.migrations import is_known

    main = main_path(url)
    refuse_network(main)
    manifest = read_manifest(folder)
    if not is_known(manifest.schema, "main"):
        raise BackupError(
            f"{folder} holds schema {manifest.schema}, newer than this Sprue knows; it was made by "
            f"Sprue {manifest.sprue}"
        )
    targets = {each.name: _renamed(main, manifest.main, each.name) for each in manifest.files}
    logs = [path.with_name(f"{path.name}{end}") for path in (main,) for end in ("-wal", "-shm")]
    moved = archive_folder(main)
    there = [path for path in (*targets.values(), *curve_files(main), *logs) if path.exists()]
    if moved.is_dir() and any(moved.glob("month=*")):
        there.append(moved)
    if there:
        raise BackupError(
            f"{there[0]} is there already, and is not written over; move it away, or restore "
            "elsewhere with --record"
        )
    if not main.parent.is_dir():
        raise BackupError(f"the folder {main.parent} does not exist")
    with _disk(main.parent):
        for each in manifest.files:
            step(each.name)
            _refuse_changed(folder / each.name, each)
            _copy(folder / each.name, _unfinished(targets[each.name]))
            if each.name.endswith(".db"):
                check(_unfinished(targets[each.name]))
        # The main file last: until it is there, there is no record.
        for each in sorted(manifest.files, key=lambda each: each.name == manifest.main):
            _unfinished(targets[each.name]).rename(targets[each.name])
        for place in {path.parent for path in targets.values()}:
            _sync_folder(place)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself.

    Raises:
        BackupError: it is none.
    """
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(Copied(**each) for each in found.pop("files"))
        manifest = Manifest(**found, files=files)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{folder} is no backup of Sprue's: {error}") from error
    names = [each.name for each in files]
    if manifest.main not in names or not all(_is_below(name, manifest.main) for name in names):
        raise BackupError(f"{folder}: its manifest does not name the files of a record")
    return manifest


def _schema(path: Path) -> str:
    with closing(open_alone(path)) as database:
        row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0])


def _cycles(path: Path) -> int:
    with closing(open_alone(path)) as database:
        here = int(database.execute("SELECT count(*) FROM cycle").fetchone()[0])
        if not _moves(database):
            return here
        moved = database.execute(
            "SELECT coalesce(sum(rows), 0) FROM archive_file "
            "WHERE id NOT IN (SELECT file_id FROM archive_retired)"
        ).fetchone()
        return here + int(moved[0])


def _moved(path: Path) -> list[tuple[str, str]]:
    """Files of moved cycles, beside the main file, each with its SHA-256."""
    with closing(open_alone(path)) as database:
        if not _moves(database):
            return []
        rows = database.execute(
            "SELECT name, sha256 FROM archive_file "
            "WHERE id NOT IN (SELECT file_id FROM archive_retired) ORDER BY name"
        )
        return [(f"{archive_folder(path).name}/{name}", sha256) for name, sha256 in rows]


def _moves(database: sqlite3.Connection) -> bool:
    """Whether the schema is one that knows of moved cycles."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'archive_file'"
    return database.execute(query).fetchone() is not None


def _is_below(name: str, main: str) -> bool:
    """Whether a name of a manifest is a file of the record, and nothing outside its folder."""
    path = PurePosixPath(name)
    if len(path.parts) == 1:
        return name == path.name and name not in ("", ".", "..")
    return path.parts[0] == archive_folder(Path(main)).name and ".." not in path.parts


def _renamed(main: Path, old_main: str, name: str) -> Path:
    """Where a file of a backup goes, where the record has another name than it had."""
    stem = Path(old_main).stem
    return main if name == old_main else main.parent / (main.stem + name.removeprefix(stem))


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.unfinished")


def _copied(folder: Path, name: str) -> Copied:
    path = folder / name
    return Copied(name=name, size=path.stat().st_size, sha256=_sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_changed(path: Path, said: Copied) -> None:
    if not path.is_file():
        raise BackupError(f"{path} is missing")
    if path.stat().st_size != said.size or _sha256(path) != said.sha256:
        raise BackupError(f"{path} is not what the manifest says: it was changed, or is damaged")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing, CHUNK)
        writing.flush()
        os.fsync(writing.fileno())


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders can't be opened there
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    try:
        yield
    except CopyError as error:
        raise BackupError(str(error)) from error
    except OSError as error:
        raise BackupError(f"{error.filename or place}: {error.strerror}") from error
