"""Whose turn it is to be scrubbed."""

import pytest
from sqlalchemy import func, select

from imageserver.archive.files import DataDirectory
from imageserver.archive.lease import Lease
from imageserver.archive.models import InstanceMetadata
from imageserver.archive.scrubbing import Scrubber
from imageserver.database import Database
from tests.archive.kept_index import DAY, Kept
from tests.builders import image, volume
from tests.folders import Folder


def test_a_file_is_looked_at_once_per_interval(folder: Folder, kept: Kept) -> None:
    folder.write_all(volume(2))
    kept.look()
    assert [kept.scrub(), kept.scrub(days=0.5), kept.scrub(days=0.5)] == [2, 0, 2]


def test_a_clock_that_was_set_back_stops_no_scrub(folder: Folder, kept: Kept) -> None:
    folder.write_all(volume(2))
    kept.look()
    assert [kept.scrub(days=100), kept.scrub(days=-100)] == [2, 2]


def test_metadata_are_made_in_passing(
    database: Database, folder: Folder, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(volume(3))
    kept.look()
    kept.scrub()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(InstanceMetadata)) == 3
    monkeypatch.setattr("imageserver.archive.reading_rules.METADATA_VERSION", 10_000)
    folder.write("later", image(instance=9))
    kept.look()
    assert kept.scrub(days=0) == 4  # the new one, then those whose metadata former rules made
    assert kept.scrub(days=0) == 0
    with database.reading() as session:
        stamps = session.scalars(select(InstanceMetadata.made_by)).all()
    assert len(stamps) == 4
    assert all(stamp.startswith("10000-") for stamp in stamps)


def test_only_who_keeps_the_index_scrubs(
    database: Database, directory: DataDirectory, folder: Folder, kept: Kept
) -> None:
    folder.write_all(volume(2))
    kept.look()
    other = Lease(database)
    assert not other.take()
    assert Scrubber(database, directory, other, interval=DAY).step() == 0
    other.take(by_force=True)
    assert kept.scrub() == 0
    assert Scrubber(database, directory, other, interval=DAY).step() == 2


def test_nothing_is_scrubbed_while_the_folder_is_read(database: Database, folder: Folder, kept: Kept) -> None:
    folder.write("file", image())
    folder.write("growing", image(instance=2), age=0)
    assert kept.look().is_settling
    assert kept.scrub() == 0
