"""Prints docs/reference/schema.md from the record's tables; a test compares the two.

python scripts/schema.py > docs/reference/schema.md
"""

from sqlalchemy import Column, ForeignKey, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import sqlite

from agent import schema
from drivers.signals import SIGNALS

HEAD = f"""# The record's tables

The record is SQLite: a main file, and beside it a file a month for curves, named
`MAIN-YYYY-MM.curves.db`. Printed from `agent/schema.py` by `python scripts/schema.py`; the main
file's schema is version {schema.VERSION}. `sprue run` brings an older record up to date, after it
has made a [backup](commands.md#backup-and-restore); a newer one is refused.

Any program may read it while the agent runs: open it read-only, keep no transaction open, and don't
copy the files: `sprue backup` does. Names that end in `_ns` are whole nanoseconds since 1970, UTC.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, *_tables(schema.main)]
    parts += ["# A month's curves\n", *_tables(schema.curves)]
    return "\n".join(parts)


def _tables(metadata: MetaData) -> list[str]:
    return [_section(table) for table in metadata.tables.values()]


def _section(table: Table) -> str:
    lines = [f"## `{table.name}`", ""]
    if table.comment:
        lines += [f"{table.comment[0].upper()}{table.comment[1:]}.", ""]
    lines += ["| column | type | null | what |", "|---|---|---|---|"]
    lines += [_row(column) for column in table.columns]
    unique = [
        ", ".join(f"`{column.name}`" for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    if unique:
        lines += ["", f"Once each: {'; '.join(sorted(unique))}."]
    return "\n".join([*lines, ""])


def _row(column: Column[object]) -> str:
    kind = column.type.compile(dialect=sqlite.dialect()).lower()
    null = "yes" if column.nullable else ""
    return f"| `{column.name}` | {kind} | {null} | {_text(column)} |"


def _text(column: Column[object]) -> str:
    said = []
    if column.primary_key:
        said.append("key")
    for key in column.foreign_keys:
        assert isinstance(key, ForeignKey)
        said.append(f"of `{key.target_fullname.split('.')[0]}`")
    if column.comment:
        said.append(column.comment)
    elif column.table.name == "cycle" and column.name in SIGNALS:
        said.append(SIGNALS[column.name].text)
    return "; ".join(said).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
