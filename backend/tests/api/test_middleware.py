"""What happens around every request."""

import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.logs import JsonLines
from imageserver.main import create_app
from imageserver.settings import Settings

pytestmark = pytest.mark.any_database  # no address here asks it more than who signs in

ALLOWED = "http://localhost:3000"
REFUSED_ORIGINS = [
    "null",
    "*",
    "http://evil.example",
    "http://localhost",
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "http://evil-localhost:3000",
    "http://localhost:30000",
    "http://LOCALHOST:3000",
    "http://localhost.:3000",
    "http://127.0.0.2:3000",
    "file://",
    "",
]


def add_broken_route(app: FastAPI) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a detail that nobody outside may see")


class TestCors:
    def test_preflight_of_an_allowed_origin(self, client: TestClient) -> None:
        answer = client.options(
            "/readyz",
            headers={
                "Origin": ALLOWED,
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "authorization,content-type,range",
            },
        )
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()
        assert "Origin" in answer.headers["vary"]
        assert answer.headers["access-control-max-age"] == "600"

    @pytest.mark.parametrize("origin", REFUSED_ORIGINS)
    @pytest.mark.parametrize("path", ["/readyz", "/nowhere"])
    def test_no_other_origin_is_allowed(self, client: TestClient, origin: str, path: str) -> None:
        assert "access-control-allow-origin" not in client.get(path, headers={"Origin": origin}).headers
        preflight = client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        assert "access-control-allow-origin" not in preflight.headers

    @pytest.mark.parametrize(
        ("origin", "asked", "status", "code"),
        [
            ("http://evil.example", {}, 403, "origin_not_allowed"),
            ("null", {"Access-Control-Request-Headers": "authorization"}, 403, "origin_not_allowed"),
            (ALLOWED, {"Access-Control-Request-Method": "PATCH"}, 400, "bad_request"),
            (ALLOWED, {"Access-Control-Request-Headers": "x-evil"}, 400, "bad_request"),
            (ALLOWED, {"Access-Control-Request-Private-Network": "true"}, 400, "bad_request"),
        ],
    )
    def test_a_refused_preflight_is_a_problem_and_allows_nothing(
        self, client: TestClient, origin: str, asked: dict[str, str], status: int, code: str
    ) -> None:
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET", **asked}
        answer = client.options("/patient", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert [name for name in answer.headers if name.startswith("access-control")] == []
        assert "Origin" in answer.headers["vary"]
        assert "evil" not in answer.text

    @pytest.mark.parametrize(("path", "status"), [("/readyz", 200), ("/nowhere", 404), ("/broken", 500)])
    def test_an_allowed_page_may_read_every_answer(
        self, app: FastAPI, client: TestClient, path: str, status: int
    ) -> None:
        add_broken_route(app)
        answer = client.get(path, headers={"Origin": ALLOWED})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ALLOWED

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [("/auth/token", b"", 422), ("/auth/token", b"x" * 9000, 413), ("/auth/password", b"{}", 401)],
    )
    def test_an_allowed_page_may_read_every_refusal(
        self, client: TestClient, path: str, body: bytes, status: int
    ) -> None:
        answer = client.post(
            path, content=body, headers={"Origin": ALLOWED, "Content-Type": "application/json"}
        )
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]

    def test_origins_come_from_the_settings(self, settings: Settings) -> None:
        changed = settings.model_copy(update={"cors_origins": ["https://pacs.example"]})
        with TestClient(create_app(changed), base_url="http://pacs.example") as client:
            answer = client.get("/healthz", headers={"Origin": "https://pacs.example"})
            assert answer.headers["access-control-allow-origin"] == "https://pacs.example"
            assert (
                "access-control-allow-origin"
                not in client.get("/healthz", headers={"Origin": ALLOWED}).headers
            )


class TestHosts:
    @pytest.mark.parametrize(
        "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LocalHost"]
    )
    def test_loopback_names_are_known(self, client: TestClient, host: str) -> None:
        assert client.get("/healthz", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host", ["", "evil.example", "localhost.evil.example", "localhost@evil", "a:b:c", "[::1"]
    )
    def test_others_are_refused(self, client: TestClient, host: str) -> None:
        answer = client.get("/healthz", headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (400, "host_not_allowed")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


class TestHead:
    def test_head_has_the_headers_of_get_and_no_body(self, client: TestClient) -> None:
        answer = client.head("/healthz")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == client.get("/healthz").headers["content-length"]


class TestHeaderLimit:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({f"X-{number}": "1" for number in range(90)}, 200),
            ({f"X-{number}": "1" for number in range(101)}, 431),
            ({"X-Long": "1" * 32_000}, 200),
            ({"X-Long": "1" * 32_768}, 431),
            ({f"X-{number}": "1" * 700 for number in range(50)}, 431),
        ],
    )
    def test_many_or_long_headers_are_refused(
        self, client: TestClient, headers: dict[str, str], status: int
    ) -> None:
        answer = client.get("/healthz", headers=headers)
        assert answer.status_code == status
        assert answer.json().get("code") == (None if status == 200 else "headers_too_large")


