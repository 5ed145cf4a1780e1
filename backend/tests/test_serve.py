"""`imageserver serve` as a process: it starts by itself and ends when it is told to."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

import imageserver

STARTS_WITHIN = 60  # and ends within, on a busy machine
PACKAGE_FOLDER = Path(imageserver.__file__).parents[1]


@pytest.fixture
def workers() -> int:
    """Number of API processes."""
    return 1


@pytest.fixture
def server(tmp_path: Path, workers: int) -> Iterator[subprocess.Popen[str]]:
    """A server with an embedded database, on a port that the system chooses."""
    settings = {"DATA_DIR": tmp_path / "data", "STATE_DIR": tmp_path / "state", "PORT": 0, "WORKERS": workers}
    (tmp_path / "data").mkdir()
    environment = os.environ | {f"IMAGESERVER_{name}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "imageserver", "serve"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(PACKAGE_FOLDER)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its workers too
    process.communicate()


def port_of(server: subprocess.Popen[str]) -> int:
    """Read the log until it names the port."""
    assert server.stderr is not None
    seen = []
    for line in server.stderr:
        seen.append(line)
        if match := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            return int(match[1])
    pytest.fail("the server ended before it listened:\n" + "".join(seen))


def get(port: int, path: str) -> int:
    """Status of one answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=STARTS_WITHIN)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def wait_until_ready(port: int) -> None:
    """Poll the readiness, which follows the liveness by the time that a migration takes."""
    deadline = time.monotonic() + STARTS_WITHIN
    while get(port, "/readyz") != 200:
        assert time.monotonic() < deadline, "the server does not become ready"
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_with_success(server: subprocess.Popen[str], name: str) -> None:
    wait_until_ready(port_of(server))
    server.send_signal(signal.Signals[name])
    assert server.wait(timeout=STARTS_WITHIN) == 0


@pytest.mark.parametrize("workers", [2])
def test_several_workers_print_one_link_and_stop_together(server: subprocess.Popen[str]) -> None:
    wait_until_ready(port_of(server))
    server.send_signal(signal.SIGTERM)
    _, log = server.communicate(timeout=STARTS_WITHIN)
    assert server.returncode == 0
    assert log.count("/setup#code=") == 1
    assert log.count("Finished server process") == 2
