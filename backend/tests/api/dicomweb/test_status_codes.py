"""Every status code of PS3.18 8.5, 8.9.3.1, 9.4.3.1, 10.4.3.1, 10.5.3.1 and 10.6.3.1, and where it is tried.

`TRIED` names a test of each, `NOT_USED` says why there is none; a service that declares another one fails here. What is
only seen when something breaks is tried here, end to end.
"""

import errno
import importlib
import importlib.util
import os
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.api.costly_requests import CostlyRequests
from imageserver.api.dicomweb.description import dicomweb_resources
from imageserver.api.store_turns import StoreTurns
from imageserver.archive.store_folder import Disk
from imageserver.errors import DatabaseUnavailable, StorageFull
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import image, uid
from tests.folders import Folder
from tests.storing import files_in, store

STUDY = f"/dicomweb/studies/{uid('study of', 'series')}"
HERE = "test_status_codes"
NOT_USED = {
    201: "nothing is created under an address that the client does not know",
    203: "of proxies that change answers",
    205: "of forms",
    301: "no address has another one",
    303: "no address has another one",
    411: "a body may come in chunks",
    414: "what is too long is 400, as uvicorn answers it",
    501: "any SOP Class is stored",
    505: "left to uvicorn",
}
TRIED = {
    "capabilities": {
        200: "test_capabilities.TestGet.test_every_resource_is_told",
        401: "test_capabilities.TestGet.test_anonymous",
        406: "test_capabilities.TestGet.test_other_media_types",
    },
    "wado": {
        200: "test_wado_uri.TestPictures.test_a_single_frame_is_jpeg",
        304: "test_wado_uri.TestPictures.test_304",
        400: "test_wado_uri.TestStatus.test_400",
        401: "test_wado_uri.TestFiles.test_anonymous",
        404: "test_wado_uri.TestStatus.test_404",
        406: "test_wado_uri.TestStatus.test_406",
        410: "test_wado_uri.TestStatus.test_410",
    },
    "retrieve": {
        200: "test_retrieve.TestAsStored.test_the_bytes_of_all_files",
        206: "test_retrieve.TestStatus.test_206_where_a_file_is_gone",
        304: "test_retrieve.TestHeaders.test_304_before_any_file_is_opened",
        400: "test_retrieve.TestStatus.test_400",
        401: "test_retrieve.TestStatus.test_anonymous",
        404: "test_retrieve.TestStatus.test_404",
        405: "test_retrieve.TestStatus.test_405",
        406: "test_retrieve.TestStatus.test_406_names_what_there_is",
        410: "test_retrieve.TestStatus.test_410_where_the_only_one_is_gone",
        416: "test_bulk_data.TestRanges.test_416",
        429: f"{HERE}.test_429_too_much_at_once",
        500: f"{HERE}.test_500_says_nothing_of_what_happened",
        503: f"{HERE}.test_where_an_access_cannot_be_recorded",
        507: f"{HERE}.test_where_an_access_cannot_be_recorded",
    },
    "store": {
        200: "test_store.TestStored.test_the_bytes_are_kept_and_everything_shows_them",
        202: "test_store.TestStatus.test_some_are_refused",
        400: "test_store.TestStatus.test_malformed",
        401: "test_store.TestStatus.test_anonymous",
        403: "test_program_tokens.TestPrograms.test_read_only_refuses_to_write",
        405: "test_store.TestNotConfigured.test_the_answer_says_so",
        406: "test_store.TestStatus.test_not_acceptable",
        408: "test_store_connections.test_a_body_that_stops_coming",
        409: "test_store.TestStatus.test_of_another_study",
        413: "test_store.TestStatus.test_too_large_a_file",
        415: "test_store.TestStatus.test_unsupported_type",
        503: f"{HERE}.TestStore.test_503_where_no_place_is_free",
        507: f"{HERE}.TestStore.test_507_where_the_disk_is_full",
    },
    "search": {
        200: "test_search.TestForms.test_json",
        204: "test_search.TestForms.test_nothing_found",
        400: "test_search.TestBadQueries.test_are_400_and_name_the_parameter",
        401: "test_search.TestWhoMaySearch.test_anonymous",
        406: "test_search.TestForms.test_what_there_is_not",
        413: "test_search.TestBadQueries.test_too_much_to_look_into",
        429: "test_search.TestPlaces.test_searches_that_look_into_headers_are_limited",
    },
    "delete": {
        204: "test_delete.TestWhat.test_level",
        400: "test_delete.TestWhat.test_malformed",
        401: "test_delete.TestWho.test_anonymous",
        403: "test_delete.TestWho.test_no_administrator",
        404: "test_delete.TestWhat.test_unknown",
    },
}
# Of every service alike: tried of one of them.
COMMON = {401, 429, 503, 507}
# PS3.18 table 8.5-1, and those of 8.9.3-1, 9.4.3-1, 10.4.3-1, 10.5.3-1, 10.6.3-1.
OF_THE_STANDARD = {
    200, 201, 202, 203, 204, 205, 206, 301, 303, 304, 400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415,
    500, 501, 503, 505,
}  # fmt: skip


