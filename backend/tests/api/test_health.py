"""Liveness and readiness."""

from pathlib import Path

from fastapi.testclient import TestClient

from imageserver.accounts.passwords import PasswordHasher
from imageserver.database import Database
from imageserver.main import create_app
from imageserver.settings import Settings
from imageserver.startup import prepare
from tests.conftest import CHEAPEST_HASH, PASSWORD


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
        assert answer.json()["admin_account"] == "not_configured"

    def test_not_ready_before_the_account_of_the_settings_is_there(
        self, settings: Settings, database: Database
    ) -> None:
        values = {"admin_username": "Root", "admin_password": PASSWORD}
        settings = Settings(**{**settings.model_dump(), **values})
        with TestClient(create_app(settings), base_url="http://localhost") as client:
            before = client.get("/readyz")
            assert (before.status_code, before.json()["status"]) == (503, "not_ready")
            assert (before.json()["database"], before.json()["admin_account"]) == ("ok", "not_made")
            prepare(settings, database, PasswordHasher(CHEAPEST_HASH))
            after = client.get("/readyz")
        assert (after.status_code, after.json()["admin_account"]) == (200, "ok")

    def test_not_ready_while_the_database_is_away(self, tmp_path: Path) -> None:
        app = create_app(Settings(state_dir=tmp_path, database_url="postgresql+psycopg://u@127.0.0.1:1/none"))
        with TestClient(app, base_url="http://localhost") as client:
            answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")
