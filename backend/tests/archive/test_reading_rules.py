"""After an upgrade what former rules read is read again, and the index is never empty meanwhile."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from imageserver.archive import batches, reading_rules
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import Indexer
from imageserver.archive.lease import Lease
from imageserver.archive.models import File, Instance
from imageserver.database import Database
from imageserver.dicom.limits import Limits
from tests.builders import image, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


def stamps(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(File.read_by)))


def test_rows_of_former_rules_are_read_again_once(
    database: Database, folder: Folder, look: Look, reads: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(volume(3))
    folder.write("junk", b"junk")
    look()
    reads.clear()
    monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)
    look()
    assert reads == [b"slice0000", b"slice0001", b"slice0002", b"junk"]  # what is shown comes first
    assert stamps(database) == {reading_rules.reading_stamp()}
    reads.clear()
    assert not look().has_changed
    assert reads == []


def test_other_limits_are_other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    before = reading_rules.reading_stamp()
    monkeypatch.setattr(reading_rules, "DEFAULT_LIMITS", Limits(depth=31))
    assert reading_rules.reading_stamp() != before


def test_the_index_is_never_empty_while_it_is_read_again(
    database: Database,
    directory: DataDirectory,
    folder: Folder,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder.write_all(volume(7))
    look()
    monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)
    monkeypatch.setattr(batches, "BATCH_FILES", 2)
    counts: list[int] = []

    def count() -> None:
        with database.reading() as session:
            counts.append(session.scalar(select(func.count()).select_from(Instance)) or 0)

    lease = Lease(database)
    assert lease.take()
    Indexer(database, directory, lease, on_change=count).look()
    assert len(counts) > 3
    assert set(counts) == {7}


def test_who_has_a_uid_keeps_it_when_it_is_read_again(
    database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("b", image())
    look()
    folder.write("a", image(PatientID="OTHER"))  # by path it would be the first
    look()
    monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)
    look()
    with database.reading() as session:
        shown = session.scalars(select(File.path).where(File.instance_id.is_not(None))).all()
    assert shown == [b"b"]


def test_a_checksum_stays_with_a_file_that_is_read_again(
    database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(volume(2))
    look()
    with database.writing() as session:
        session.execute(update(File).where(File.path == b"slice0001").values(sha256="a" * 64, scrubbed=7))
    monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)
    look()
    with database.reading() as session:
        found = {row[0]: row[1:] for row in session.execute(select(File.path, File.sha256, File.scrubbed))}
    assert found == {b"slice0000": (None, 0), b"slice0001": ("a" * 64, 7)}


def test_a_checksum_goes_with_the_file_it_was_made_of(database: Database, folder: Folder, look: Look) -> None:
    folder.write("file", image())
    look()
    with database.writing() as session:
        session.execute(update(File).values(sha256="a" * 64))
    folder.write("file", image(SeriesDescription="other"), age=60)
    look()
    with database.reading() as session:
        assert session.scalars(select(File.sha256)).all() == [None]


def test_a_file_that_is_known_to_be_damaged_is_not_read_as_a_good_one(
    database: Database, folder: Folder, look: Look, reads: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("file", image())
    look()
    with database.writing() as session:
        session.execute(update(File).values(state="refused", code="integrity_mismatch"))
    reads.clear()
    monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)
    look()
    assert reads == []
    with database.reading() as session:
        assert session.scalars(select(Instance.sop_instance_uid)).all() == [uid("series", 1)]