class TestAccept:
    @pytest.mark.parametrize(("parts", "status"), [(64, 200), (65, 406), (4000, 406)])
    def test_the_number_of_parts_is_limited(self, client: TestClient, parts: int, status: int) -> None:
        answer = client.get("/healthz", headers={"Accept": ",".join(["a/b;q=1"] * parts)})
        assert answer.status_code == status
        assert status == 200 or answer.json()["code"] == "not_acceptable"

    def test_several_headers_count_together(self, client: TestClient) -> None:
        headers = [("Accept", "a/b")] * 65
        assert client.get("/healthz", headers=headers).status_code == 406


class TestBodyLimit:
    def test_a_declared_large_body_is_refused(self, client: TestClient) -> None:
        answer = client.post("/auth/anything", content=b"x" * 9000)
        assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")

    def test_a_large_body_without_length_is_refused(self, app: FastAPI, client: TestClient) -> None:
        @app.post("/swallow")
        def swallow(body: dict[str, str]) -> None: ...

        answer = client.post("/swallow", content=(b" " * 65536 for _ in range(20)))
        assert answer.status_code == 413


class TestErrors:
    def test_unknown_route(self, client: TestClient) -> None:
        answer = client.get("/nowhere")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not_found"
        assert answer.json()["type"] == "/problems/not-found"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]

    def test_wrong_method_names_the_right_one(self, client: TestClient) -> None:
        answer = client.delete("/healthz")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.json()["code"] == "method_not_allowed"

    def test_unexpected_error_hides_its_detail(self, app: FastAPI, client: TestClient) -> None:
        add_broken_route(app)
        answer = client.get("/broken")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "nobody outside" not in answer.text

    def test_a_body_that_is_no_json_is_told_in_words(self, app: FastAPI, client: TestClient) -> None:
        @app.post("/swallow")
        def swallow(body: dict[str, str]) -> None: ...

        answer = client.post("/swallow", content=b'{"a": ', headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["detail"]) == (422, "The body is not JSON.")


class TestHeadersAndLog:
    @pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs", "/docs/swagger-ui.css"])
    def test_security_headers_are_everywhere(self, client: TestClient, path: str) -> None:
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "'unsafe-eval'" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers

    def test_https_gets_hsts(self, app: FastAPI) -> None:
        with TestClient(app, base_url="https://localhost") as client:
            assert "max-age" in client.get("/healthz").headers["strict-transport-security"]

    def test_the_access_line_has_no_address(
        self, client: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "imageserver.access"):
            client.get("/docs?PatientName=Secret")
        (line,) = [
            json.loads(JsonLines().format(record))
            for record in caplog.records
            if record.name == "imageserver.access"
        ]
        assert (line["route"], line["status"], line["method"]) == ("/docs", 200, "GET")
        assert "Secret" not in json.dumps(line)

    @pytest.mark.parametrize(
        ("path", "host", "code"),
        [
            ("/nowhere", "localhost", "not_found"),
            ("/", "evil.example", "host_not_allowed"),
            ("/docs", "localhost", None),
        ],
    )
    def test_the_access_line_has_the_code(
        self, client: TestClient, caplog: pytest.LogCaptureFixture, path: str, host: str, code: str | None
    ) -> None:
        with caplog.at_level(logging.INFO, "imageserver.access"):
            client.get(path, headers={"Host": host})
        (line,) = [
            json.loads(JsonLines().format(record))
            for record in caplog.records
            if record.name == "imageserver.access"
        ]
        assert line["code"] == code

    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_a_probe_with_a_good_answer_is_not_worth_a_line(
        self, client: TestClient, caplog: pytest.LogCaptureFixture, path: str
    ) -> None:
        with caplog.at_level(logging.DEBUG, "imageserver.access"):
            client.get(path)
        assert [record.levelname for record in caplog.records if record.name == "imageserver.access"] == [
            "DEBUG"
        ]


class TestDocs:
    def test_the_page_loads_nothing_from_elsewhere(self, client: TestClient) -> None:
        page = client.get("/docs").text
        assert "http" not in page.replace("http-equiv", "")
        for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon.png", "start.js"):
            assert f"/docs/{asset}" in page
            assert client.get(f"/docs/{asset}").status_code == 200

    def test_can_be_switched_off(self, settings: Settings) -> None:
        quiet = create_app(settings.model_copy(update={"api_docs": False}))
        with TestClient(quiet, base_url="http://localhost") as client:
            assert client.get("/docs").status_code == 404
            assert client.get("/openapi.json").status_code == 404
