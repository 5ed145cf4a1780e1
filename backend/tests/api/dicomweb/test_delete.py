"""Deleting over HTTP, and restoring."""

from collections.abc import Sequence

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.accounts.models import Role
from imageserver.archive.deletions import DeletedInstance, find_deleted
from imageserver.archive.trash import NotRestored, Trash
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import image, to_bytes, uid, volume
from tests.conftest import PASSWORD, AddUser
from tests.folders import Folder
from tests.storing import STUDIES, files_in, store, stored_uids

STUDY, SERIES = uid("study of", "series"), uid("series")
ADDRESS = f"{STUDIES}/{STUDY}"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def admin(app: FastAPI, client: TestClient, add_user: AddUser) -> TestClient:
    add_user("grace", Role.ADMIN)
    client = TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
    answer = client.post("/auth/token", data={"username": "grace", "password": PASSWORD})
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


@pytest.fixture
def trash(app: FastAPI) -> Trash:
    found: Trash = app.state.archive.store.trash
    return found


def record(_session: Session, _deleted: Sequence[DeletedInstance]) -> None:
    """Record nothing."""


def deleted_of(database: Database) -> list[DeletedInstance]:
    with database.reading() as session:
        return find_deleted(session)


class TestWho:
    def test_anonymous(self, client: TestClient) -> None:
        assert client.delete(ADDRESS).status_code == 401

    def test_no_administrator(self, admin: TestClient, signed_in: TestClient, database: Database) -> None:
        store(signed_in, [image()])
        assert signed_in.delete(ADDRESS).status_code == 403
        assert signed_in.get("/volumes").json()["total"] == 1
        with database.reading() as session:
            [event] = session.scalars(select(AuditEvent).where(AuditEvent.kind == "deleted"))
        assert (event.outcome, event.reason, event.study_instance_uid) == ("failure", "forbidden", STUDY)


class TestWhat:
    @pytest.mark.parametrize(
        ("path", "left"),
        [
            ("", 0),
            (f"/series/{SERIES}", 0),
            (f"/series/{SERIES}/instances/{uid('series', 2)}", 2),
        ],
    )
    def test_level(
        self, admin: TestClient, settings: Settings, database: Database, path: str, left: int
    ) -> None:
        store(admin, volume(3))
        assert admin.delete(ADDRESS + path).status_code == 204
        assert admin.delete(ADDRESS + path).status_code == 404
        listed = admin.get("/volumes").json()["volumes"]
        assert sum(one["slice_count"] for one in listed) == left
        assert len(files_in(settings)) == left
        assert len(files_in(settings, ".trash")) == 3 - left
        with database.reading() as session:
            events = session.scalars(select(AuditEvent).where(AuditEvent.kind == "deleted")).all()
        assert len({event.sop_instance_uid for event in events}) == 3 - left

    def test_malformed(self, admin: TestClient) -> None:
        assert admin.delete(ADDRESS + ".x").status_code == 400

    @pytest.mark.parametrize("path", ["", f"/series/{SERIES}", f"/series/{SERIES}/instances/1.2"])
    def test_unknown(self, admin: TestClient, path: str) -> None:
        assert admin.delete(ADDRESS + path).status_code == 404


class TestRestored:
    def test_of_the_store(
        self, admin: TestClient, settings: Settings, database: Database, trash: Trash
    ) -> None:
        made = volume(3)
        store(admin, made)
        admin.delete(ADDRESS)
        for deleted in deleted_of(database):
            trash.restore(deleted, record)
        assert admin.get("/volumes").json()["volumes"][0]["slice_count"] == 3
        assert sorted(path.read_bytes() for path in files_in(settings)) == sorted(map(to_bytes, made))
        assert not files_in(settings, ".trash")
        assert not deleted_of(database)

    def test_storing_the_same_bytes_restores(
        self, admin: TestClient, settings: Settings, database: Database
    ) -> None:
        store(admin, [image()])
        admin.delete(ADDRESS)
        assert store(admin, [image()]).status_code == 200
        assert not files_in(settings, ".trash")
        assert not deleted_of(database)

    def test_other_bytes_are_a_new_instance_and_stay(
        self, admin: TestClient, settings: Settings, database: Database, trash: Trash
    ) -> None:
        store(admin, [image()])
        admin.delete(ADDRESS)
        other = image(PatientName="Roe^Richard")
        assert stored_uids(store(admin, [other])) == [uid("series", 1)]
        [deleted] = deleted_of(database)
        with pytest.raises(NotRestored):
            trash.restore(deleted, record)
        assert [path.read_bytes() for path in files_in(settings)] == [to_bytes(other)]
        assert len(files_in(settings, ".trash")) == 1
        assert files_in(settings, ".quarantine") == []

    def test_purged_when_its_time_is_over(
        self, admin: TestClient, settings: Settings, database: Database, trash: Trash
    ) -> None:
        store(admin, [image()])
        admin.delete(ADDRESS)
        [deleted] = deleted_of(database)
        day = 86_400
        trash.sweep(30, record, deleted.deleted_at + 30 * day - 1)
        assert len(files_in(settings, ".trash")) == 1
        trash.sweep(30, record, deleted.deleted_at + 30 * day)
        assert not files_in(settings, ".trash")
        assert not deleted_of(database)


class TestDataDirectory:
    def test_the_file_is_hidden_and_stays(
        self, admin: TestClient, folder: Folder, index: Index, settings: Settings
    ) -> None:
        folder.write_all(volume(3))
        index()
        before = sorted(path.read_bytes() for path in settings.data_dir.iterdir())
        assert admin.delete(f"{ADDRESS}/series/{SERIES}/instances/{uid('series', 2)}").status_code == 204
        assert admin.get("/volumes").json()["volumes"][0]["slice_count"] == 2
        index()
        assert admin.get("/volumes").json()["volumes"][0]["slice_count"] == 2
        assert sorted(path.read_bytes() for path in settings.data_dir.iterdir()) == before
        problems = admin.get("/index/problems").json()
        assert [one["code"] for one in problems["problems"]] == ["deleted"]

    def test_restored_it_is_read_again(
        self, admin: TestClient, folder: Folder, index: Index, database: Database, trash: Trash
    ) -> None:
        folder.write_all(volume(3))
        index()
        admin.delete(ADDRESS)
        index()
        for deleted in deleted_of(database):
            trash.restore(deleted, record)
        index()
        assert admin.get("/volumes").json()["volumes"][0]["slice_count"] == 3

    def test_a_stored_copy_is_a_duplicate(
        self, admin: TestClient, folder: Folder, index: Index, settings: Settings
    ) -> None:
        folder.write("a", image())
        index()
        assert store(admin, [image()]).status_code == 200
        assert store(admin, [image(PatientName="Roe^Richard")]).status_code == 409
        assert files_in(settings) == []
