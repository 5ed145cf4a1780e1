"""Metadata are made once, kept beside the index, and never take another instance along."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from imageserver.archive import made_metadata, reading_rules
from imageserver.archive import metadata as metadata_module
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.index_writer import Outcome
from imageserver.archive.made_metadata import Metadata
from imageserver.archive.metadata import Source, keep_metadata, metadata_of
from imageserver.archive.models import File, Instance, InstanceMetadata
from imageserver.database import Database
from imageserver.errors import FileGone, FileReplaced, IntegrityMismatch
from tests.builders import image, to_bytes, uid
from tests.folders import Folder

Look = Callable[..., Outcome]


def kept(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(InstanceMetadata)) or 0


def forget(database: Database) -> None:
    """Bring the index to where a former version left it."""
    with database.writing() as session:
        session.execute(delete(InstanceMetadata))


def ask(database: Database, directory: DataDirectory, instance: int = 1) -> Metadata:
    found = metadata_of(database, directory, uid("series", instance))
    assert found is not None
    return found


@pytest.fixture
def one_file(folder: Folder, look: Look) -> Path:
    path = folder.write("file", image(PatientName="Müller^Änne", SpecificCharacterSet="ISO_IR 100"))
    look()
    return path


def test_kept_when_the_file_is_indexed(
    database: Database, directory: DataDirectory, one_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept(database) == 1
    monkeypatch.setattr(metadata_module, "make_metadata", lambda _: pytest.fail("made again"))
    assert ask(database, directory).dataset["00100010"]["Value"] == [{"Alphabetic": "Müller^Änne"}]


def test_where_they_are_missing_made_at_the_first_question(
    database: Database, directory: DataDirectory, one_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(database)
    first = ask(database, directory)
    assert first.dataset["00100010"]["Value"] == [{"Alphabetic": "Müller^Änne"}]
    assert kept(database) == 1
    monkeypatch.setattr(metadata_module, "make_metadata", lambda _: pytest.fail("made again"))
    assert ask(database, directory) == first


def test_other_rules_make_them_anew(
    database: Database, directory: DataDirectory, one_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(database, directory)
    monkeypatch.setattr(reading_rules, "METADATA_VERSION", 10_000)
    monkeypatch.setattr(metadata_module, "make_metadata", lambda _: Metadata(b'{"new": 1}'))
    assert ask(database, directory).dataset == {"new": 1}
    assert kept(database) == 1


def test_an_unknown_instance_has_none(database: Database, directory: DataDirectory, one_file: Path) -> None:
    assert metadata_of(database, directory, "1.2.3") is None


@pytest.mark.parametrize("was_asked", [False, True])
def test_they_go_with_the_file(
    database: Database, directory: DataDirectory, one_file: Path, was_asked: bool
) -> None:
    if was_asked:
        ask(database, directory)
    one_file.write_bytes(to_bytes(image(PatientName="Other")))
    with pytest.raises(FileReplaced):
        ask(database, directory)
    one_file.unlink()
    (one_file.parent / "another").write_bytes(b"so that the folder is not empty")
    with pytest.raises(FileGone):
        ask(database, directory)


def test_they_are_removed_with_their_instance(
    database: Database, directory: DataDirectory, folder: Folder, one_file: Path, look: Look
) -> None:
    assert ask(database, directory).content
    folder.write("another", image(instance=2))
    one_file.unlink()
    look()
    assert metadata_of(database, directory, uid("series", 1)) is None
    assert kept(database) == 1


def test_a_damaged_file_tells_what_stands_before_the_damage(
    database: Database, directory: DataDirectory, folder: Folder, look: Look
) -> None:
    folder.write("cut", to_bytes(image())[:-20])
    look()
    assert ask(database, directory).dataset["00100020"]["Value"] == ["TEST-1"]


def test_what_cannot_be_made_is_a_finding_and_the_next_instance_has_its_own(
    database: Database, directory: DataDirectory, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all([image(instance=1), image(instance=2)])
    look()
    forget(database)
    make = made_metadata.header_json_text
    monkeypatch.setattr(made_metadata, "header_json_text", lambda _: 1 / 0)
    broken = ask(database, directory, 1)
    assert (broken.dataset, [finding["code"] for finding in broken.findings]) == ({}, ["no_metadata"])
    monkeypatch.setattr(made_metadata, "header_json_text", make)
    assert ask(database, directory, 2).dataset["00080018"]["Value"] == [uid("series", 2)]


def test_nothing_is_told_of_a_file_whose_content_is_not_the_indexed_one(
    database: Database, directory: DataDirectory, one_file: Path
) -> None:
    ask(database, directory)
    with database.writing() as session:
        session.execute(update(Instance).values(refused_code="integrity_mismatch"))
    with pytest.raises(IntegrityMismatch):
        ask(database, directory)


def test_nothing_is_kept_for_an_instance_that_got_another_file_meanwhile(
    database: Database, directory: DataDirectory, one_file: Path
) -> None:
    with database.reading() as session:
        file = session.scalars(select(File)).one()
    identity = FileIdentity(file.size, file.mtime_ns + 1, file.inode)
    assert file.instance_id is not None
    forget(database)
    with database.writing() as session:
        keep_metadata(session, Source(file.instance_id, file.path, identity), Metadata(b"{}"))
    assert kept(database) == 0
