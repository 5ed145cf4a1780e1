"""The metadata of a series are put together piece by piece, however many instances it has."""

import json
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from imageserver.archive import series_metadata
from imageserver.archive.addresses import InstanceAddress
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.made_metadata import Metadata
from imageserver.archive.models import Instance
from imageserver.archive.series_metadata import (
    MetadataList,
    list_metadata,
    under_address,
    write_metadata,
)
from imageserver.database import Database
from tests.builders import image, uid
from tests.folders import Folder

STUDY, SERIES = "1.2.3", "1.2.4"
PADDING = "x" * 20_000
COUNT = 3000


def document(sop: str, **other: Any) -> bytes:
    uids = {"00080018": sop, "0020000D": STUDY, "0020000E": SERIES}
    elements = {tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()}
    return json.dumps({**elements, **other}, separators=(",", ":")).encode()


def test_3000_instances_in_the_memory_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    def some(
        _database: Any, _directory: Any, _wanted: MetadataList, ids: Sequence[int]
    ) -> list[tuple[str, Metadata]]:
        assert len(ids) <= series_metadata.AT_ONCE
        padding = {"vr": "LT", "Value": [PADDING]}
        return [(f"1.5.{i}", Metadata(document(f"1.5.{i}", **{"00204000": padding}))) for i in ids]

    monkeypatch.setattr(series_metadata, "_metadata_of", some)
    wanted = MetadataList(STUDY, SERIES, '"tag"', tuple(range(COUNT)))
    nothing: Any = None
    tracemalloc.start()
    length = sum(map(len, write_metadata(nothing, nothing, wanted)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > COUNT * len(PADDING)
    assert peak < length / 10


def test_no_instance_at_all() -> None:
    nothing: Any = None
    assert b"".join(write_metadata(nothing, nothing, MetadataList(STUDY, SERIES, '"tag"', ()))) == b"[]"


def test_what_was_given_the_number_of_a_removed_instance_is_not_told(
    database: Database, directory: DataDirectory, folder: Folder, look: Callable[..., Outcome]
) -> None:
    folder.write("a", image(series="a", PatientName="Another^Patient"))
    folder.write("b", image(series="b"))
    look()
    with database.reading() as session:
        numbers = tuple(session.scalars(select(Instance.id)))
        wanted = list_metadata(session, uid("study of", "b"), uid("b"))
    assert wanted is not None
    [told] = json.loads(b"".join(write_metadata(database, directory, wanted._replace(instance_ids=numbers))))
    assert "Another" not in json.dumps(told)


class TestUnderAddress:
    ADDRESS = InstanceAddress(STUDY, SERIES, "1.5.1")

    def test_what_says_its_address_itself_stays_as_it_is(self) -> None:
        assert under_address(document("1.5.1"), self.ADDRESS) == document("1.5.1")

    def test_other_uids_are_replaced(self) -> None:
        found = json.loads(under_address(document("9.9"), self.ADDRESS))
        assert found["00080018"] == {"vr": "UI", "Value": ["1.5.1"]}

    def test_bulk_data_within_items_too(self) -> None:
        item = {"00283006": {"vr": "OW", "BulkDataURI": "bulkdata/00283010/1/00283006"}}
        content = document("1.5.1", **{"00283010": {"vr": "SQ", "Value": [item]}})
        found = json.loads(under_address(content, self.ADDRESS, "instances/1.5.1/"))
        told = found["00283010"]["Value"][0]["00283006"]["BulkDataURI"]
        assert told == "instances/1.5.1/bulkdata/00283010/1/00283006"
