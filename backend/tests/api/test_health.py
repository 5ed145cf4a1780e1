"""Liveness and readiness."""

from pathlib import Path

from fastapi.testclient import TestClient

from imageserver.main import create_app
from imageserver.settings import Settings


class TestHealthz:
    def test_is_public(self, client: TestClient) -> None:
        assert client.get("/healthz").json() == {"status": "alive"}

    def test_lets_a_page_of_a_refused_origin_see_that_something_answers(self, client: TestClient) -> None:
        answer = client.get("/healthz", headers={"Origin": "https://elsewhere.example"})
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_answers_while_the_database_is_away(self, tmp_path: Path) -> None:
        app = create_app(Settings(state_dir=tmp_path, database_url="postgresql+psycopg://u@127.0.0.1:1/none"))
        with TestClient(app, base_url="http://localhost") as client:
            assert client.get("/healthz").status_code == 200


class TestReadyz:
    def test_ready_when_migrated(self, client: TestClient) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (200, "ok")

    def test_not_ready_while_the_database_is_away(self, tmp_path: Path) -> None:
        app = create_app(Settings(state_dir=tmp_path, database_url="postgresql+psycopg://u@127.0.0.1:1/none"))
        with TestClient(app, base_url="http://localhost") as client:
            answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")
