"""Nothing that a launcher started outlives it."""

import os
import sys
import time
from pathlib import Path

import pytest

from scripts import child
from scripts.child import Child, stop_all

POLITE = "import time; print('http://localhost:3000/setup#code=abc', flush=True); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
WITH_GRANDCHILD = (
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(p.pid, flush=True); sys.exit(3)"
)


def start(script: str, lines: list[str]) -> Child:
    command: list[str | Path] = [sys.executable, "-c", script]
    started = Child("it", command, Path("/"), os.environ, on_line=lambda line: lines.append(line.strip()))
    wait_for(lambda: bool(lines))
    return started


def wait_for(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # it ends while one looks
        return False


def test_lines_come_through_and_a_polite_program_ends_at_once(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    lines: list[str] = []
    running = start(POLITE, lines)
    assert lines == ["http://localhost:3000/setup#code=abc"]
    began = time.monotonic()
    stop_all([running], at_once=lambda: False)
    assert not running.is_running
    assert time.monotonic() - began < child.GRACE_SECONDS


def test_one_that_does_not_listen_is_killed_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE_SECONDS", 0.3)
    running = start(DEAF, [])
    stop_all([running], at_once=lambda: False)
    assert running.exit_code == -9


def test_a_second_ctrl_c_does_not_wait() -> None:
    running = start(DEAF, [])
    began = time.monotonic()
    stop_all([running], at_once=lambda: True)
    assert running.exit_code == -9
    assert time.monotonic() - began < child.GRACE_SECONDS


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc, which only Linux has")
def test_what_an_ended_program_left_behind_is_ended_too() -> None:
    lines: list[str] = []
    running = start(WITH_GRANDCHILD, lines)
    assert running.exit_code == 3
    assert is_alive(int(lines[0]))
    stop_all([running], at_once=lambda: False)
    wait_for(lambda: not is_alive(int(lines[0])))
