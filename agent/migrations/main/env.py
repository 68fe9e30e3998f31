"""Runs the migrations of the main file over the connection that `upgrade` hands in."""

from alembic import context

from agent.schema import main

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=main, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
