"""Brings a record's files to the newest schema, from any version that was ever released."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

HERE = Path(__file__).parent


class NewerSchemaError(Exception):
    """The file was written by a newer Sprue."""


def is_known(version: str, branch: str) -> bool:
    """Whether a schema is this Sprue's newest, or an older one that it can bring up to date."""
    try:
        return _script(branch).get_revision(version) is not None
    except CommandError:
        return False


def upgrade(connection: Connection, branch: str, before: Callable[[str], None]) -> None:
    """Migrate the database behind a connection; all or nothing, whatever happens meanwhile.

    Args:
        connection: Open, outside a transaction.
        branch: `main` or `curves`.
        before: Told the present version, before one that has data is changed.

    Raises:
        NewerSchemaError: it holds a schema that this Sprue does not know.
    """
    script = _script(branch)
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    if current == script.get_current_head():
        return
    if current is not None:
        if not is_known(current, branch):
            raise NewerSchemaError(
                f"its schema is {current}, newer than this Sprue knows "
                f"({script.get_current_head()}); "
                "use the Sprue that wrote it, or a newer one"
            )
        before(current)
    config = _config(branch)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def _config(branch: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / branch).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _script(branch: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(branch))
