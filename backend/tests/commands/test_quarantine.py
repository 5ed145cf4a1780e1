"""`imageserver quarantine …`, run as a person would: what was sent under the UID of another is settled by a person."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from imageserver.archive.deletions import Wanted, find_deleted
from imageserver.archive.managed_store import Store
from imageserver.archive.models import Instance
from imageserver.archive.store_outcomes import FailureReason
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, to_bytes, uid
from tests.commands.conftest import Run
from tests.storing import files_in

STUDY, INSTANCE = uid("study of", "series"), uid("series", 1)
FIRST, SECOND, THIRD = (
    to_bytes(image(PatientName=name)) for name in ("Doe^Jane", "Roe^Richard", "Poe^Edgar")
)

Listed = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def listed(run: Run, capsys: pytest.CaptureFixture[str]) -> Listed:
    def ask(*arguments: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert run("quarantine", "list", "--json", *arguments) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return ask


def contents(settings: Settings, folder: str = "") -> list[bytes]:
    return [path.read_bytes() for path in files_in(settings, folder)]


def recorded(database: Database) -> list[tuple[str, str | None, str, str | None]]:
    with database.reading() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        return [(row.kind, row.reason, row.username, row.sop_instance_uid) for row in rows]


@pytest.fixture
def contradicting(store: Store) -> None:
    """An instance, and two files that were sent under its UID afterwards."""
    store.store_instance([FIRST])
    for content in (SECOND, THIRD, SECOND):
        assert store.store_instance([content]).failure_reason is FailureReason.DUPLICATE_INSTANCE


@pytest.fixture
def second(store: Store, contradicting: None, listed: Listed, settings: Settings) -> str:
    """The name of the second file."""
    assert settings.store_dir is not None
    names = [row["file"] for row in listed()]
    [name] = [name for name in names if (settings.store_dir / ".quarantine" / name).read_bytes() == SECOND]
    return str(name)


class TestList:
    def test_none(self, listed: Listed) -> None:
        assert listed() == []

    def test_what_waits(
        self, contradicting: None, listed: Listed, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = listed()
        assert sorted(row["size"] for row in rows) == sorted(map(len, (SECOND, THIRD)))
        for row in rows:
            assert row["study_instance_uid"] == STUDY
            assert row["series_instance_uid"] == uid("series")
            assert row["sop_instance_uid"] == INSTANCE
            assert row["state"] == "contradicts the instance that is there"
        assert listed("--file", rows[1]["file"]) == [rows[1]]
        assert listed("--instance", INSTANCE) == rows
        assert listed("--instance", "1.2.3") == []
        assert run("quarantine", "list") == 0
        text = capsys.readouterr().out
        assert [line.split("\t")[0] for line in text.splitlines()] == [row["file"] for row in rows]
        assert "Roe" not in text

    def test_it_can_be_released_once_the_other_is_deleted(
        self, contradicting: None, store: Store, listed: Listed
    ) -> None:
        store.trash.delete(Wanted(STUDY), "grace", lambda *_: None)
        assert {row["state"] for row in listed()} == {"can be released"}

    def test_a_file_that_is_damaged(self, second: str, settings: Settings, listed: Listed, run: Run) -> None:
        assert settings.store_dir is not None
        (settings.store_dir / ".quarantine" / second).write_bytes(b"damaged")
        [row] = listed("--file", second)
        assert (row["state"], row["sop_instance_uid"]) == ("cannot be read", None)
        assert run("quarantine", "release", "--file", second) == 1
        assert run("quarantine", "remove", "--file", second) == 0
        assert listed("--file", second) == []


class TestRelease:
    def test_never_over_another(
        self,
        second: str,
        run: Run,
        settings: Settings,
        database: Database,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        before = recorded(database)
        assert run("quarantine", "release", "--file", second) == 1
        assert "that one stays" in capsys.readouterr().err
        assert contents(settings) == [FIRST]
        assert len(contents(settings, ".quarantine")) == 2
        assert recorded(database) == before

    def test_after_the_other_was_deleted(
        self, second: str, run: Run, store: Store, settings: Settings, database: Database
    ) -> None:
        store.trash.delete(Wanted(STUDY), "grace", lambda *_: None)
        assert run("quarantine", "release", "--file", second) == 0
        assert contents(settings) == [SECOND]
        assert contents(settings, ".quarantine") == [THIRD]
        assert contents(settings, ".trash") == [FIRST]  # it can be restored, should this have been wrong
        with database.reading() as session:
            assert list(session.scalars(select(Instance.sop_instance_uid))) == [INSTANCE]
            assert len(find_deleted(session)) == 1
        assert recorded(database)[-1] == ("stored", "released", "(command line)", INSTANCE)
        assert store.store_instance([SECOND]).failure_reason is None

    def test_one_of_several_has_to_be_named(
        self,
        contradicting: None,
        store: Store,
        run: Run,
        settings: Settings,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        store.trash.delete(Wanted(STUDY), "grace", lambda *_: None)
        assert run("quarantine", "release", "--instance", INSTANCE) == 1
        assert "2 files are meant" in capsys.readouterr().err
        assert run("quarantine", "release", "--instance", "1.2.3") == 1
        assert run("quarantine", "release") == 1
        assert contents(settings) == []


class TestRemove:
    def test_one(self, second: str, run: Run, settings: Settings, database: Database) -> None:
        assert run("quarantine", "remove", "--file", second) == 0
        assert (contents(settings), contents(settings, ".quarantine")) == ([FIRST], [THIRD])
        assert recorded(database)[-1] == ("purged", "quarantine", "(command line)", INSTANCE)

    def test_all(
        self, contradicting: None, run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("quarantine", "remove") == 1
        assert len(contents(settings, ".quarantine")) == 2
        assert run("quarantine", "remove", "--all") == 0
        assert capsys.readouterr().out == "2 removed\n"
        assert contents(settings, ".quarantine") == []


class TestCheck:
    def test_it_is_counted_and_no_difference(
        self, contradicting: None, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("check") == 0
        assert "2 in quarantine: see imageserver quarantine list" in capsys.readouterr().out.splitlines()
        assert run("check", "--json") == 0
        assert json.loads(capsys.readouterr().out)["quarantined"] == 2


class TestWithoutStore:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"store_dir": None})

    def test_there_is_none(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("quarantine", "list") == 1
        assert "IMAGESERVER_STORE_DIR" in capsys.readouterr().err
