"""A real server of several processes over a folder, for targets that need one."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

import imageserver
from fuzz.readers import Answer, answer_of

START_SECONDS = 120.0
USERNAME = "reader"
_PACKAGE_FOLDER = Path(imageserver.__file__).parents[1]


class Server:
    """A running server and a client that is logged in."""

    def __init__(self, process: subprocess.Popen[str], port: int, password: str, connections: int) -> None:
        # Shorter than the server's 5 s: otherwise a connection is closed just when it is used again.
        limits = httpx.Limits(max_connections=connections, keepalive_expiry=1.0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits)
        self.process = process
        self.port = port
        self.closed = 0  # connections that were closed before an answer came
        self.password = password
        self.log_in()
        self._workers = self._children()

    def log_in(self) -> None:
        """Log in, as soon as the server is ready."""
        deadline = time.monotonic() + START_SECONDS
        form = {"username": USERNAME, "password": self.password}
        while True:
            answer = self.client.post("/auth/token", data=form)
            if answer.status_code == 200:
                break
            if time.monotonic() > deadline:
                raise TimeoutError("the server does not become ready")
            time.sleep(0.2)
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.client.cookies.clear()

    def ask(self, series_instance_uid: str) -> Answer:
        """Ask for the middle slice of a series.

        Raises
        ------
        OSError
            If no answer came; its text is the kind of failure.
        """
        try:
            answer = self._get(series_instance_uid)
        except httpx.TransportError as error:
            raise OSError(type(error).__name__) from error
        code = answer.json()["code"] if answer.status_code >= 400 else ""
        return answer_of(answer.status_code, answer.headers, answer.content, code)

    def _get(self, series_instance_uid: str) -> httpx.Response:
        """Ask once more where an idle connection was closed, as every browser does (RFC 9110, 9.2.2)."""
        try:
            return self.client.get("/slice", params={"series": series_instance_uid})
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            self.closed += 1
            return self.client.get("/slice", params={"series": series_instance_uid})

    def deaths(self) -> int:
        """Count the processes that were there when the server was ready, and are not any more."""
        return len(self._workers - self._children()) + (self.process.poll() is not None)

    def _children(self) -> set[int]:
        pid = self.process.pid
        try:
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        except OSError:
            return set()
        return {int(child) for child in text.split()}


@contextmanager
def running_server(folder: Path, workers: int, connections: int, **more: str) -> Iterator[Server]:
    """Start a server over `folder`, on a port that the system chooses, and stop it afterwards.

    The database is an embedded one, or that of IMAGESERVER_TEST_DATABASE_URL, which must be empty. Further settings
    are given by their names without ``IMAGESERVER_``.
    """
    with tempfile.TemporaryDirectory(prefix="imageserver-state-") as state:
        password = secrets.token_urlsafe(24)
        settings = {
            "DATA_DIR": folder,
            "STATE_DIR": state,
            "PORT": 0,
            "WORKERS": workers,
            "ADMIN_USERNAME": USERNAME,
            "ADMIN_PASSWORD": password,
            "DATABASE_URL": os.environ.get("IMAGESERVER_TEST_DATABASE_URL", ""),
            **more,
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("IMAGESERVER_")}
        environment |= {f"IMAGESERVER_{name}": str(value) for name, value in settings.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "imageserver", "serve"],
            env=environment | {"PYTHONPATH": str(_PACKAGE_FOLDER)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            server = Server(process, _port_of(process), password, connections)
            try:
                yield server
            finally:
                server.client.close()
        finally:
            _stop(process)


def _port_of(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            threading.Thread(target=_read_to_end, args=(process.stderr,), daemon=True).start()
            return int(match[1])
    raise RuntimeError("the server ended before it listened")


def _read_to_end(stream: IO[str]) -> None:
    """Take what the server says: a full pipe would stop it."""
    with stream:
        stream.read()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
