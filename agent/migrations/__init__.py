"""Brings a record's files to the newest schema, from any version that was ever released."""

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


def upgrade(connection: Connection, branch: str) -> None:
    """Migrate the database behind a connection.

    Args:
        connection: Open, outside a transaction.
        branch: `main` or `curves`.

    Raises:
        NewerSchemaError: it holds a schema that this Sprue does not know.
    """
    config = Config()
    config.set_main_option("script_location", str(HERE / branch).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None:
        try:
            known = script.get_revision(current)
        except CommandError:
            known = None
        if known is None:
            raise NewerSchemaError(f"its schema is {current}, newer than this Sprue knows")
        if current == script.get_current_head():
            connection.rollback()
            return
    connection.rollback()
    command.upgrade(config, "head")
    connection.commit()
