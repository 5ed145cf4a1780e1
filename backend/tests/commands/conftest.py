"""The commands, run as a person would."""

from collections.abc import Callable, Iterator

import pytest

from imageserver.archive.files import DataDirectory
from imageserver.archive.managed_store import Store
from imageserver.cli import main
from imageserver.database import Database
from imageserver.settings import Settings

Run = Callable[..., int]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `imageserver` with arguments; returns its exit code."""
    monkeypatch.setenv("IMAGESERVER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("IMAGESERVER_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("IMAGESERVER_DATABASE_URL", settings.database_url)
    if settings.store_dir is not None:
        monkeypatch.setenv("IMAGESERVER_STORE_DIR", str(settings.store_dir))

    def command(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return command


@pytest.fixture
def store(settings: Settings, database: Database) -> Iterator[Store]:
    """The store of the server beside which the command runs."""
    made = Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))
    yield made
    made.close()
