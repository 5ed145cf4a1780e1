"""The commands, run as a person would."""

from collections.abc import Callable

import pytest

from imageserver.cli import main
from imageserver.settings import Settings

Run = Callable[..., int]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `imageserver` with arguments; returns its exit code."""
    monkeypatch.setenv("IMAGESERVER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("IMAGESERVER_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("IMAGESERVER_DATABASE_URL", settings.database_url)

    def command(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return command
