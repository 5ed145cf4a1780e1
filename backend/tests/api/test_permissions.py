"""Deny by default: every route that is not on the public list refuses who is not logged in."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import anyio
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.types import Message, Receive

from imageserver.api.authentication import CurrentUser
from imageserver.api.permissions import PUBLIC, UnprotectedRoute, check_permissions
from imageserver.main import create_app
from imageserver.settings import Settings

pytestmark = pytest.mark.any_database  # who is refused never gets to it

HOSTS = [
    "", " ", "evil.example", "localhost:99999999", "localhost:-1", "localhost:", "localhost:80:80", "localhost/",
    "localhost@evil.example", "evil.example@localhost", "localhost#", "localhost?x", "localhost\\evil", "[::1",
    "LOCALHOST.", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "localhost\t", "localhost evil",
]  # fmt: skip
PUBLIC_NOW = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/auth/status"), ("GET", "/openapi.json"),
    ("GET", "/docs"), ("GET", "/docs/start.js"), ("GET", "/docs/{name}"),
    ("POST", "/auth/token"), ("POST", "/auth/refresh"), ("POST", "/auth/logout"), ("POST", "/auth/setup"),
}  # fmt: skip


def protected_routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):  # answered as GET
            if (method, route.path) not in PUBLIC:
                path = re.sub(r"{\w+_uid}", "1.2.3", str(route.path)).replace("{frame_list}", "1,2")
                path = path.replace("{token_id}", "0" * 32)
                path = path.replace("{digest}", "0" * 32)
                path = path.replace("{bulk_path:path}", "00281203")
                path = path.replace("{measurement_id}", "11111111-2222-4333-8444-555555555555")
                assert "{" not in path, "name a value for this parameter here"
                yield method, path


def variants(path: str) -> list[str]:
    return [
        f"{path}/", f"/{path}", f"{path}%2f", f"{path}%00", f"/.{path}", f"{path}/.", f"{path}/..", f"/%2e{path}",
        f"/healthz/..{path}", f"/docs/..%2f..{path}", f"{path};a=b", path.upper(), path.replace("/", "%2f", 1),
    ]  # fmt: skip


async def receive_nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def status_of(app: FastAPI, method: str, raw_path: str, receive: Receive = receive_nothing) -> int:
    """Ask the application itself, because clients tidy addresses up."""
    statuses: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": unquote(raw_path),
        "raw_path": raw_path.encode(), "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
        "client": ("192.0.2.7", 1), "server": ("localhost", 8000),
    }  # fmt: skip
    await app(scope, receive, send)
    return statuses[0]


class TestRoutes:
    def test_the_public_list_is_short_and_known(self) -> None:
        assert PUBLIC == PUBLIC_NOW

    def test_there_are_protected_routes(self, app: FastAPI) -> None:
        assert {("GET", "/auth/me"), ("POST", "/auth/password")} <= set(protected_routes(app))

    def test_anonymous(self, app: FastAPI, client: TestClient) -> None:
        for method, path in protected_routes(app):
            answer = client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), path
            assert answer.headers["www-authenticate"].split(",")[0] == "Bearer"

    def test_with_malformed_parameters(self, app: FastAPI, client: TestClient) -> None:
        for method, path in protected_routes(app):
            query = {"series": "../x", "stack": "x", "index": "-1", "limit": "x", "format": "x"}
            assert client.request(method, path, params=query).status_code == 401, path

    @pytest.mark.parametrize(
        "body", [b"{", b"\xff\xfe", b"[" * 5000, b'{"current_password": 1}', b"x" * 8000]
    )
    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", ""])
    def test_with_a_malformed_body(
        self, app: FastAPI, client: TestClient, body: bytes, content_type: str
    ) -> None:
        for method, path in protected_routes(app):
            headers = {"Content-Type": content_type}
            answer = client.request(method, path, content=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), path

    def test_no_body_is_read_of_a_stranger(self, app: FastAPI) -> None:
        async def refuse_to_be_read() -> Message:
            pytest.fail("the body was asked for")

        for method, path in protected_routes(app):
            assert anyio.run(status_of, app, method, path, refuse_to_be_read) == 401, path

    @pytest.mark.parametrize(
        "method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", "get"]
    )
    def test_with_other_methods(self, app: FastAPI, client: TestClient, method: str) -> None:
        for _, path in protected_routes(app):
            assert client.request(method, path).status_code in {401, 405}, path

    def test_with_other_spellings_of_the_address(self, app: FastAPI) -> None:
        for method, path in protected_routes(app):
            for variant in variants(path):
                assert anyio.run(status_of, app, method, variant) in {400, 401, 404, 405}, variant

    @pytest.mark.parametrize("host", HOSTS)
    def test_with_a_malformed_host(self, app: FastAPI, client: TestClient, host: str) -> None:
        for method, path in protected_routes(app):
            assert client.request(method, path, headers={"Host": host}).status_code in {400, 401}, path

    def test_openapi_asks_for_a_token_on_exactly_these(self, app: FastAPI, client: TestClient) -> None:
        document = client.get("/openapi.json").json()
        (scheme,) = document["components"]["securitySchemes"].values()
        assert scheme["flows"]["password"]["tokenUrl"] == "/auth/token"
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                assert bool(operation.get("security")) == ((method.upper(), path) not in PUBLIC), (
                    f"{method} {path}"
                )
                if (method.upper(), path) not in PUBLIC:
                    assert "401" in operation["responses"], path


class TestStart:
    def test_a_forgotten_route_refuses_the_start(self, app: FastAPI) -> None:
        @app.get("/forgotten")
        def forgotten() -> None: ...

        with pytest.raises(UnprotectedRoute, match="/forgotten"):
            check_permissions(app)

    def test_a_route_that_reads_before_it_asks_refuses_the_start(self, app: FastAPI) -> None:
        @app.post("/hasty")
        def hasty(body: dict[str, str], user: CurrentUser) -> None: ...

        with pytest.raises(UnprotectedRoute, match="/hasty"):
            check_permissions(app)

    @pytest.mark.parametrize(("method", "path"), [("DELETE", "/auth/status"), ("POST", "/healthz")])
    def test_another_method_of_a_public_address_is_forgotten_too(
        self, app: FastAPI, method: str, path: str
    ) -> None:
        app.add_api_route(path, lambda: None, methods=[method])
        with pytest.raises(UnprotectedRoute, match=path):
            check_permissions(app)

    def test_a_mounted_application_is_a_forgotten_route_too(self, app: FastAPI) -> None:
        app.mount("/other", FastAPI())
        with pytest.raises(UnprotectedRoute):
            check_permissions(app)

    def test_the_check_runs_at_every_start(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("imageserver.api.permissions.PUBLIC", frozenset({("GET", "/healthz")}))
        with pytest.raises(UnprotectedRoute):
            create_app(settings)

    def test_a_given_weak_key_refuses_the_start(self, settings: Settings, tmp_path: Path) -> None:
        weak = tmp_path / "keys"
        weak.write_text("changeme")
        weak.chmod(0o600)
        with pytest.raises(RuntimeError, match="IMAGESERVER_SIGNING_KEYS_FILE"):
            create_app(settings.model_copy(update={"signing_keys_file": weak}))
