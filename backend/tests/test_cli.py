"""The command refuses what it cannot work with by one line and an exit code, never by a trace."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import imageserver
from imageserver.cli import main
from imageserver.server import serve
from imageserver.settings import Settings
from imageserver.startup import StartRefused

Refused = Callable[..., str]

ADDRESS = "postgresql+psycopg://me@db/images"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Function that runs a command with these settings and returns the one line it refuses with."""
    monkeypatch.setenv("IMAGESERVER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("IMAGESERVER_PORT", "0")

    def start(command: str = "user list", **values: str) -> str:
        for name, value in values.items():
            monkeypatch.setenv(f"IMAGESERVER_{name.upper()}", value)
        with pytest.raises(SystemExit) as ended:
            main(command.split())
        lines = capsys.readouterr().err.splitlines()
        refusals = [line for line in lines if line.startswith("imageserver: start refused: ")]
        assert (ended.value.code, len(refusals)) == (78, 1)  # EX_CONFIG of sysexits.h
        assert "Traceback" not in "".join(lines)
        return refusals[0]

    return start


class TestDatabaseSettings:
    @pytest.mark.parametrize(
        "url",
        [
            "garbage",
            "postgresql+psycopg://me:S3CRET@host:x/db",
            "mysql://me:S3CRET@db/images",
            "postgresql://me:S3CRET@db/images",
            "postgresql+nodriver://me:S3CRET@db/images",
            "sqlite://S3CRET/file",
        ],
    )
    def test_an_address_that_leads_to_no_database(self, refused: Refused, url: str) -> None:
        line = refused(database_url=url)
        assert line.startswith("imageserver: start refused: IMAGESERVER_DATABASE_URL: ")
        assert "S3CRET" not in line

    @pytest.mark.parametrize("content", [None, b"\xff\xfe"])
    def test_a_password_file_that_cannot_be_read(
        self, refused: Refused, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "password"
        if content is not None:
            path.write_bytes(content)
        line = refused(database_url=ADDRESS, database_password_file=str(path))
        assert "IMAGESERVER_DATABASE_PASSWORD_FILE: " in line

    @pytest.mark.parametrize("url", ["", "sqlite:///x.sqlite3", "postgresql+psycopg://db/images"])
    def test_a_password_without_a_user(self, refused: Refused, tmp_path: Path, url: str) -> None:
        path = tmp_path / "password"
        path.write_text("S3CRET")
        line = refused(database_url=url, database_password_file=str(path))
        assert "DATABASE_PASSWORD_FILE" in line
        assert "S3CRET" not in line


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "value"),
        [("port", "70000"), ("cors_origins", "*"), ("trusted_proxies", "x"), ("host", "192.0.2.1")],
    )
    def test_the_variable_is_named(self, refused: Refused, name: str, value: str) -> None:
        assert f"IMAGESERVER_{name.upper()}: " in refused("serve", **{name: value})

    def test_a_weak_key_is_named(self, refused: Refused, tmp_path: Path) -> None:
        weak = tmp_path / "keys"
        weak.write_text("changeme")
        weak.chmod(0o600)
        assert "IMAGESERVER_SIGNING_KEYS_FILE" in refused("serve", signing_keys_file=str(weak))

    def test_the_process_ends_with_the_code(self, tmp_path: Path) -> None:
        settings = {
            "IMAGESERVER_DATABASE_URL": "garbage",
            "PYTHONPATH": str(Path(imageserver.__file__).parents[1]),
        }
        command = [sys.executable, "-m", "imageserver", "serve"]
        ended = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)


class TestStateDirectory:
    def test_is_made_before_the_database_is_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = tmp_path / "keys"
        key.write_text(secrets.token_urlsafe(32))
        key.chmod(0o600)
        settings = Settings(state_dir=tmp_path / "new" / "state", signing_keys_file=key)
        seen: list[bool] = []

        def stop(_settings: Settings) -> None:
            seen.append(settings.state_dir.is_dir())
            raise StartRefused("far enough")

        monkeypatch.setattr("imageserver.server._listen", stop)
        with pytest.raises(StartRefused, match="far enough"):
            serve(settings)
        assert seen == [True]

    def test_one_that_cannot_be_made_is_named(self, refused: Refused, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for command in ("serve", "user list", "index"):
            line = refused(command, state_dir=str(tmp_path / "file" / "state"))
            assert "IMAGESERVER_STATE_DIR: cannot be made" in line


class TestQuestions:
    @pytest.mark.parametrize("key", [KeyboardInterrupt, EOFError])
    def test_ctrl_c_and_ctrl_d_end_it_without_a_trace(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        key: type[BaseException],
    ) -> None:
        def press(_prompt: str) -> str:
            raise key

        monkeypatch.setenv("IMAGESERVER_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("getpass.getpass", press)
        with pytest.raises(SystemExit) as ended:
            main(["user", "add", "ada"])
        assert ended.value.code == 130
        assert "stopped before the end" in capsys.readouterr().err
