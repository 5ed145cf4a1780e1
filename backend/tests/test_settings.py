"""Settings are checked when the server starts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from imageserver.settings import Settings


def settings_from(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"IMAGESERVER_{name.upper()}", value)
    return Settings()


class TestCorsOrigins:
    def test_default_is_the_web_port_on_loopback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = settings_from(monkeypatch, web_port="3300")
        assert settings.effective_cors_origins == ["http://localhost:3300", "http://127.0.0.1:3300"]

    def test_a_list_is_written_as_browsers_send_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = settings_from(monkeypatch, cors_origins="https://PACS.example:443/, http://10.0.0.7:3000")
        assert settings.effective_cors_origins == ["https://pacs.example", "http://10.0.0.7:3000"]

    @pytest.mark.parametrize(
        "origin",
        [
            "*",
            "null",
            "http://*.example",
            "ftp://a.example",
            "localhost:3000",
            "http://a.example/path",
            "http://u@a.example",
            "http://a.example?x",
            "http://a.example:99999",
        ],
    )
    def test_wildcards_and_half_origins_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, origin: str
    ) -> None:
        with pytest.raises(ValidationError, match="origin"):
            settings_from(monkeypatch, cors_origins=f"http://localhost:3000,{origin}")

    def test_the_web_address_is_allowed_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = settings_from(monkeypatch, web_url="http://reading-room.lan:3000/")
        assert "http://reading-room.lan:3000" in settings.effective_cors_origins
        assert "reading-room.lan" in settings.effective_allowed_hosts


class TestDatabaseUrl:
    def test_default_is_a_file_in_the_state_directory(self, tmp_path: Path) -> None:
        assert (
            Settings(state_dir=tmp_path).effective_database_url == f"sqlite:///{tmp_path}/imageserver.sqlite3"
        )

    def test_the_password_comes_from_its_file(self, tmp_path: Path) -> None:
        secret = tmp_path / "password"
        secret.write_text("p@ss/word\n")
        settings = Settings(database_url="postgresql+psycopg://me@db/images", database_password_file=secret)
        assert settings.effective_database_url == "postgresql+psycopg://me:p%40ss%2Fword@db/images"


class TestOthers:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("port", "70000"),
            ("workers", "0"),
            ("min_password_length", "7"),
            ("session_idle_minutes", "600"),
            ("log_level", "loud"),
            ("trusted_proxies", "not-a-network"),
            ("api_url", "ftp://x"),
        ],
    )
    def test_values_out_of_range_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        with pytest.raises(ValidationError):
            settings_from(monkeypatch, **{name: value})

    def test_an_empty_variable_means_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings_from(monkeypatch, port="", cors_origins="").port == 8000

    def test_the_admin_needs_name_and_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ValidationError, match="together"):
            settings_from(monkeypatch, admin_username="root")

    def test_errors_never_quote_a_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ValidationError) as raised:
            settings_from(monkeypatch, admin_password="hunter2hunter2", port="x")
        assert "hunter2" not in str(raised.value)


class TestStoreDir:
    @pytest.mark.parametrize(
        ("data", "store"),
        [("images", "images/store"), ("images/data", "images"), ("images", "images"), ("link", "images")],
    )
    def test_it_lies_outside_of_the_data_directory(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: str, store: str
    ) -> None:
        (tmp_path / "images").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "images")
        with pytest.raises(ValidationError, match="STORE_DIR and DATA_DIR must lie outside of each other"):
            settings_from(monkeypatch, data_dir=str(tmp_path / data), store_dir=str(tmp_path / store))

    def test_beside_it(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        store = tmp_path / "images-store"
        settings = settings_from(monkeypatch, data_dir=str(tmp_path / "images"), store_dir=str(store))
        assert settings.store_dir == store
