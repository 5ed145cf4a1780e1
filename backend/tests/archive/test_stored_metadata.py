"""The metadata of every instance are kept with the index, small, and read without a file."""

import random
import shutil
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from imageserver.archive import batches
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.made_metadata import Metadata, make_metadata, pack, unpack
from imageserver.archive.models import File, Instance, InstanceMetadata, MetadataBase
from imageserver.archive.stored_metadata import add_metadata, read_metadata
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


class TestPack:
    DOCUMENTS = tuple(b'{"%06d":"%s"}' % (n, b"the same" * 500) for n in range(9))

    @pytest.mark.parametrize("base", [b"", DOCUMENTS[0], b"something else", bytes(100_000)])
    def test_comes_back_whatever_the_base(self, base: bytes) -> None:
        for document in (*self.DOCUMENTS, b"{}", random.Random(1).randbytes(200_000)):
            assert unpack(pack(document, base), base) == document

    def test_takes_only_what_differs(self) -> None:
        assert len(pack(self.DOCUMENTS[1], self.DOCUMENTS[0])) < 100

    def test_what_was_packed_without_a_base_needs_none(self) -> None:
        assert unpack(pack(b"{}"), b"some base") == b"{}"


def ids(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(select(Instance.id).order_by(Instance.sop_instance_uid)))


def test_every_instance_is_read_without_a_file(
    database: Database, folder: Folder, settings: Settings, look: Look
) -> None:
    paths = folder.write_all(volume(5))
    made = []
    for path in paths:
        with path.open("rb") as stream:
            made.append(make_metadata(stream))
    look()
    shutil.rmtree(settings.data_dir)
    with database.reading() as session:
        found = read_metadata(session, ids(database))
    assert sorted(found.values()) == sorted(made)
    assert all(metadata.dataset["00100020"]["Value"] == ["TEST-1"] for metadata in found.values())


def test_the_instances_of_a_series_share_a_base(database: Database, folder: Folder, look: Look) -> None:
    folder.write_all(volume(9))
    folder.write("other", image(series="other"))
    look()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MetadataBase)) == 2
        sizes = [len(content) for content in session.scalars(select(InstanceMetadata.content))]
    assert max(sizes) < 400


def test_they_and_their_base_go_with_the_series(database: Database, folder: Folder, look: Look) -> None:
    paths = folder.write_all(volume(3))
    folder.write("other", image(series="other"))
    look()
    for path in paths:
        path.unlink()
    look()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MetadataBase)) == 1
        assert session.scalar(select(func.count()).select_from(InstanceMetadata)) == 1


def test_a_damaged_file_has_what_stands_before_the_damage(
    database: Database, folder: Folder, look: Look
) -> None:
    [path] = folder.write_all([image()])
    folder.write(path.name, path.read_bytes()[:-20])
    look()
    with database.reading() as session:
        [found] = read_metadata(session, ids(database)).values()
    assert found.dataset["00100020"]["Value"] == ["TEST-1"]


def test_those_of_other_rules_are_not_told(database: Database, folder: Folder, look: Look) -> None:
    folder.write_all(volume(2))
    look()
    first, second = ids(database)
    with database.writing() as session:
        mine = InstanceMetadata.instance_id == first
        session.execute(update(InstanceMetadata).where(mine).values(made_by="old"))
    with database.reading() as session:
        assert list(read_metadata(session, [first, second])) == [second]


def test_the_base_stays_when_its_instance_goes(
    database: Database, directory: DataDirectory, folder: Folder, look: Look
) -> None:
    paths = folder.write_all(volume(3))
    look()
    before = {}
    with database.reading() as session:
        before = read_metadata(session, ids(database))
        first = session.scalars(select(File.path).order_by(File.instance_id).limit(1)).one()
    next(path for path in paths if path.name.encode() == first).unlink()
    look()
    with database.reading() as session:
        after = read_metadata(session, ids(database))
    assert after == {key: before[key] for key in after}
    assert len(after) == 2


def test_a_second_base_is_never_written(database: Database, folder: Folder, look: Look) -> None:
    folder.write_all(volume(2))
    look()
    with database.writing() as session:
        row = session.execute(select(Instance.id, Instance.series_id).limit(1)).one()
        session.execute(InstanceMetadata.__table__.delete().where(InstanceMetadata.instance_id == row.id))  # type: ignore[attr-defined]
        add_metadata(session, [(row.id, row.series_id, Metadata(b'{"other":1}'))])
    with database.reading() as session:
        assert read_metadata(session, [row.id])[row.id].content == b'{"other":1}'
        assert session.scalar(select(func.count()).select_from(MetadataBase)) == 1


def test_long_ones_make_short_batches(
    database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_METADATA_BYTES", 3000)
    folder.write_all(volume(7))
    look()
    with database.reading() as session:
        assert len(read_metadata(session, ids(database))) == 7
