"""The schema's history, and the functions that bring a database to its head.

Lives inside the package, so that an installed server can migrate wherever it runs. Alembic is imported only where there
is something to migrate: a start on a schema that is as it should be need not wait for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from imageserver.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

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
            from alembic import command

            command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Bring the schema back to an older revision; what the newer one added is lost."""
    from alembic import command

    with database.writing() as session:
        command.downgrade(_config(session.connection()), revision)


def is_migrated(connection: Connection) -> bool:
    """Tell whether the schema is the one that this version needs."""
    return _current(connection) == _head()


def _refuse_newer(connection: Connection) -> None:
    current = _current(connection)
    if current is not None and current not in _revisions():
        raise NewerSchema(
            f"The database has schema {current}, which this version of the server does not know."
        )


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _head() -> str:
    return _revisions()[-1]


@cache
def _revisions() -> tuple[str, ...]:
    """Return all revisions in their order; each is the number that the name of its file begins with."""
    return tuple(sorted(path.name[:4] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py")))


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
