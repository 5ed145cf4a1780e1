"""Sets of entries, read from the database and put together."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from imageserver.archive import entry_search, entry_sets
from imageserver.archive.entry_sets import EntrySets, keys_in, one_of, read_set
from imageserver.archive.index_writer import Outcome
from imageserver.archive.models import StudyEntry, StudyWord
from imageserver.archive.search import VolumeFilter, count_volumes, find_volumes
from imageserver.archive.study_search import StudyFilter, count_studies, find_studies
from imageserver.database import Database
from tests.builders import image, uid
from tests.folders import Folder

Look = Callable[..., Outcome]


@given(st.sets(st.integers(0, 5000), max_size=50))
def test_keys_come_back(keys: set[int]) -> None:
    assert keys_in(sum(1 << key for key in keys)) == sorted(keys)


@pytest.mark.parametrize("keys", [set(), {1}, {2, 4, 70_000}], ids=["none", "one", "some"])
def test_condition_is_true_of_the_keys_of_a_set(
    database: Database, folder: Folder, look: Look, keys: set[int]
) -> None:
    for number in range(5):
        folder.write(f"{number}", image(series=number))
    look()
    with database.reading() as session:
        everything = set(session.scalars(select(StudyEntry.study_id)))
        condition = one_of(session, StudyEntry.study_id, sum(1 << key for key in keys))
        assert set(session.scalars(select(StudyEntry.study_id).where(condition))) == everything & keys


def test_a_set_is_what_a_statement_selects(database: Database, folder: Folder, look: Look) -> None:
    for number in range(5):
        folder.write(f"{number}", image(series=number, PatientName="Ma^Max Maria" if number < 3 else "Doe"))
    look()
    with database.reading() as session:
        found = read_set(
            session, select(StudyWord.study_id).where(StudyWord.word >= "ma", StudyWord.word < "n")
        )
        names = select(StudyEntry.study_id).where(StudyEntry.patient_name == "ma max maria")
        assert keys_in(found) == sorted(session.scalars(names))  # each once, though three words match
        nothing = read_set(session, select(StudyWord.study_id).where(StudyWord.word == "nobody"))
    assert (nothing, keys_in(nothing)) == (0, [])


def test_those_of_late_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_sets, "MAX_REMEMBERED", 2)
    sets, read = EntrySets(), []

    def ask(key: str) -> None:
        def make() -> int:
            read.append(key)
            return 1

        assert sets.get(key, make) == 1

    for key in "abacab":
        ask(key)
    assert read == ["a", "b", "c", "b"]


CASES: list[dict[str, Any]] = [
    {"words": ("ma",), "modalities": ("CT",)},
    {"words": ("ma", "do"), "modalities": ("CT", "MR")},
    {"words": ("m", "d")},
    {"modalities": ("MR", "CT")},
    {"modalities": ("MR", "US")},
    {"words": ("ma",), "study_date_from": "20210101"},
    {"words": ("ma",), "study_date_from": "20210101", "study_date_to": "20211231", "modalities": ("MR",)},
    {"modalities": ("MR",), "patient_id": "2"},
    {"words": ("x",), "modalities": ("MR",)},
]


@pytest.mark.parametrize("wanted", CASES)
def test_sets_find_what_the_database_finds(
    database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
) -> None:
    for number, name in enumerate(("Ma^Doe", "Max^Do", "Doe^Jane", "Roe^Mia", "Ma^Dora", "Ma^Mia", "Do^Mo")):
        values = {
            "PatientName": name,
            "Modality": ("CT", "MR", "US")[number % 3],
            "StudyDate": f"202{number}0101",
            "PatientID": str(number % 3),
        }
        folder.write(f"{number}", image(series=number, **values))
        folder.write(f"{number} b", image(series=f"{number} b", study=number, **values))
    look()
    answers = []
    for few in (1000, 0, 2):
        monkeypatch.setattr(entry_search, "FEW", few)
        with database.reading() as session:
            sets = EntrySets()
            studies, volumes = StudyFilter(**wanted), VolumeFilter(**wanted)
            total = count_studies(session, studies, sets).studies
            found = find_studies(session, 100, 0, studies, total=total, sets=sets)
            series = find_volumes(session, 100, 0, volumes, sets=sets)
            assert (total, count_volumes(session, volumes)) == (len(found), len(series))
        uids = [study.study_instance_uid for study in found]
        answers.append((uids, [volume.series_instance_uid for volume in series]))
    assert answers[0] == answers[1] == answers[2]
    assert set(answers[0][0]) <= {uid("study of", number) for number in range(7)}
