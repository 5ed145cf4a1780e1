"""Storing where the folder for it cannot be written: which status, and what the server says of itself."""

import errno
import os
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.archive.store_folder import Disk, StoreFolder
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import image, uid
from tests.storing import STUDIES, files_in, reasons, store, stored_uids

OUT_OF_RESOURCES = 0xA700
SUDDEN = [errno.EROFS, errno.EACCES, errno.ENOENT, errno.EIO]
FULL = [errno.ENOSPC, errno.EDQUOT]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def folder_of_store(app: FastAPI) -> StoreFolder:
    folder = app.state.archive.store._folder
    assert isinstance(folder, StoreFolder)
    return folder


def failing(step: str, number: int) -> Disk:
    """A disk of which one step fails whenever it is taken."""

    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise OSError(number, os.strerror(number))

    disk = Disk()
    setattr(disk, step, fail)
    return disk


@pytest.mark.parametrize("number", [*SUDDEN, *FULL], ids=errno.errorcode.get)
def test_statuses(
    signed_in: TestClient, folder_of_store: StoreFolder, settings: Settings, number: int
) -> None:
    for count, step in enumerate(("open", "write", "fsync", "link")):
        folder_of_store.disk = failing(step, number)
        made = [image(instance=instance, series=step) for instance in (1, 2)]
        answer = store(signed_in, made)
        if number not in FULL:
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        elif step == "link":  # none of them in particular
            assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        else:
            assert (answer.status_code, set(_reasons(answer.json()))) == (507, {OUT_OF_RESOURCES})
        folder_of_store.disk = Disk()
        assert (len(files_in(settings)), files_in(settings, ".incoming")) == (2 * count, [])
        assert signed_in.get("/volumes").json()["total"] == count
        assert stored_uids(store(signed_in, made)) == [uid(step, 1), uid(step, 2)]


def _reasons(answer: dict[str, Any]) -> list[int]:
    items = [item for tag in ("00081198", "0008119A") for item in answer.get(tag, {}).get("Value", [])]
    return [item["00081197"]["Value"][0] for item in items]


def test_a_full_disk_keeps_nobody_from_reading(
    signed_in: TestClient, folder_of_store: StoreFolder, settings: Settings
) -> None:
    assert store(signed_in, [image(instance=1)]).status_code == 200
    folder_of_store.reserve = 1 << 60
    answer = store(signed_in, [image(instance=2), image(instance=3)])
    assert answer.status_code == 507
    assert set(_reasons(answer.json())) == {OUT_OF_RESOURCES}
    assert signed_in.get("/slice").status_code == 200
    assert len(signed_in.get(f"{STUDIES}/{uid('study of', 'series')}/metadata").json()) == 1
    ready = signed_in.get("/readyz")
    assert (ready.status_code, ready.json()["store"]) == (200, "full")
    assert len(files_in(settings)) == 1


def test_what_is_there_is_acknowledged_where_the_rest_finds_no_room(
    signed_in: TestClient, folder_of_store: StoreFolder
) -> None:
    disk = Disk()
    room = iter([1 << 40, 0, 0, 0, 0])
    disk.free = lambda _descriptor: next(room, 0)  # type: ignore[method-assign]
    folder_of_store.reserve = 1 << 20
    folder_of_store.disk = disk
    answer = store(signed_in, [image(instance=1), image(instance=2)])
    assert (answer.status_code, stored_uids(answer)) == (202, [uid("series", 1)])
    assert reasons(answer) == {}
    assert _reasons(answer.json()) == [OUT_OF_RESOURCES]


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "gone"])
def test_a_disk_that_is_away(signed_in: TestClient, index: Index, settings: Settings, is_there: bool) -> None:
    assert store(signed_in, [image(instance=1)]).status_code == 200
    assert settings.store_dir is not None
    root = settings.store_dir
    disk = root.rename(root.with_name("disk"))
    if is_there:
        root.mkdir()
    answer = store(signed_in, [image(instance=2)])
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    index()
    answer = store(signed_in, [image(instance=2)])
    assert answer.status_code == 503
    ready = signed_in.get("/readyz")
    assert (ready.status_code, ready.json()["index"]) == (200, "unavailable")
    assert signed_in.get("/slice").status_code == 503
    assert files_in(settings) == []

    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir()
    root.rmdir()
    disk.rename(root)
    index()
    assert store(signed_in, [image(instance=2)]).status_code == 200
    assert signed_in.get("/volumes").json()["volumes"][0]["slice_count"] == 2
    assert signed_in.get("/readyz").json()["store"] == "ok"


class TestNotConfigured:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"store_dir": None})

    def test_health_says_so(self, client: TestClient) -> None:
        assert client.get("/readyz").json()["store"] == "not_configured"

    def test_the_address_says_what_it_has(self, signed_in: TestClient) -> None:
        for address, allowed in (
            (STUDIES, "GET, HEAD, OPTIONS"),
            (f"{STUDIES}/1.2.3", "GET, HEAD, DELETE, OPTIONS"),
        ):
            answer = signed_in.post(address, content=b"")
            assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
