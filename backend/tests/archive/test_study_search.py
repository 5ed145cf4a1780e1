"""The list of studies, filtered, sorted and cut into pages by the database."""

from collections.abc import Callable
from typing import Any

import pytest

from imageserver.archive import entry_search, study_search
from imageserver.archive.entry_search import SortKey
from imageserver.archive.index_writer import Outcome
from imageserver.archive.study_search import (
    NEWEST_FIRST,
    SORTABLE,
    StudyFilter,
    count_studies,
    find_studies,
)
from imageserver.database import Database
from imageserver.dicom.search_key import query_words
from tests.builders import image, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]
Find = Callable[..., str]

NAMES = {uid("study of", letter): letter for letter in "abcdefgh"}


@pytest.fixture(params=[0, 1000], ids=["walking the list", "sorting the few"])
def find(request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Ask both ways in which the database is made to answer; returns the letters of the studies of a page."""
    monkeypatch.setattr(entry_search, "FEW", request.param)

    def run(query: str = "", sort: str = "", limit: int = 100, offset: int = 0, **conditions: Any) -> str:
        wanted = StudyFilter(words=tuple(query_words(query)), **conditions)
        keys = [SortKey(name.removeprefix("-"), name.startswith("-")) for name in sort.split(",") if name]
        with database.reading() as session:
            found = find_studies(session, limit, offset, wanted, keys or NEWEST_FIRST)
            if not offset and len(found) < limit:
                assert count_studies(session, wanted).studies == len(found)
        return "".join(NAMES[study.study_instance_uid] for study in found)

    return run


class TestWords:
    @pytest.fixture(autouse=True)
    def _studies(self, folder: Folder, look: Look) -> None:
        attributes: dict[str, dict[str, str]] = {
            "a": {"PatientName": "Müller^Anna", "PatientID": "K-77", "AccessionNumber": "ACC1"},
            "b": {"PatientName": "Muller^Bert", "StudyDescription": "Knie rechts"},
            "c": {"PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "SeriesDescription": "T1 axial"},
            "d": {"PatientName": "Шульга^Анна"},
            "e": {"PatientName": "O'Brien^Mary Ann", "SeriesDescription": "100% Müll_"},
            "f": {"PatientName": "כֹּהֵן^דוד", "Modality": "MR"},
            "g": {"PatientName": "محمد^عليّ"},
            "h": {"PatientName": "Παπαδόπουλος^Γιώργος"},
        }
        for letter, values in attributes.items():
            folder.write(letter, image(series=letter, SpecificCharacterSet="ISO_IR 192", **values))
        look()

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", "abcdefgh"),
            (" ,;%", "abcdefgh"),
            ("m", "abe"),
            ("mull", "abe"),
            ("MÜLLER", "ab"),
            ("ｍｕｌｌｅｒ", "ab"),
            ("anna mul", "a"),
            ("ller", ""),
            ("太郎", "c"),
            ("ヤマダ", "c"),
            ("yama taro", "c"),
            ("ШУЛЬГА анна", "d"),
            ("כהן", "f"),
            ("محمد علي", "g"),
            ("παπαδοπουλοσ", "h"),
            ("ΓΙΩΡΓΟΣ", "h"),
            ("brien", "e"),
            ("k-77", "a"),
            ("acc1", "a"),
            ("knie r", "b"),
            ("t1 ax", "c"),
            ("=CT", ""),  # a modality is asked for by its own parameter; typed, it is a word
            ("ct", ""),
            ("nobody", ""),
            ("\U0010fffe", "abcdefgh"),
            ("\x00mul", "abe"),
        ],
    )
    def test_each_begins_a_word_of_what_is_found(self, find: Find, query: str, expected: str) -> None:
        assert "".join(sorted(find(query))) == expected

    def test_words_may_stand_in_several_series(self, find: Find, folder: Folder, look: Look) -> None:
        folder.write("other", image(series="other", study="a", SeriesDescription="Localizer"))
        look()
        assert find("anna local") == "a"

    def test_names_are_sorted_without_regard_to_case_and_accents(self, find: Find) -> None:
        assert find(sort="patient_name").startswith("abec")
        assert find(sort="-patient_name")[::-1].startswith("abec")
        assert find("mul", sort="-patient_name", limit=1, offset=1) == "b"

    def test_words_and_modalities(self, find: Find) -> None:
        assert "".join(sorted(find("m", modalities=("CT",)))) == "abe"
        assert find("m", modalities=("MR",)) == ""
        assert find("דוד", modalities=("MR", "US")) == "f"


def write_studies(folder: Folder) -> None:
    values: dict[str, dict[str, Any]] = {
        "a": {"Modality": "MR", "StudyDate": "20240105", "StudyTime": "080000", "PatientID": "2"},
        "c": {"Modality": "CT", "StudyDate": "20231231", "StudyTime": "235959", "PatientID": "2"},
        "d": {"Modality": "US", "StudyDate": "", "StudyTime": "200000", "PatientID": ""},
    }
    for letter, own in values.items():
        folder.write(letter, image(series=letter, **own))
    moment = {"StudyDate": "20240105", "StudyTime": "093000"}
    folder.write_all(volume(4, series="b", Modality="CT", PatientID="10", **moment), prefix="b")
    # c has three series and seven pictures
    more = {"study": "c", "StudyDate": "20231231", "PatientID": "2"}
    folder.write_all(volume(5, series="c2", Modality="PT", **more), prefix="c2")
    folder.write("c3", image(series="c3", Modality="MR", **more))


class TestOrder:
    @pytest.fixture(autouse=True)
    def _studies(self, folder: Folder, look: Look) -> None:
        write_studies(folder)
        look()

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("", "bacd"),
            ("study_date", "dcab"),
            ("series_count,study_date", "dabc"),
            ("-series_count,-study_date", "cbad"),
            ("-slice_count,-study_date", "cbad"),
            ("modality,study_date", "bcad"),  # CT, CT\MR\PT, MR, US
            ("patient_id,study_date", "dbca"),
            ("-study_date,modality,study_date", "bacd"),
        ],
    )
    def test_by_columns(self, find: Find, sort: str, expected: str) -> None:
        assert find(sort=sort) == expected

    @pytest.mark.parametrize("column", SORTABLE)
    @pytest.mark.parametrize("sign", ["", "-"])
    def test_pages_repeat_nothing_and_miss_nothing(self, find: Find, column: str, sign: str) -> None:
        whole = find(sort=sign + column)
        assert sorted(whole) == list("abcd")
        assert "".join(find(sort=sign + column, limit=1, offset=offset) for offset in range(5)) == whole
        assert find(sort=sign + column, limit=3, offset=2) == whole[2:]
        assert find(sort=sign + column, limit=2, offset=1) == whole[1:3]

    @pytest.mark.parametrize("offset", range(4))
    def test_pages_of_what_is_found(self, find: Find, offset: int) -> None:
        # all are of Doe, and c has an MR beside others; with FEW at 0 the second page is far down the list
        conditions: dict[str, Any] = {"modalities": ("CT", "MR"), "sort": "-study_date"}
        assert find("doe", limit=1, offset=offset, **conditions) == "bac"[offset : offset + 1]

    @pytest.mark.parametrize("column", SORTABLE)
    def test_the_other_direction_is_the_same_order_backwards(self, find: Find, column: str) -> None:
        assert find(sort=f"-{column}") == find(sort=column)[::-1]

    @pytest.mark.parametrize(
        ("conditions", "expected"),
        [
            ({"modalities": ("MR",)}, "ac"),
            ({"modalities": ("MR", "US")}, "acd"),
            ({"modalities": ("PT",)}, "c"),
            ({"modalities": ("mr",)}, ""),
            ({"modalities": ("XA", "NM")}, ""),
            ({"modalities": ("MR",), "study_date_from": "20240101"}, "a"),
            ({"study_date_from": "20240105"}, "ab"),
            ({"study_date_to": "20231231"}, "c"),
            ({"study_date_from": "20231231", "study_date_to": "20240105"}, "abc"),
            ({"patient_id": "2"}, "ac"),
            ({"patient_id": "2", "modalities": ("CT",)}, "c"),
            ({"accession_number": "A1"}, ""),
            ({"verdicts": ("volume",)}, "bc"),
            ({"verdicts": ("volume", "single_image")}, "abcd"),
            ({"verdicts": ("volume",), "modalities": ("PT",)}, "c"),
        ],
    )
    def test_conditions_hold_together(self, find: Find, conditions: dict[str, Any], expected: str) -> None:
        assert "".join(sorted(find(**conditions))) == expected


def test_totals(database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    write_studies(folder)
    folder.write("sr", image(series="sr", study="a", Modality="SR", PixelData=None, Rows=None))
    look()
    with database.reading() as session:
        # series and pictures: a 1 and 1, b 1 and 4, c 3 and 7, d 1 and 1; the report has none
        whole = count_studies(session)
        assert whole == (4, 6, 13)
        assert count_studies(session, StudyFilter(modalities=("PT",))) == (1, 3, 7)
        assert count_studies(session, StudyFilter(modalities=("XA",))) == (0, 0, 0)
        monkeypatch.setattr(study_search, "FEW", 0)
        assert count_studies(session) == whole
        assert count_studies(session, StudyFilter(modalities=("PT",))) == (1, None, None)
