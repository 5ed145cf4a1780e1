"""The list of volumes, filtered, sorted and cut into pages by the database."""

from collections.abc import Callable
from typing import Any

import pytest

from imageserver.archive import entry_search
from imageserver.archive.entry_search import SortKey
from imageserver.archive.index_writer import Outcome
from imageserver.archive.search import SORTABLE, VolumeFilter, count_volumes, find_volumes
from imageserver.database import Database
from imageserver.dicom.search_key import query_words
from tests.builders import image, uid
from tests.folders import Folder

Look = Callable[..., Outcome]
Find = Callable[..., str]

NAMES = {uid(letter): letter for letter in "abcdefgh"}


@pytest.fixture(params=[0, 1000], ids=["walking the list", "sorting the few"])
def find(request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Ask both ways in which the database is made to answer; returns the letters of the series of a page."""
    monkeypatch.setattr(entry_search, "FEW", request.param)

    def run(query: str = "", sort: str = "", limit: int = 100, offset: int = 0, **conditions: Any) -> str:
        wanted = VolumeFilter(words=tuple(query_words(query)), **conditions)
        keys = [SortKey(name.removeprefix("-"), name.startswith("-")) for name in sort.split(",") if name]
        with database.reading() as session:
            found = find_volumes(session, limit, offset, wanted, keys)
            if not offset and len(found) < limit:
                assert count_volumes(session, wanted) == len(found)
        return "".join(NAMES[volume.series_instance_uid] for volume in found)

    return run


class TestWords:
    @pytest.fixture(autouse=True)
    def _volumes(self, folder: Folder, look: Look) -> None:
        attributes: dict[str, dict[str, str]] = {
            "a": {"PatientName": "Müller^Anna", "PatientID": "K-77", "AccessionNumber": "ACC1"},
            "b": {"PatientName": "Muller^Bert", "StudyDescription": "Knie rechts"},
            "c": {"PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "SeriesDescription": "T1 axial"},
            "d": {"PatientName": "Шульга^Анна"},
            "e": {"PatientName": "O'Brien^Mary Ann", "SeriesDescription": "100% Müll_"},
        }
        for letter, values in attributes.items():
            folder.write(letter, image(series=letter, SpecificCharacterSet="ISO_IR 192", **values))
        look()

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", "abcde"),
            (" ,;%", "abcde"),
            ("mull", "abe"),
            ("MÜLLER", "ab"),
            ("ｍｕｌｌｅｒ", "ab"),
            ("ann mul", "ae"),
            ("anna mul", "a"),
            ("ller", ""),
            ("山田", "c"),
            ("太郎", "c"),
            ("ヤマダ", "c"),
            ("yama taro", "c"),
            ("ШУЛЬГА анна", "d"),
            ("brien", "e"),
            ("k-77", "a"),
            ("acc1", "a"),
            ("knie r", "b"),
            ("t1 ax", "c"),
            ("mull_", "abe"),
            ("mul mull muller", "ab"),
            ("\U0010fffe", "abcde"),
            ("\x00mul", "abe"),
            ("nobody", ""),
        ],
    )
    def test_each_begins_a_word_of_what_is_found(self, find: Find, query: str, expected: str) -> None:
        assert "".join(sorted(find(query))) == expected

    def test_all_names_of_a_series_are_found(self, find: Find, folder: Folder, look: Look) -> None:
        folder.write("other", image(series="a", instance=2, PatientName="Roe^Richard"))
        look()
        assert find("roe") == find("anna") == "a"

    def test_names_are_sorted_without_regard_to_case_and_accents(self, find: Find) -> None:
        assert find(sort="patient_name") == "abecd"
        assert find(sort="-patient_name") == "dceba"
        assert find("mul", sort="-patient_name", limit=1, offset=1) == "b"


DATED: dict[str, dict[str, Any]] = {
    "a": {"Modality": "MR", "StudyDate": "20240105", "StudyTime": "080000", "PatientID": "2"},
    "b": {"Modality": "CT", "StudyDate": "20240105", "StudyTime": "093000", "PatientID": "10"},
    "c": {"Modality": "CT", "StudyDate": "20231231", "StudyTime": "235959", "PatientID": "2"},
    "d": {"Modality": "CT", "StudyDate": "", "StudyTime": "200000", "PatientID": ""},
}


class TestOrder:
    @pytest.fixture(autouse=True)
    def _volumes(self, folder: Folder, look: Look) -> None:
        for letter, values in DATED.items():
            folder.write(letter, image(series=letter, **values))
        look()

    def test_the_default_series_comes_first(self, find: Find) -> None:
        assert find() == "bacd"

    def test_by_date_and_time(self, find: Find) -> None:
        assert find(sort="study_date") == "dcab"
        assert find(sort="-study_date") == "bacd"

    def test_by_several_columns(self, find: Find) -> None:
        assert find(sort="modality,-study_date") == "bcda"
        assert find(sort="patient_id,study_date") == "dbca"

    def test_of_a_repeated_column_the_first_counts(self, find: Find) -> None:
        assert find(sort="-study_date,modality,study_date") == find(sort="-study_date,modality")

    @pytest.mark.parametrize("column", SORTABLE)
    @pytest.mark.parametrize("sign", ["", "-"])
    def test_pages_repeat_nothing_and_miss_nothing(self, find: Find, column: str, sign: str) -> None:
        whole = find(sort=sign + column)
        assert sorted(whole) == list("abcd")
        assert "".join(find(sort=sign + column, limit=1, offset=offset) for offset in range(5)) == whole

    @pytest.mark.parametrize("column", SORTABLE)
    def test_the_other_direction_is_the_same_order_backwards(self, find: Find, column: str) -> None:
        assert find(sort=f"-{column}") == find(sort=column)[::-1]

    @pytest.mark.parametrize(
        ("conditions", "expected"),
        [
            ({"modalities": ("MR",)}, "a"),
            ({"modalities": ("MR", "CT")}, "abcd"),
            ({"modalities": ("mr",)}, ""),
            ({"study_date_from": "20240105"}, "ab"),
            ({"study_date_to": "20231231"}, "c"),
            ({"study_date_from": "20231231", "study_date_to": "20240105"}, "abc"),
            ({"study_date_from": "20240106"}, ""),
            ({"patient_id": "2"}, "ac"),
            ({"patient_id": "2", "modalities": ("CT",)}, "c"),
            ({"study_instance_uid": uid("study of", "b")}, "b"),
            ({"accession_number": "A1"}, ""),
        ],
    )
    def test_conditions_hold_together(self, find: Find, conditions: dict[str, Any], expected: str) -> None:
        assert "".join(sorted(find(**conditions))) == expected
