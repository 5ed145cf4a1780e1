"""`imageserver deleted …`, run as a person would, beside a server that has stored and deleted."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from imageserver.archive.deletions import Wanted, find_deleted
from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import look_once
from imageserver.archive.managed_store import Store
from imageserver.archive.models import Instance
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, to_bytes, uid, volume
from tests.commands.conftest import Run
from tests.storing import files_in

STUDY, OTHER = uid("study of", "series"), uid("study of", "other")

Listed = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def deleted(store: Store) -> None:
    """Three instances of one study and one of another, all deleted."""
    for dataset in (*volume(3), image(series="other")):
        store.store_instance([to_bytes(dataset)])
    for study in (STUDY, OTHER):
        store.trash.delete(Wanted(study), "grace", lambda *_: None, now=1_700_000_000)


@pytest.fixture
def listed(run: Run, capsys: pytest.CaptureFixture[str]) -> Listed:
    def ask(*arguments: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert run("deleted", "list", "--json", *arguments) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return ask


def shown(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Instance.sop_instance_uid)))


def recorded(database: Database) -> set[tuple[str, str, str | None]]:
    with database.reading() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.kind.in_(["restored", "purged"])))
        return {(row.kind, row.username, row.sop_instance_uid) for row in rows}


@pytest.mark.usefixtures("deleted")
class TestList:
    def test_all(self, listed: Listed, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        rows = listed()
        assert [row["sop_instance_uid"] for row in rows] == [
            *(uid("series", number) for number in (1, 2, 3)),
            uid("other", 1),
        ]
        assert rows[0] == {
            "deleted_at": "2023-11-14T22:13:20+00:00",
            "deleted_by": "grace",
            "study_instance_uid": STUDY,
            "series_instance_uid": uid("series"),
            "sop_instance_uid": uid("series", 1),
            "size": len(to_bytes(volume(3)[0])),
            "state": "kept for 30 days",
        }
        assert run("deleted", "list") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("\t")[4] for line in lines] == [row["sop_instance_uid"] for row in rows]

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [
            (("--study", STUDY), 3),
            (("--series", uid("other")), 1),
            (("--study", STUDY, "--instance", uid("series", 2)), 1),
            (("--study", OTHER, "--instance", uid("series", 2)), 0),
            (("--instance", "1.2.3"), 0),
        ],
    )
    def test_of_one(self, listed: Listed, arguments: tuple[str, ...], count: int) -> None:
        assert len(listed(*arguments)) == count

    def test_nothing_is_changed(self, listed: Listed, settings: Settings, database: Database) -> None:
        listed()
        assert len(files_in(settings, ".trash")) == 4
        assert recorded(database) == set()


@pytest.mark.usefixtures("deleted")
class TestRestore:
    def test_one(
        self,
        run: Run,
        listed: Listed,
        settings: Settings,
        database: Database,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert run("deleted", "restore", "--instance", uid("series", 2)) == 0
        assert capsys.readouterr().out == "1 restored\n"
        assert shown(database) == {uid("series", 2)}
        assert [path.read_bytes() for path in files_in(settings)] == [to_bytes(volume(3)[1])]
        assert len(listed()) == 3
        assert recorded(database) == {("restored", "(command line)", uid("series", 2))}

    def test_all(self, run: Run, listed: Listed, database: Database) -> None:
        assert run("deleted", "restore", "--all") == 0
        assert len(shown(database)) == 4
        assert listed() == []

    def test_another_has_the_uid_now(
        self, run: Run, store: Store, listed: Listed, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store.store_instance([to_bytes(image(instance=2, PatientName="Roe^Richard"))])
        assert run("deleted", "restore", "--study", STUDY) == 1
        captured = capsys.readouterr()
        assert captured.out == "2 restored\n"
        assert uid("series", 2) in captured.err
        assert "other content" in captured.err
        assert [row["sop_instance_uid"] for row in listed("--study", STUDY)] == [uid("series", 2)]

    def test_the_file_is_gone(
        self, run: Run, settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in files_in(settings, ".trash"):
            path.unlink()
        assert run("deleted", "restore", "--study", OTHER) == 1
        assert "not in the trash any more" in capsys.readouterr().err
        assert shown(database) == recorded(database) == set()


class TestRestoreInTheDataDirectory:
    def test_it_is_read_again(
        self, run: Run, store: Store, listed: Listed, settings: Settings, database: Database
    ) -> None:
        def look() -> None:
            look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)

        (settings.data_dir / "a").write_bytes(to_bytes(image()))
        os.utime(settings.data_dir / "a", (1, 1))
        look()
        store.trash.delete(Wanted(STUDY), "grace", lambda *_: None)
        assert [row["state"] for row in listed()] == ["hidden in the data directory"]
        assert run("deleted", "purge", "--all") == 0  # nothing of the data directory is purged
        assert run("deleted", "restore", "--all") == 0
        look()
        assert shown(database) == {uid("series", 1)}


@pytest.mark.usefixtures("deleted")
class TestPurge:
    def test_of_one_study(
        self,
        run: Run,
        listed: Listed,
        settings: Settings,
        database: Database,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert run("deleted", "purge", "--study", STUDY) == 0
        assert capsys.readouterr().out == "3 purged\n"
        assert [path.read_bytes() for path in files_in(settings, ".trash")] == [
            to_bytes(image(series="other"))
        ]
        assert len(listed()) == 1
        assert {row[2] for row in recorded(database)} == {uid("series", number) for number in (1, 2, 3)}
        assert {row[:2] for row in recorded(database)} == {("purged", "(command line)")}


@pytest.mark.usefixtures("deleted")
@pytest.mark.parametrize("verb", ["restore", "purge"])
class TestWhich:
    def test_nothing_is_not_everything(
        self, run: Run, settings: Settings, verb: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("deleted", verb) == 1
        captured = capsys.readouterr()
        assert captured.out.startswith("0 ")
        assert "say which" in captured.err
        assert len(files_in(settings, ".trash")) == 4

    def test_unknown(
        self, run: Run, database: Database, verb: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("deleted", verb, "--study", "1.2.3") == 0
        assert capsys.readouterr().out.startswith("0 ")
        with database.reading() as session:
            assert len(find_deleted(session)) == 4
