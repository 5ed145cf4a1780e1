"""What the index finds is what the plain filter of `dicom.matching` finds, for random archives and random searches."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session

from imageserver.archive import instance_search, search_headers, search_statements
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import look_once
from imageserver.archive.instance_search import FoundPage, InstanceSearch, search
from imageserver.archive.models import SeriesKey
from imageserver.database import Base, Database
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching import Key, matches
from imageserver.dicom.matching_keys import KeyRefused, Options, attribute_path, parse_keys
from imageserver.errors import InvalidParameter, SearchTooBroad
from tests.builders import image, item, uid, volume
from tests.conftest import SERVER_URL
from tests.folders import Folder

Look = Callable[..., Outcome]

SEARCHES = 2_000 if SERVER_URL else 10_000
STUDIES = 24
NAMES = [
    "Doe^Jane",
    "DOE^John^^Dr",
    "Müller^Änne",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "O'Hara%_^[x]",
    "doe",
    None,
]
TEXTS = [
    "",
    "A",
    "a",
    "A%",
    "A_B",
    "a*",
    "50%",
    "[A]",
    "A\\B",
    "Straße",
    "STRASSE",
    "ünï",
    "A B",
    '"',
    "'",
    None,
]
DATES = ["20200101", "20200102", "20201231", "19991231", None]
TIMES = ["10", "1030", "103000", "103000.5", "235959", "000000", None]


def random_image(source: random.Random, study: int, series: int, instance: int) -> Dataset:
    name = f"{study}/{series}"
    of_study = random.Random(f"{study}")
    of_series = random.Random(name)
    steps = [
        item(
            ScheduledProcedureStepID=of_series.choice(["S1", "S2"]),
            RequestedProcedureID=of_series.choice(["R1", "R2", None]),
        )
        for _ in range(of_series.randrange(3))
    ]
    return image(
        series=name,
        study=study,
        instance=instance,
        SpecificCharacterSet="ISO_IR 192",
        PatientName=of_study.choice(NAMES),
        PatientID=_plain(of_study.choice(TEXTS)),
        PatientSex=of_study.choice(["M", "F", "O", "", None]),
        StudyDate=of_study.choice(DATES),
        StudyTime=of_study.choice(TIMES),
        AccessionNumber=_plain(of_study.choice(TEXTS)),
        StudyDescription=_plain(of_study.choice(TEXTS)),
        ReferringPhysicianName=of_study.choice(NAMES),
        OtherPatientIDsSequence=Items([item(PatientID=of_study.choice(["A", "B"]))]),
        Modality=of_series.choice(["CT", "MR", "CR"]),
        SeriesNumber=of_series.choice([1, 2, 10, None]),
        SeriesDescription=_plain(of_series.choice(TEXTS)),
        RequestAttributesSequence=Items(steps) if steps else None,
        PerformedProcedureStepStartDate=of_series.choice(DATES),
        PerformedProcedureStepStartTime=of_series.choice(TIMES),
        SliceThickness=source.choice([1, 1.5, None]),
        AcquisitionDate=source.choice(DATES),
        ImageComments=_plain(source.choice(TEXTS)),
    )


def _plain(text: str | None) -> str | None:
    return text.replace("\\", "/") if text else text


KEYS: dict[Level, list[str]] = {
    Level.STUDY: [
        "PatientName", "PatientID", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyDescription",
        "ReferringPhysicianName", "StudyInstanceUID", "ModalitiesInStudy", "NumberOfStudyRelatedSeries",
        "OtherPatientIDsSequence.PatientID", "00080062", "InstanceAvailability",
    ],
    Level.SERIES: [
        "Modality", "SeriesNumber", "SeriesDescription", "SeriesInstanceUID", "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime", "RequestAttributesSequence.ScheduledProcedureStepID",
        "RequestAttributesSequence.RequestedProcedureID", "RequestAttributesSequence", "NumberOfSeriesRelatedInstances",
    ],
    Level.INSTANCE: [
        "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "SliceThickness", "AcquisitionDate", "ImageComments", "Rows",
        "ImageType", "00091010",
    ],
}  # fmt: skip
PIECES = ["", "*", "?", "A", "a", "d", "Doe^J", "DOE", "%", "_", "[", "B", "ß", "ü", "=", "^", "山", "1", "2", "R1",
          "S2", "CT", "MR,CR", '""', "ONLINE", "10", "\\", "'; DROP TABLE studies; --", "muller",
          "jane", "AXIAL"]  # fmt: skip
RANGES = [
    "20200101",
    "20200101-",
    "-20200102",
    "20191231-20210101",
    "10",
    "1030-",
    "-103000",
    "08-12",
    "000000-235959",
]


def random_text(source: random.Random, name: str) -> str:
    if "Date" in name or "Time" in name:
        return source.choice([*RANGES, "", '""'])
    if "UID" in name or name == "00080062":
        known = [uid("study of", n) for n in range(4)] + [uid(f"{n}/0") for n in range(4)]
        return source.choice(["\\", ","]).join(source.sample([*known, "1.2.840.10008.5.1.4.1.1.2"], 2))
    return "".join(source.choice(PIECES) for _ in range(source.randrange(1, 4)))


def random_keys(source: random.Random, level: Level) -> tuple[Key, ...]:
    """Draw keys of a level and those above, until they can be understood."""
    names = [name for above, own in KEYS.items() if _is_above(above, level) for name in own]
    while True:
        drawn = source.sample(names, source.randrange(1, 3))
        options = Options(*(source.random() < 0.4 for _ in range(3)))
        try:
            wanted = [(attribute_path(name), random_text(source, name)) for name in drawn]
            return parse_keys(wanted, options).keys
        except KeyRefused:
            continue


def _is_above(above: Level, level: Level) -> bool:
    order = list(KEYS)
    return order.index(above) <= order.index(level)


@pytest.fixture(scope="module")
def random_archive(migrated_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An index of random files; the tests of this module only read it."""
    data = tmp_path_factory.mktemp("random archive")
    source = random.Random(5)
    folder = Folder(data)
    folder.write_all(
        random_image(source, study, series, instance)
        for study in range(STUDIES)
        for series in range(study % 3 + 1)
        for instance in range(series + 1)
    )
    database = _own_database(migrated_url, data)
    assert look_once(database, DataDirectory(data)) is not None
    yield database
    database.dispose()


