"""What searches ask the database: how many statements, in which order rows are read, what is compiled again."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text, update

from imageserver.archive import search_statements
from imageserver.archive.index_writer import Outcome
from imageserver.archive.instance_search import FoundPage, InstanceSearch, search
from imageserver.archive.models import StudyEntry
from imageserver.archive.search_conditions import Bound, condition_of
from imageserver.archive.search_statements import execute, page, page_of_newest
from imageserver.database import Database
from imageserver.dicom.attributes import Level
from imageserver.dicom.matching import Key
from imageserver.dicom.matching_keys import attribute_path, parse_keys
from tests.builders import image
from tests.folders import Folder

Look = Callable[..., Outcome]


@pytest.fixture
def archive(database: Database, folder: Folder, look: Look) -> Database:
    """Three studies of two instances each."""
    folder.write_all(
        image(series=name, study=name, instance=number, PatientName=f"Doe^{name}")
        for name in ("Ann", "Bob", "Cid")
        for number in (2, 1)
    )
    look()
    return database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect what is sent to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def run(database: Database, level: Level, **asked: str) -> FoundPage:
    keys = parse_keys([(attribute_path(name), value) for name, value in asked.items()]).keys
    with database.reading() as session:
        return search(session.connection(), InstanceSearch(level=level, keys=keys, limit=2))


@pytest.mark.parametrize(("level", "expected"), [(Level.STUDY, 1), (Level.SERIES, 1), (Level.INSTANCE, 4)])
@pytest.mark.parametrize("name", ["", "d*o*", "Doe*", "doe^bob"])
def test_a_page_takes_as_many_statements_whatever_is_found(
    archive: Database, level: Level, name: str, expected: int
) -> None:
    with statements(archive) as sent:
        assert run(archive, level, PatientName=name).found
    assert len([one for one in sent if one.startswith("SELECT")]) == expected


@pytest.mark.parametrize(("asked", "expected"), [({"PatientName": "*o*"}, 1), ({"PatientName": "*b*"}, 2)])
def test_a_likely_page_is_looked_for_among_the_newest(
    archive: Database, asked: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three are found by the first pattern, which is more than a page; one by the second, which is not."""
    monkeypatch.setattr(search_statements, "NEWEST_OF_PATTERNS", "200")
    if not archive.is_sqlite:
        expected = 1
    with statements(archive) as sent:
        run(archive, Level.STUDY, **asked)
    assert len([one for one in sent if one.startswith("SELECT")]) == expected


@pytest.mark.parametrize(
    ("asked", "highest", "expected"),
    [
        ({"ModalitiesInStudy": "MR"}, 100, 1000),
        ({"PatientName": "*o*"}, 100, 0),
        ({"PatientName": "*o*"}, 110_000, 2000),
    ],
)
def test_so_many_of_the_newest_are_asked_as_are_worth_it(
    archive: Database, asked: dict[str, str], highest: int, expected: int
) -> None:
    if not archive.is_sqlite:
        pytest.skip("only SQLite is asked so")
    keys = parse_keys([(attribute_path(name), value) for name, value in asked.items()]).keys
    statement = page_of_newest(InstanceSearch(level=Level.STUDY, keys=keys, limit=2), [], 3)
    [offset] = re.findall(r"LIMIT 1 OFFSET (\d+|\(SELECT.*? FROM study_entries\))", statement.text)
    with archive.reading() as session:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.execute(update(StudyEntry).values(study_id=StudyEntry.study_id + highest - 3))
        assert execute(session.connection(), Bound(f"SELECT {offset}")).scalar_one() == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"PatientName": "Doe*", "ModalitiesInStudy": "MR", "StudyDate": "20000101-"}, 2),
        ({"PatientID": "A", "PatientSex": "O"}, 1),
        ({"ModalitiesInStudy": "MR", "StudyDate": "20000101-"}, 0),
        ({"PatientName": "Doe*", "PatientID": "A"}, 0),
    ],
)
def test_where_one_key_has_few_the_others_are_asked_of_those(
    archive: Database, asked: dict[str, str], expected: int
) -> None:
    """SQLite would find all studies of a modality, and of a sex, before it looked at the name."""
    with statements(archive) as sent:
        run(archive, Level.STUDY, **asked)
    assert sent[-1].count("EXISTS") == (expected if archive.is_sqlite else 0)


@pytest.mark.parametrize("is_sqlite", [True, False])
@pytest.mark.parametrize("value", ["*a*", "*[b_%*", "Doe^*", "?'; --"])
def test_values_are_no_part_of_the_statement(value: str, is_sqlite: bool) -> None:
    """So nothing in them is read as SQL, and databases know the statement again."""
    texts = [
        page(InstanceSearch(level=Level.STUDY, keys=keys, limit=5), _conditions(keys, is_sqlite), 5).text
        for keys in (parse_keys([(("00100010",), one)]).keys for one in (value, value + "x", "o" + value))
    ]
    assert value not in texts[0]
    assert texts[0] in texts[1:]


def _conditions(keys: Sequence[Key], is_sqlite: bool = True) -> list[Bound]:
    said = [condition_of(key, Level.STUDY, is_sqlite=is_sqlite) for key in keys]
    return [condition for one in said if one is not None for condition in one.conditions]


def test_patterns_are_written_as_each_database_has_them() -> None:
    [key] = parse_keys([(("00081030",), "*[5_0%]?*")]).keys
    assert [
        condition_of(key, Level.STUDY, is_sqlite=one).conditions[0].values[1] for one in (True, False)
    ] == ["*[[]5_0%]?*", "%[5\\_0\\%]_%"]


@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.INSTANCE])
def test_no_page_sorts_all_rows(archive: Database, level: Level) -> None:
    """The rows come by an index (SQLite tells)."""
    if not archive.is_sqlite:
        pytest.skip("PostgreSQL decides by the number of rows")
    statement = page(InstanceSearch(level=level, limit=2), (), 3)
    with archive.reading() as session:
        explain = Bound(f"EXPLAIN QUERY PLAN {statement.text}", statement.values)
        plan = [row[3] for row in execute(session.connection(), explain)]
    inner = plan[: next(n for n, step in enumerate(plan) if "SCAN page" in step)]
    assert any("USING" in step and "INDEX" in step for step in inner), plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in inner, plan


@pytest.mark.parametrize(
    ("level", "name", "is_sure"),
    [
        (Level.STUDY, "PatientID", True),
        (Level.SERIES, "PatientID", False),
        (Level.INSTANCE, "PatientID", False),
        (Level.SERIES, "Modality", True),
        (Level.INSTANCE, "Modality", True),
    ],
)
def test_headers_are_not_looked_for_where_a_key_needs_them(level: Level, name: str, is_sure: bool) -> None:
    keys = parse_keys([(attribute_path(name), "A")]).keys
    wanted = InstanceSearch(level=level, keys=keys, limit=5)
    said = condition_of(keys[0], level)
    assert said is not None
    assert ("EXISTS" in page(wanted, said.conditions, 5).text) == (not is_sure)
