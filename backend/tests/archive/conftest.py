"""The index of a data directory."""

from collections.abc import Callable

import pytest

from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import look_once
from imageserver.database import Database
from imageserver.settings import Settings
from tests.archive.kept_index import Kept


@pytest.fixture
def directory(settings: Settings) -> DataDirectory:
    """The data directory as the archive sees it."""
    return DataDirectory(settings.data_dir)


@pytest.fixture
def look(database: Database, directory: DataDirectory) -> Callable[..., Outcome]:
    """Bring the index up to date once."""

    def run(**options: bool) -> Outcome:
        outcome = look_once(database, directory, **options)
        assert outcome is not None
        return outcome

    return run


@pytest.fixture
def kept(database: Database, directory: DataDirectory) -> Kept:
    """The index of the data directory, empty, with its scrubber."""
    return Kept(database, directory)
