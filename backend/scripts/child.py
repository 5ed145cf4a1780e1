"""Programs that a launcher runs: their output goes through us, and none of them outlives us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

GRACE_SECONDS = 10.0


class Child:
    """A server in a session of its own, so that Ctrl-C reaches it through us only, once, and in order."""

    def __init__(
        self,
        name: str,
        command: list[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._on_line = on_line
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._forwarder = threading.Thread(target=self._forward, name=name, daemon=True)
        self._forwarder.start()

    @property
    def is_running(self) -> bool:
        """Whether the program still runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """How the program ended; negative for a signal."""
        return self._process.wait()

    def finish_output(self) -> None:
        """Wait until the last lines of an ended program are through."""
        self._forwarder.join(timeout=2)

    def ask_to_stop(self) -> None:
        """Ask politely; an ended program does not mind."""
        if self.is_running:
            self._process.terminate()

    def kill(self) -> None:
        """End the program and whatever it started, now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of the session is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.finish_output()

    def _forward(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(OSError, ValueError):  # our own output was closed: keep reading
                    sys.stdout.buffer.write(line)
                    sys.stdout.flush()
                self._on_line(line.decode(errors="replace"))


def stop_all(children: list[Child], at_once: Callable[[], bool]) -> None:
    """Ask all to stop, wait a little, then end what is left of them and of what they started."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + GRACE_SECONDS
    while any(child.is_running for child in children) and time.monotonic() < deadline and not at_once():
        time.sleep(0.05)
    for child in children:
        child.kill()
