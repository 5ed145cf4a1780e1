"""The index of a data directory."""

from collections.abc import Callable

import pytest

from imageserver.archive import reading
from imageserver.archive.files import DataDirectory, FoundFile
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


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The paths that were read, in order."""
    paths: list[bytes] = []
    read_file = reading.read_file

    def read(directory: DataDirectory, found: FoundFile) -> reading.ReadFile:
        paths.append(found.path)
        return read_file(directory, found)

    monkeypatch.setattr(reading, "read_file", read)
    return paths
