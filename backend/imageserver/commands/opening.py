"""The server's database, as commands beside the running server open it."""

from collections.abc import Iterator
from contextlib import contextmanager

from imageserver.database import Database
from imageserver.migrations import migrate
from imageserver.settings import Settings
from imageserver.startup import make_state_dir


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the server's database, migrated, for one command."""
    make_state_dir(settings)
    database = Database(settings.effective_database_url)
    try:
        migrate(database)
        yield database
    finally:
        database.dispose()
