"""The schema's history, and the functions that bring a database to its head.

Lives inside the package, so that an installed server can migrate wherever it runs.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from imageserver.database import Database

ADVISORY_LOCK = 7_262_019  # any number, the same in all processes that migrate


class NewerSchema(RuntimeError):
    """The database was migrated by a newer version of the server."""


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the schema to a newer revision, in one transaction; several processes may call it at once.

    Raises
    ------
    NewerSchema
        If the database has a revision that this version does not know.
    DatabaseUnavailable
        If the database does not answer.
    """
    with database.writing() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        _refuse_newer(connection)
        if revision != "head" or not is_migrated(connection):
            command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Bring the schema back to an older revision; what the newer one added is lost."""
    with database.writing() as session:
        command.downgrade(_config(session.connection()), revision)


def is_migrated(connection: Connection) -> bool:
    """Tell whether the schema is the one that this version needs."""
    return _current(connection) == _head()


def _refuse_newer(connection: Connection) -> None:
    current = _current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise NewerSchema(
            f"The database has schema {current}, which this version of the server does not know."
        )


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
