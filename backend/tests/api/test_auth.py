"""Logging in and out over HTTP."""

from fastapi.testclient import TestClient

from tests.conftest import PASSWORD, AddUser


class TestToken:
    def test_right_password(self, client: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        answer = client.post("/auth/token", data={"username": "ada", "password": PASSWORD})
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
        assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 900)
        assert answer.headers["cache-control"] == "no-store"

    def test_wrong_password(self, client: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        answer = client.post("/auth/token", data={"username": "ada", "password": "wrong"})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "set-cookie" not in answer.headers


class TestMe:
    def test_anonymous(self, client: TestClient) -> None:
        answer = client.get("/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_signed_in(self, signed_in: TestClient) -> None:
        answer = signed_in.get("/auth/me")
        assert answer.status_code == 200
        assert (answer.json()["username"], answer.json()["role"]) == ("ada", "admin")
        assert set(answer.json()["session"]) == {"id", "started", "expires", "idle_seconds"}
        assert answer.json()["session"]["idle_seconds"] == 30 * 60


class TestLogout:
    def test_the_token_is_dead_at_once(self, signed_in: TestClient) -> None:
        assert signed_in.post("/auth/logout").status_code == 204
        answer = signed_in.get("/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