def _own_database(migrated_url: str, data: Path) -> Database:
    if SERVER_URL:
        database = Database(migrated_url)
        with database.writing() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())
        return database
    copy = data.parent / "random.sqlite3"
    shutil.copy(make_url(migrated_url).database or "", copy)
    return Database(f"sqlite:///{copy}")


def run(session: Session, level: Level, **wanted: Any) -> FoundPage:
    return search(
        session.connection(), InstanceSearch(level=level, limit=wanted.pop("limit", 1000), **wanted)
    )


@pytest.mark.parametrize("seed", range(10))
def test_random_searches_find_what_the_filter_finds(random_archive: Database, seed: int) -> None:  # T36
    source = random.Random(seed)
    found_some = 0
    with random_archive.reading() as session:
        everything = {level: run(session, level).found for level in KEYS}
        assert [len(everything[level]) for level in KEYS] == [24, 48, 80]
        for _ in range(SEARCHES // 10):
            level = source.choice([Level.STUDY, Level.STUDY, Level.SERIES, Level.INSTANCE])
            keys = random_keys(source, level)
            expected = [one for one in everything[level] if all(matches(one.dataset, key) for key in keys)]
            found = run(session, level, keys=keys).found
            assert [one.uids for one in found] == [one.uids for one in expected], keys
            found_some += bool(expected)
    assert found_some > SEARCHES // 10 // 20  # by chance they are fewer or more; none would prove nothing


@pytest.mark.parametrize("newest", [0, 5, 1000])
def test_first_pages_are_the_beginning_of_all(
    random_archive: Database, newest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether they are among the newest studies, reach beyond, or not."""
    for name in ("NEWEST_OF_CODES", "NEWEST_OF_PATTERNS"):
        monkeypatch.setattr(search_statements, name, str(newest))
    source = random.Random(newest)
    with random_archive.reading() as session:
        everything = run(session, Level.STUDY).found
        for _ in range(200):
            keys = random_keys(source, Level.STUDY)
            expected = [one for one in everything if all(matches(one.dataset, key) for key in keys)]
            page = run(session, Level.STUDY, keys=keys, limit=2)
            assert page.found == expected[:2], keys
            assert page.has_more == (len(expected) > 2)


def test_pages_put_together_are_the_whole(random_archive: Database) -> None:
    with random_archive.reading() as session:
        for level in KEYS:
            whole = run(session, level).found
            for keys in ((), parse_keys([(("00100010",), "*o*")]).keys):
                pages = []
                for offset in range(0, len(whole), 7):
                    page = run(session, level, keys=keys, limit=7, offset=offset, counts_rest=True)
                    pages += page.found
                    left = len(run(session, level, keys=keys).found) - offset - 7
                    assert (page.has_more, page.remaining or 0) == (left > 0, max(left, 0))
                assert pages == run(session, level, keys=keys).found


def test_the_rest_is_counted_on_request_only(random_archive: Database) -> None:
    with random_archive.reading() as session:
        page = run(session, Level.STUDY, limit=7)
        assert (page.has_more, page.remaining) == (True, None)


def test_more_than_can_be_waited_for_is_not_counted(
    random_archive: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with random_archive.reading() as session:
        for most, expected in ((17, 17), (16, None)):
            monkeypatch.setattr(instance_search, "MOST_COUNTED", most)
            assert run(session, Level.STUDY, limit=7, counts_rest=True).remaining == expected


def test_examined_ones_have_pages_too(random_archive: Database) -> None:
    keys = parse_keys([(("00280010",), "8")]).keys  # Rows: only the instances themselves tell
    with random_archive.reading() as session:
        whole = run(session, Level.INSTANCE).found
        page = run(session, Level.INSTANCE, keys=keys, limit=9, offset=5)
        assert (page.found, page.has_more, page.remaining) == (whole[5:14], True, None)


def test_what_was_deleted_since_the_page_was_found_is_left_out(
    random_archive: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_search, "_headers", lambda *_: {})
    with random_archive.reading() as session:
        assert run(session, Level.INSTANCE, limit=7).found == []


def test_too_much_to_look_into(random_archive: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # T33
    monkeypatch.setattr(instance_search, "MOST_EXAMINED", 40)
    monkeypatch.setattr(instance_search, "AT_ONCE", 20)
    keys = parse_keys([(("00280010",), "9")]).keys
    with random_archive.reading() as session:
        with pytest.raises(SearchTooBroad):
            run(session, Level.INSTANCE, keys=keys)
        study = uid("study of", 2)
        assert run(session, Level.INSTANCE, keys=keys, study_instance_uid=study).found == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"PatientID": "\\".join(f"{number}*" for number in range(100))},
        {"PatientName": "\\".join(f"{number}*=a?b*=*c" for number in range(33))},
        {f"RequestAttributesSequence.0009{number:04X}": "1" for number in range(0x1000, 0x1064)},
        {
            f"RequestAttributesSequence.0009{number:04X}": "\\".join(map(str, range(1000)))
            for number in range(0x1000, 0x100A)
        },
    ],
    ids=["wild cards", "groups", "keys of items", "lists"],
)
def test_the_most_that_can_be_asked_for(random_archive: Database, wanted: dict[str, str]) -> None:  # T33
    paths = [(attribute_path(name), text) for name, text in wanted.items()]
    keys = parse_keys(paths, Options(is_multiple_matched=True)).keys
    with random_archive.reading() as session:
        assert run(session, Level.SERIES, keys=keys).found == []


def test_attributes_of_a_level_below_are_refused(random_archive: Database) -> None:
    with random_archive.reading() as session:
        for level, name in ((Level.STUDY, "Modality"), (Level.SERIES, "Rows"), (Level.STUDY, "00091010")):
            with pytest.raises(InvalidParameter):
                run(session, level, keys=parse_keys([(attribute_path(name), "1")]).keys)


def test_an_instance_of_another_patient_keeps_its_name(
    database: Database, folder: Folder, look: Look
) -> None:
    """Files of two patients in one series (docs/decisions/0043)."""
    first = {"PatientName": "Doe^Jane", "PatientID": "TEST-1", "PatientBirthDate": "19500101"}
    folder.write_all([image(instance=number, **first) for number in (1, 2)])
    folder.write("other", image(instance=3, PatientName="Roe^Richard", PatientID="TEST-2", PatientSex="M"))
    look()
    with database.reading() as session:
        found = [one.dataset for one in run(session, Level.INSTANCE).found]
    found.sort(key=lambda one: one["00200013"]["Value"])
    assert [
        [one.get(tag, {}).get("Value") for tag in ("00100010", "00100020", "00100030", "00100040")]
        for one in found
    ] == [
        [[{"Alphabetic": "Doe^Jane"}], ["TEST-1"], ["19500101"], None],
        [[{"Alphabetic": "Doe^Jane"}], ["TEST-1"], ["19500101"], None],
        [[{"Alphabetic": "Roe^Richard"}], ["TEST-2"], None, ["M"]],
    ]


class TestManyItems:
    """A series with more values in items of sequences than the table of keys holds (PS3.4 C.2.2.2: all match)."""

    @pytest.fixture
    def many(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> Database:
        monkeypatch.setattr(search_headers, "MOST_KEYS", 5)
        steps = [item(ScheduledProcedureStepID=f"S{n}", RequestedProcedureID=f"R{n}") for n in range(9)]
        folder.write("a", image(series="a", RequestAttributesSequence=Items(steps)))
        folder.write("b", image(series="b", RequestAttributesSequence=Items(steps[:1])))
        look()
        return database

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"RequestAttributesSequence.ScheduledProcedureStepID": "S8"}, "a"),
            ({"RequestAttributesSequence.ScheduledProcedureStepID": "S*"}, "ab"),
            ({"RequestAttributesSequence.ScheduledProcedureStepID": "S0"}, "ab"),
            ({"RequestAttributesSequence.ScheduledProcedureStepID": "X"}, ""),
            (
                {
                    "RequestAttributesSequence.ScheduledProcedureStepID": "S8",
                    "RequestAttributesSequence.RequestedProcedureID": "R8",
                },
                "a",
            ),
            (
                {
                    "RequestAttributesSequence.ScheduledProcedureStepID": "S8",
                    "RequestAttributesSequence.RequestedProcedureID": "R7",
                },
                "",
            ),
            ({"Modality": "CT"}, "ab"),
            ({"Modality": '""'}, ""),
            ({"RequestAttributesSequence": '""'}, ""),
        ],
    )
    def test_all_of_them_are_found(self, many: Database, wanted: dict[str, str], expected: str) -> None:
        paths = [(attribute_path(name), text) for name, text in wanted.items()]
        keys = parse_keys(paths, Options(is_empty_matched=True)).keys
        with many.reading() as session:
            found = {one.uids[1] for one in run(session, Level.SERIES, keys=keys).found}
        assert found == {uid(series) for series in expected}

    def test_the_table_stays_bounded(self, many: Database) -> None:
        with many.reading() as session:
            count = func.count().filter(SeriesKey.tag.like("%.%"))
            assert max(session.scalars(select(count).group_by(SeriesKey.series_id))) == 5


class TestCounts:
    def test_they_follow_the_folder(self, database: Database, folder: Folder, look: Look) -> None:
        paths = folder.write_all(volume(3, series="a", study="s"))
        folder.write("b", image(series="b", study="s", Modality="SR", PixelData=None, Rows=None))
        look()
        assert _counted(database) == [(["CT", "SR"], 2, 4)]
        paths[0].unlink()
        (folder.path / "b").unlink()
        look()
        assert _counted(database) == [(["CT"], 1, 2)]

    def test_a_study_that_is_gone_is_not_found(self, database: Database, folder: Folder, look: Look) -> None:
        folder.write("a", image(series="a"))
        folder.write("b", image(series="b"))
        look()
        (folder.path / "a").unlink()
        look()
        with database.reading() as session:
            assert [one.uids for one in run(session, Level.STUDY).found] == [(uid("study of", "b"),)]


def _counted(database: Database) -> list[tuple[list[str], int, int]]:
    with database.reading() as session:
        found = [one.dataset for one in run(session, Level.STUDY).found]
    return [
        (one["00080061"]["Value"], one["00201206"]["Value"][0], one["00201208"]["Value"][0]) for one in found
    ]
