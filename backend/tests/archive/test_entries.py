"""Entries of the list of volumes follow what the files say."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from imageserver.archive import entry_words
from imageserver.archive.entry_words import LONGEST_KEY, find_words, prefixes, sort_key
from imageserver.archive.index_writer import Outcome
from imageserver.archive.models import Series, Study, VolumeEntry, VolumePrefix, VolumeWord
from imageserver.database import Database
from imageserver.migrations import downgrade, migrate
from tests.builders import image, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


def rows_of(database: Database) -> tuple[list[Any], set[str]]:
    columns = [column for column in VolumeEntry.__table__.columns if column.name != "accession_number"]
    with database.reading() as session:
        found = session.execute(select(*columns).order_by(VolumeEntry.series_id)).all()
        words = set(session.scalars(select(VolumeWord.word)))
        counted = select(VolumePrefix.prefix).where(VolumePrefix.volumes > 0)
        assert set(session.scalars(counted)) == prefixes(words)
        return [tuple(row) for row in found], words


def test_a_new_name_replaces_the_old_one(database: Database, folder: Folder, look: Look) -> None:
    folder.write("a", image(PatientName="Doe^Jane"))
    look()
    folder.write("a", image(PatientName="Roe^Jane"))
    look()
    _, words = rows_of(database)
    assert {"roe", "jane"} <= words
    assert "doe" not in words


def test_a_removed_series_leaves_nothing(database: Database, folder: Folder, look: Look) -> None:
    path = folder.write("a", image(series="a", PatientName="Doe^Jane"))
    folder.write("b", image(series="b", PatientName="Roe^Richard"))
    look()
    path.unlink()
    look()
    rows, words = rows_of(database)
    assert (len(rows), words & {"doe", "roe"}) == (1, {"roe"})


def test_a_series_without_pictures_has_no_entry(database: Database, folder: Folder, look: Look) -> None:
    folder.write("report", image(Modality="SR", PixelData=None, Rows=None))
    look()
    assert rows_of(database) == ([], set())


def test_a_series_that_loses_its_pictures_loses_its_entry(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write("report", image(PixelData=None, Rows=None))
    picture = folder.write("picture", image(instance=2))
    look()
    assert len(rows_of(database)[0]) == 1
    picture.unlink()
    look()
    assert rows_of(database) == ([], set())


def test_a_later_file_can_bring_the_accession_number(database: Database, folder: Folder, look: Look) -> None:
    folder.write("a", image(AccessionNumber=None))
    look()
    folder.write("b", image(instance=2, AccessionNumber="ACC-9"))
    look()
    with database.reading() as session:
        assert session.scalar(select(VolumeEntry.accession_number)) == "ACC-9"
        assert session.scalar(select(Study.accession_number)) == "ACC-9"


def test_long_values_fit_an_index(database: Database, folder: Folder, look: Look) -> None:
    long = "長い名前" * 3000
    folder.write(
        "a",
        image(SpecificCharacterSet="ISO_IR 192", PatientName=long, SeriesDescription=long, PatientID=long),
    )
    assert look().state == "ready"
    with database.reading() as session:
        assert len(session.scalar(select(VolumeEntry.patient_id)) or "") == LONGEST_KEY
        assert session.scalar(select(VolumeEntry.series_instance_uid)) == uid("series")


def test_short_beginnings_are_counted_whatever_happens(
    database: Database, folder: Folder, look: Look
) -> None:
    def assert_counted() -> None:
        with database.reading() as session:
            counted = {
                row.prefix: row.volumes for row in session.scalars(select(VolumePrefix)) if row.volumes
            }
            words: dict[int, set[str]] = {}
            for row in session.scalars(select(VolumeWord)):
                words.setdefault(row.series_id, set()).add(row.word)
        assert counted == Counter(prefix for own in words.values() for prefix in prefixes(own))

    names = ["Ma^Max", "Mai^Mia", "Ümit^Ma", "山田^太郎", "M^", "Doe^Jane"]
    values = {"SpecificCharacterSet": "ISO_IR 192"}
    paths = [
        folder.write(f"{number}", image(series=number, PatientName=name, **values))
        for number, name in enumerate(names)
    ]
    look()
    assert_counted()
    folder.write("0", image(series=0, PatientName="Roe^Max", **values))
    folder.write("again", image(series=1, instance=2, PatientName="Mai^Mia", **values))
    paths[2].unlink()
    paths[3].unlink()
    look()
    assert_counted()
    for path in [*paths[:2], *paths[4:], folder.path / "again"]:
        path.unlink()
    look(forget_missing=True)
    assert_counted()


def test_words_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_words, "MAX_WORDS", 3)
    patient = {"raw": "Doe^Jane", "patient_id": "1", "other_names": [{"name": "Roe"}]}
    assert find_words(patient, ["thorax"]) == {"doe", "jane", "1"}


def test_a_patient_without_anything_has_no_words() -> None:
    assert find_words({"raw": None, "name": None, "patient_id": None}, [None]) == set()
    assert sort_key(None) == ""


def test_the_migration_makes_the_entries_of_what_is_there(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write_all(volume(3, PatientName="Müller^Anna", SpecificCharacterSet="ISO_IR 192"))
    folder.write("dated", image(series="dated", StudyDate="20200101", StudyDescription="Knie"))
    folder.write("undated", image(series="undated", StudyDate=""))
    folder.write("report", image(series="report", Modality="SR", PixelData=None, Rows=None))
    look()
    expected = rows_of(database)
    assert len(expected[0]) == 3
    try:
        downgrade(database, "0004")
    finally:
        migrate(database)
    assert rows_of(database) == expected
    with database.reading() as session:
        assert session.scalar(select(Series.id).where(Series.modality == "SR")) is not None