def service_of(path: str, method: str) -> str:
    """The service that a resource belongs to."""
    if method in ("POST", "DELETE"):
        return {"POST": "store", "DELETE": "delete"}[method]
    last = path.rstrip("/").rsplit("/", 1)[1]
    if last in ("dicomweb", "conformance"):
        return "capabilities"
    return (
        "search" if last in ("studies", "series", "instances") else "wado" if last == "wado" else "retrieve"
    )


@pytest.mark.parametrize(
    "name", sorted({name for codes in TRIED.values() for name in codes.values()}), ids=lambda name: str(name)
)
def test_the_tests_are_there(name: str) -> None:
    module, *rest = name.split(".")
    for package in ("tests.api.dicomweb", "tests.api"):
        if importlib.util.find_spec(f"{package}.{module}"):
            found: Any = importlib.import_module(f"{package}.{module}")
            break
    for part in rest:
        found = getattr(found, part)
    assert callable(found)


def test_every_code_of_the_standard_is_tried_or_not_used() -> None:
    tried = {status for codes in TRIED.values() for status in codes}
    assert OF_THE_STANDARD - tried == NOT_USED.keys()
    assert not tried & NOT_USED.keys()


def test_every_code_that_a_service_declares_is_tried(app: FastAPI) -> None:
    declared = {
        (service_of(resource.path, transaction.method), status)
        for resource in dicomweb_resources(app.routes)
        for transaction in resource.transactions
        for status in transaction.statuses
    }
    tried = {(service, status) for service, codes in TRIED.items() for status in codes}
    assert {one for one in declared - tried if one[1] not in COMMON} == set()


def test_429_too_much_at_once(app: FastAPI, signed_in: TestClient) -> None:
    app.state.costly_requests = CostlyRequests(0)
    answer = signed_in.get(STUDY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_500_says_nothing_of_what_happened(
    app: FastAPI, signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("Doe^John")

    monkeypatch.setattr(app.state.archive, "stored_instances", fail)
    answer = signed_in.get(STUDY)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Doe" not in answer.text


@pytest.mark.parametrize(
    ("error", "status"), [(DatabaseUnavailable(""), 503), (StorageFull(""), 507)], ids=["503", "507"]
)
def test_where_an_access_cannot_be_recorded(
    app: FastAPI,
    signed_in: TestClient,
    folder: Folder,
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    folder.write("a", image())
    index()

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(app.state.access_recorder, "record_all", fail)
    for path in ("", "/metadata", "/rendered", "/series"):
        answer = signed_in.get(STUDY + path)
        assert answer.status_code == status, path
        assert "Doe" not in answer.text


class TestStore:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"store_dir": settings.state_dir / "store"})

    def test_503_where_no_place_is_free(self, app: FastAPI, signed_in: TestClient) -> None:
        turns = StoreTurns(wait_seconds=0.3)
        turns._all = anyio.Semaphore(0)
        app.state.store_turns = turns
        answer = store(signed_in, [image()])
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert answer.headers["Retry-After"]

    def test_507_where_the_disk_is_full(
        self, signed_in: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Disk, "write", staticmethod(fail))
        answer = store(signed_in, [image()])
        [failure] = answer.json()["0008119A"]["Value"]  # nothing of it was read: it has no UID yet
        assert (answer.status_code, failure["00081197"]["Value"]) == (507, [0xA700])
        monkeypatch.undo()
        assert files_in(settings) == files_in(settings, ".incoming") == []
        assert store(signed_in, [image()]).status_code == 200
