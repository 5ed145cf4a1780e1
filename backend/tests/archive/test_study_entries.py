"""Entries of the list of studies follow what the series say."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import delete, select

from imageserver.archive.entry_words import prefixes
from imageserver.archive.index_writer import Outcome
from imageserver.archive.models import (
    Series,
    Study,
    StudyEntry,
    StudyPrefix,
    StudyWord,
    VolumeEntry,
    VolumePrefix,
    VolumeWord,
)
from imageserver.archive.study_entries import summarise_study_patient
from imageserver.archive.summaries import write_entries_of_studies
from imageserver.database import Database
from imageserver.migrations import downgrade, migrate
from tests.builders import image, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


def entries(database: Database) -> list[StudyEntry]:
    with database.reading() as session:
        return list(session.scalars(select(StudyEntry).order_by(StudyEntry.study_instance_uid)))


def only_entry(database: Database) -> StudyEntry:
    (entry,) = entries(database)
    return entry


def words(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(StudyWord.word)))


def shown(database: Database) -> Study:
    with database.reading() as session:
        return session.scalars(select(Study)).one()


def everything(database: Database) -> dict[str, Any]:
    """All that the two lists hold, without numbers that only the database gives."""
    with database.reading() as session:
        found: dict[str, Any] = {}
        for name, table, key, word in (
            ("volumes", VolumeEntry, VolumeEntry.series_instance_uid, VolumeWord),
            ("studies", StudyEntry, StudyEntry.study_instance_uid, StudyWord),
        ):
            columns = [c for c in table.__table__.columns if c.name not in ("series_id", "study_id")]
            found[name] = sorted(tuple(row) for row in session.execute(select(*columns)))
            own = next(c for c in word.__table__.columns if c.name != "word")
            entry = next(c for c in table.__table__.columns if c.primary_key)
            joined = select(key, word.__table__.c.word).select_from(table).join(word, own == entry)
            found[f"words of {name}"] = sorted(tuple(row) for row in session.execute(joined))
        for name, prefix, count in (
            ("volumes", VolumePrefix.prefix, VolumePrefix.volumes),
            ("studies", StudyPrefix.prefix, StudyPrefix.studies),
        ):
            found[f"prefixes of {name}"] = sorted(
                tuple(row) for row in session.execute(select(prefix, count).where(count != 0))
            )
        found["shown"] = sorted(
            (study.study_instance_uid, repr(study.patient), study.modalities)
            for study in session.scalars(select(Study))
        )
        return found


def test_a_study_counts_its_series_and_their_pictures(database: Database, folder: Folder, look: Look) -> None:
    folder.write_all(volume(5, series="ct", study="s", Modality="CT", StudyDescription="Knie rechts"))
    folder.write("mr", image(series="mr", study="s", Modality="MR"))
    folder.write("report", image(series="sr", study="s", Modality="SR", PixelData=None, Rows=None))
    look()
    entry = only_entry(database)
    assert (entry.series_count, entry.slice_count, entry.series_without_pictures) == (2, 6, 1)
    assert (entry.verdict, entry.series_instance_uid) == ("volume", uid("ct"))
    assert (entry.modality, entry.description) == ("CT\\MR\\SR", "knie rechts")
    assert shown(database).modalities == ["CT", "MR", "SR"]


def test_a_study_without_pictures_is_listed_as_such(database: Database, folder: Folder, look: Look) -> None:
    folder.write("report", image(Modality="SR", PixelData=None, Rows=None, PatientName="Roe^Richard"))
    look()
    entry = only_entry(database)
    assert (entry.series_count, entry.slice_count, entry.series_without_pictures) == (0, 0, 1)
    assert (entry.series_instance_uid, entry.verdict, entry.patient_name) == ("", "empty", "roe richard")
    assert {"roe", "richard", "=SR"} <= words(database)


def test_a_study_is_found_by_what_any_of_its_series_says(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write("a", image(series="a", study="s", PatientName="Doe^Jane", SeriesDescription="T1 axial"))
    folder.write(
        "b", image(series="b", study="s", PatientName="Roe^J", PatientID="9", AccessionNumber="ACC-7")
    )
    look()
    assert {"doe", "jane", "roe", "9", "t1", "axial", "acc", "7", "=CT"} <= words(database)
    entry = only_entry(database)
    assert entry.accession_number == "ACC-7"  # the second file brought it


def test_a_study_whose_series_disagree_about_the_patient_says_so(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write_all(volume(3, series="a", study="s", PatientName="Doe^Jane", PatientID="1"))
    folder.write("b", image(series="b", study="s", PatientName="Roe^Richard", PatientID="2"))
    look()
    patient = shown(database).patient
    assert (patient["name"], patient["patient_id"]) == ("Doe, Jane", "1")
    assert patient["other_names"] == [{"name": "Roe, Richard", "count": 1}]
    assert patient["other_patient_ids"] == ["2"]


def test_the_entry_follows_when_series_come_and_go(database: Database, folder: Folder, look: Look) -> None:
    big = folder.write_all(volume(4, series="big", study="s", PatientName="Doe^Jane"))
    look()
    folder.write("b", image(series="b", study="s", Modality="MR", PatientName="Roe^Jane"))
    look()
    assert only_entry(database).series_count == 2
    for path in big:
        path.unlink()
    look()
    entry = only_entry(database)
    assert (entry.series_count, entry.slice_count, entry.verdict) == (1, 1, "single_image")
    assert (entry.patient_name, entry.modality) == ("roe jane", "MR")
    assert words(database) & {"doe", "roe", "=CT", "=MR"} == {"roe", "=MR"}


def test_a_removed_study_leaves_nothing(database: Database, folder: Folder, look: Look) -> None:
    path = folder.write("a", image(series="a"))
    folder.write("b", image(series="b", PatientName="Roe^Richard"))
    look()
    path.unlink()
    look()
    assert only_entry(database).study_instance_uid == uid("study of", "b")
    with database.reading() as session:
        counted = session.execute(select(StudyPrefix.prefix, StudyPrefix.studies)).all()
    assert {row.prefix for row in counted if row.studies} == prefixes(words(database))


def test_a_series_number_that_was_not_read_before_is_completed(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write("a", image(SeriesNumber=None))
    look()
    folder.write("b", image(instance=2, SeriesNumber=7, SeriesDate="20200102", SeriesTime="0304"))
    look()
    with database.reading() as session:
        row = session.execute(select(Series.series_number, Series.series_date, Series.series_time)).one()
    assert tuple(row) == (7, "20200102", "0304")


def test_the_middle_slice_is_noted(database: Database, folder: Folder, look: Look) -> None:
    folder.write_all(volume(5))
    folder.write("report", image(series="sr", Modality="SR", PixelData=None, Rows=None))
    look()
    with database.reading() as session:
        found = session.execute(select(Series.middle_sop_instance_uid, Series.middle_frame_number)).all()
    # count // 2 of five slices, whose Instance Number follows the position
    assert {tuple(row) for row in found} == {(uid("series", 3), 1), (None, None)}


def test_an_accession_number_that_comes_later_reaches_all_entries_of_the_study(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write("a", image(series="a", study="s", AccessionNumber=None))
    look()
    folder.write("b", image(series="b", study="s", AccessionNumber="ACC9"))
    look()
    with database.reading() as session:
        assert list(session.scalars(select(VolumeEntry.accession_number))) == ["ACC9", "ACC9"]


NAMES = (
    "Doe^Jane",
    "Müller^Anna",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "Шульга^Анна",
    "O'Brien^Mary",
    "",
    "כהן^דוד",
)


def made_up(source: random.Random, number: int) -> Dataset | bytes:
    """A file of one of few studies, so that they grow together and apart; some are refused or have no pictures."""
    kind = source.randrange(10)
    if kind == 0:
        return b"junk that is no image" * 10
    study, series = source.randrange(4), source.randrange(3)
    values: dict[str, Any] = {
        "PatientName": source.choice(NAMES),
        "PatientID": source.choice(("1", "2", None)),
        "AccessionNumber": source.choice(("A1", None)),
        "ImagePositionPatient": [0, 0, number],
        "SpecificCharacterSet": "ISO_IR 192",
        # What the first file of a study or series says is kept, so it depends on which was first.
        "StudyDescription": f"Studie {study}",
        "SeriesDescription": f"Serie {series}",
        "Modality": ("CT", "MR", "SR")[series],
    }
    if series == 2 or kind == 1:
        values |= {"PixelData": None, "Rows": None}
    if kind == 2:
        values["Rows"] = 9  # the pixel data is too short: damaged, and refused
    return image(series=f"{study}.{series}", study=study, instance=number, **values)


@pytest.mark.parametrize("seed", range(4))
def test_entries_kept_up_are_the_entries_made_afresh(
    database: Database, folder: Folder, look: Look, seed: int
) -> None:
    source = random.Random(seed)
    present: list[Path] = []
    for step in range(6):
        for number in range(source.randint(1, 8)):
            present.append(folder.write(f"{step}-{number}", made_up(source, step * 10 + number)))
        source.shuffle(present)
        for _ in range(min(len(present) - 1, source.randrange(5))):
            change = source.choice(("remove", "move", "replace"))
            path = present.pop()
            if change == "remove":
                path.unlink()
            elif change == "move":
                present.insert(0, path.rename(path.with_name(path.name + "m")))
            else:
                folder.write(path.name, made_up(source, source.randrange(60)), age=source.randrange(60, 3000))
                present.insert(0, path)
        look()
        kept = everything(database)
        assert kept == everything_made_afresh(database)


def everything_made_afresh(database: Database) -> dict[str, Any]:
    with database.writing() as session:
        for table in (VolumePrefix, VolumeWord, VolumeEntry, StudyPrefix, StudyWord, StudyEntry):
            session.execute(delete(table))
        write_entries_of_studies(session, session.scalars(select(Study.id)).all())
    return everything(database)


def test_the_migration_makes_the_entries_of_what_is_there(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write_all(
        volume(3, study="s", PatientName="Müller^Anna", SpecificCharacterSet="ISO_IR 192", SeriesNumber=None)
    )
    folder.write(
        "mr", image(series="mr", study="s", Modality="MR", PatientName="Roe^Jane", SeriesNumber=None)
    )
    folder.write("undated", image(series="undated", StudyDate="", SeriesNumber=None, AccessionNumber="A1"))
    folder.write("report", image(series="sr", Modality="SR", PixelData=None, Rows=None, SeriesNumber=None))
    look()
    expected = everything(database)
    middles = middles_of(database)
    assert len(expected["studies"]) == 3
    try:
        downgrade(database, "0009")
    finally:
        migrate(database)
    assert everything(database) == expected
    assert middles_of(database) == middles


def middles_of(database: Database) -> set[tuple[Any, ...]]:
    with database.reading() as session:
        columns = (
            Series.series_instance_uid,
            Series.middle_sop_instance_uid,
            Series.middle_frame_number,
        )
        return {tuple(row) for row in session.execute(select(*columns))}


def test_names_of_other_series_are_counted_by_files() -> None:
    doe = {
        "name": "Doe, Jane",
        "count": 3,
        "other_names": [{"name": "Roe, R", "count": 2}],
        "patient_id": "1",
    }
    roe = {"name": "Roe, R", "count": 4, "other_names": [{"name": None, "count": 1}], "patient_id": None}
    patient = summarise_study_patient([doe, roe])
    assert patient["other_names"] == [{"name": "Roe, R", "count": 6}, {"name": None, "count": 1}]
    assert patient["other_patient_ids"] == [""]
    assert patient["name"] == "Doe, Jane"
