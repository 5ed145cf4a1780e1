"""Server processes under measurement, on free ports of this machine, with a state of their own."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imageserver.accounts.models import Role
from imageserver.accounts.passwords import PasswordHasher
from imageserver.accounts.users import create_user
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.migrations import migrate
from imageserver.settings import Settings

BACKEND = Path(__file__).parents[1]
USERNAME, PASSWORD = "bench", "only for this benchmark"
START_SECONDS = 60.0


class Server:
    """A running server, and one kept connection to it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.headers: dict[str, str] = {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def another(self) -> "Server":
        """Return the same server over a connection of its own, logged in as this one."""
        other = Server(self.process, self.port)
        other.headers = self.headers
        return other

    def get(self, path: str) -> tuple[int, bytes]:
        """Send one request on the kept connection; on a new one where the server closed it meanwhile."""
        try:
            return self._get(path)
        except http.client.RemoteDisconnected:
            self.connection.close()
            return self._get(path)

    def _get(self, path: str) -> tuple[int, bytes]:
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def time_get(self, path: str) -> float:
        """Return the seconds that one good answer took."""
        started = time.perf_counter()
        status, _ = self.get(path)
        elapsed = time.perf_counter() - started
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        return elapsed

    def json(self, path: str) -> Any:
        """Return the content of a JSON answer."""
        return json.loads(self.get(path)[1])

    def log_in(self) -> None:
        """Send a token from now on."""
        form = urllib.parse.urlencode({"username": USERNAME, "password": PASSWORD})
        self.connection.request(
            "POST", "/auth/token", form, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        token = json.loads(self.connection.getresponse().read())["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def wait_for_index(self, files: int, pause: float = 0.02, seconds: float = START_SECONDS) -> None:
        """Wait until the index is ready and holds this many files."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            index = self.json("/volumes?limit=1")["index"]
            if index["state"] == "ready" and index["indexed"] == files:
                return
            time.sleep(pause)
        raise RuntimeError(f"the index did not become ready: {index}")

    def memory_mib(self) -> tuple[float, float]:
        """Return resident memory now and at its highest (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        values = dict(line.split(":", 1) for line in status.splitlines())
        return tuple(int(values[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


def prepare(state: Path, database_url: str = "") -> None:
    """Make the database of a server, with one account."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(database_url or Settings(state_dir=state).effective_database_url)
    migrate(database)
    with database.writing() as session:
        create_user(session, USERNAME, PasswordHasher().hash(PASSWORD), Role.READER, utc_now())
    database.dispose()


@contextmanager
def started(data: Path, state: Path, *command: str, **environment: str) -> Iterator[Server]:
    """Run a server until the end of the block; it is ready when the block begins."""
    port = _free_port()
    settings = {
        "IMAGESERVER_DATA_DIR": str(data),
        "IMAGESERVER_STATE_DIR": str(state),
        "IMAGESERVER_PORT": str(port),
        "IMAGESERVER_LOG_LEVEL": "warning",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMAGESERVER_")}
    process = subprocess.Popen(  # noqa: S603 - our own commands
        [sys.executable, "-m", *(command or ("imageserver", "serve"))],
        cwd=BACKEND,
        env={**kept, **settings, **environment, "BENCHMARK_PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        server = Server(process, port)
        _wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(server: Server) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if server.get("/readyz")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            server.connection.close()
        if server.process.poll() is not None:
            break
        time.sleep(0.005)
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
