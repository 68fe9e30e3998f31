"""A record of any version that ever was is brought up to date whole, after a copy was made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.pool import NullPool

from agent import schema
from agent.files import APPLICATION_ID, RecordError, begin_immediate, writer
from agent.history import Filter, open_history
from agent.migrations import HERE
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.record import open_record


def versions(branch: str) -> list[str]:
    """All there were, oldest first."""
    script = ScriptDirectory(str(HERE / branch))
    return [each.revision for each in reversed(list(script.walk_revisions()))]


FIRST_RECORD = """
INSERT INTO machine (id, name, driver, seen_ns) VALUES (1, 'IMM-01', 'modbus', 1772431300000000000);
INSERT INTO mold (id, name, revision, registered, planned_shots) VALUES (1, 'A-1', 'A', 1, 1000);
INSERT INTO segment (machine_id, number, first, opened_ns, reason)
    VALUES (1, 1, 0, 1772431200000000000, 'first_seen');
INSERT INTO mount (machine_id, mold_id, revision, since_ns, source)
    VALUES (1, 1, 'A', 1772431200000000000, 'machine');
INSERT INTO provenance (id, body) VALUES (1, '{"cycle_time_s":"reported"}');
INSERT INTO cycle (id, machine_id, segment, counter, time_ns, received_ns, time_uncertainty_s,
        mold_id, revision, closing, state, flags, provenance_id, cycle_time_s)
    VALUES (1, 1, 1, 1, 1772431220000000000, 1772431220000000000, 0, 1, 'A', 'shot',
        'production', '', 1, 20.5),
           (2, 1, 1, 2, 1772431240000000000, 1772431240000000000, 0, 1, 'A', 'shot',
        'production', '', 1, 20.6);
INSERT INTO ledger (machine_id, segment, kind, first, last, mold_id, revision, closings, shots,
        unobserved, since_ns, until_ns, evidence)
    VALUES (1, 1, 'seen', 1, 2, 1, 'A', 2, 2, 0, 1772431220000000000, 1772431240000000000, ''),
           (1, 1, 'unobserved', 3, 5, 1, 'A', 3, 3, 3, 1772431240000000000,
        1772431300000000000, 'the counter');
INSERT INTO blind (machine_id, since_ns, until_ns, cause, why)
    VALUES (1, 1772431240000000000, 1772431300000000000, 'unreachable', 'no answer');
"""
"""What the very first schema held, with a row of everything that counts."""


def make(path: Path, branch: str, version: str) -> None:
    """A file of an old version; what lies in the main one came with the first."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "begin", begin_immediate)
    config = Config()
    config.set_main_option("script_location", str(HERE / branch))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, versions(branch)[0])
        if branch == "main":
            for statement in FIRST_RECORD.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
        command.upgrade(config, version)
        connection.commit()
    engine.dispose()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")


@pytest.mark.parametrize("version", versions("main"))
async def test_a_record_of_every_version_goes_on_as_the_newest(
    tmp_path: Path, version: str
) -> None:
    path = tmp_path / "plant.db"
    make(path, "main", version)

    async with open_record(f"sqlite:///{path}") as record:
        standing = record.before["IMM-01"].standing

    assert standing.counter == 5
    with open_history(f"sqlite:///{path}") as history, history.connect() as connection:
        cycles = list(history.cycles(Filter()))
        ((name, took),) = read_took(connection).items()
        (blind,) = history.blinds()
    assert [(each.cycle.counter, each.cycle.values) for each in cycles] == [
        (1, {"cycle_time_s": 20.5}), (2, {"cycle_time_s": 20.6}),
    ]  # fmt: skip
    assert (name, sum_of(took).shots, sum_of(took).unobserved) == ("A-1", 5, 3)
    assert blind.cause == "unreachable"


@pytest.mark.parametrize(
    ("branch", "version", "tables"),
    [("main", each, schema.main) for each in versions("main")]
    + [("curves", each, schema.curves) for each in versions("curves")],
)
def test_every_version_becomes_what_the_schema_says(
    tmp_path: Path, branch: str, version: str, tables: MetaData
) -> None:
    make(tmp_path / "old.db", branch, version)

    with writer(tmp_path / "old.db", branch) as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables) == []


def test_the_old_file_is_kept_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    old = versions("main")[-2]
    make(path, "main", old)
    with writer(path, "main"):
        pass

    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "plant.db", f"plant.schema-{old}.db",
    ]  # fmt: skip
    with closing(sqlite3.connect(tmp_path / f"plant.schema-{old}.db")) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == (old,)
        assert kept.execute("SELECT count(*) FROM cycle").fetchone() == (2,)


def test_a_new_record_and_one_of_today_are_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        with writer(tmp_path / "plant.db", "main"):
            pass

    assert [each.name for each in tmp_path.iterdir()] == ["plant.db"]


def test_an_update_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    make(path, "main", "0006")
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE lane (x)")  # in the way of the next version
        database.commit()
        before = database.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()

    with pytest.raises(RecordError, match="table lane already exists"), writer(path, "main"):
        pass

    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0006",)
        assert database.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_where_no_copy_can_be_made_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    make(path, "main", "0006")
    (tmp_path / "plant.schema-0006.db.unfinished").mkdir()

    with pytest.raises(RecordError, match="no backup before the update"), writer(path, "main"):
        pass

    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0006",)
