"""Run by Alembic: on the connection that ``migrate`` passes, or on the settings' database for developers."""

from alembic import context
from sqlalchemy import Connection

import imageserver.accounts.models
import imageserver.archive.models
import imageserver.audit.models
import imageserver.measurements.models  # noqa: F401 - these imports fill Base.metadata
from imageserver.database import Base, Database
from imageserver.settings import Settings


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter most of a table
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with Database(Settings().effective_database_url).engine.begin() as own:
        _run(own)
