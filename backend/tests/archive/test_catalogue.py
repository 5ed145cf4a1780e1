"""What a process remembers of the index is never older than its generation."""

from collections.abc import Callable
from typing import Any

import pytest

from imageserver.archive import catalogue as module
from imageserver.archive.catalogue import Catalogue
from imageserver.archive.index_writer import Outcome
from imageserver.archive.series_metadata import MetadataList
from imageserver.database import Database
from imageserver.errors import NoVolume, SeriesNotFound
from tests.builders import image, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database)


def test_an_empty_index(catalogue: Catalogue) -> None:
    with pytest.raises(NoVolume):
        catalogue.volume(None)


def test_repeated_questions_cost_no_query(
    catalogue: Catalogue, folder: Folder, look: Look, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(volume(3))
    look()
    first = catalogue.volume(None)
    monkeypatch.setattr(module, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(database, "reading", lambda: pytest.fail("the database was asked"))
    assert catalogue.volume(None) is first
    assert catalogue.volume(uid("series")) is first


def test_a_change_is_seen(catalogue: Catalogue, folder: Folder, look: Look) -> None:
    folder.write_all(volume(3))
    look()
    assert catalogue.volume(None).summary.slice_count == 3
    folder.write_all(volume(5, series="larger"), prefix="larger")
    look()
    catalogue.forget()  # what half a second does
    assert catalogue.volume(None).summary.series_instance_uid == uid("larger")


def test_a_removed_series_is_not_found(catalogue: Catalogue, folder: Folder, look: Look) -> None:
    folder.write("kept", image(series="kept"))
    path = folder.write("removed", image(series="removed"))
    look()
    catalogue.volume(uid("removed"))
    path.unlink()
    look()
    catalogue.forget()
    with pytest.raises(SeriesNotFound):
        catalogue.volume(uid("removed"))


def test_what_was_made_for_an_older_index_is_not_kept(
    catalogue: Catalogue, folder: Folder, look: Look
) -> None:
    folder.write("a", image())
    look()

    def make_while_the_index_changes() -> str:
        folder.write("b", image(series="b"))
        look()
        catalogue.forget()
        catalogue.status()
        return "old"

    assert catalogue.remember("key", make_while_the_index_changes) == "old"
    assert catalogue.remember("key", lambda: "new") == "new"


def test_what_is_made_of_an_older_volume_is_never_kept_for_the_present_one(
    catalogue: Catalogue, folder: Folder, look: Look
) -> None:
    folder.write_all(volume(3))
    look()
    old = catalogue.volume(None)
    folder.write_all(volume(5), prefix="more")
    look()
    catalogue.forget()
    assert catalogue.remember("count", lambda: 3, of=old) == 3
    present = catalogue.volume(None)
    assert present.summary.slice_count == 5
    assert catalogue.remember("count", lambda: 5, of=present) == 5
    assert catalogue.remember("count", lambda: 6, of=present) == 5
    assert catalogue.remember("count", lambda: 3, of=old) == 3


class TestMemory:
    def test_long_lists_push_out_others(self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_WEIGHT", 100)
        for number in range(10):
            catalogue.ask_once(number, lambda _: [None] * 30)
        asked = []
        for number in range(10):
            catalogue.ask_once(number, lambda _, number=number: asked.append(number) or [])  # type: ignore[misc]
        assert asked == [0, 1, 2, 3, 4, 5, 6]

    @pytest.mark.parametrize("is_study", [False, True])
    def test_lists_of_metadata_are_as_long_as_what_they_name(
        self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, is_study: bool
    ) -> None:
        monkeypatch.setattr(module, "MAX_WEIGHT", 100)
        one = MetadataList("1.2", "1.3", "tag", tuple(range(60)))
        value: Any = [one] if is_study else one
        for number in range(2):
            catalogue.ask_once(number, lambda _: value)
        asked: list[int] = []
        for number in range(2):
            catalogue.ask_once(number, lambda _, number=number: asked.append(number) or value)  # type: ignore[misc]
        assert asked == [0, 1]  # each pushes out the other

    def test_one_list_is_remembered_however_long(
        self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_WEIGHT", 100)
        first = catalogue.ask_once("long", lambda _: [None] * 1000)
        assert catalogue.ask_once("long", lambda _: [None]) is first

    def test_what_there_is_not_is_not_remembered(self, catalogue: Catalogue) -> None:
        asked: list[int] = []
        for _ in range(2):
            catalogue.ask_once("nothing", lambda _: asked.append(1) or [])  # type: ignore[func-returns-value]
        assert len(asked) == 2
