"""The process that loads the decoders once, and from which all decoder processes are copied."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from imageserver.dicom.decoder_worker import Worker, open_pipe

SCRIPT = Path(__file__).with_name("decoder_process.py")
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
# What a Python process needs to start and find its libraries; no setting or secret of the server.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "TZ")


class TemplateDied(Exception):
    """The template does not answer; another one has to be started."""


class DecoderTemplate:
    """A process that copies itself on order. May be used by any number of threads.

    Parameters
    ----------
    command : sequence of str, optional
        What is started; for tests.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or (sys.executable, "-P", str(SCRIPT)))
        self._lock = threading.Lock()
        self._popen: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def copy(self) -> Worker:
        """Start a decoder process; the first one waits for the libraries to load.

        Raises
        ------
        TemplateDied
            If it does not start, or is gone.
        """
        request_end, requests = open_pipe()
        answers, answer_end = open_pipe()
        try:
            with self._lock:
                pid = self._order(b"+\0\0\0\0", (request_end, answer_end))
        except BaseException:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(request_end)
            os.close(answer_end)
        return Worker(pid, requests, answers)

    def end(self, worker: Worker) -> None:
        """Kill a decoder process and leave no zombie; without a template it ends by its closed pipes."""
        worker.close()
        with self._lock, contextlib.suppress(TemplateDied):
            if self._connection is not None:
                self._order(b"-" + struct.pack("<L", worker.pid))

    def close(self) -> None:
        """End the template; its copies end by their closed pipes."""
        with self._lock:
            self._discard()

    def _order(self, order: bytes, pipes: Sequence[int] = ()) -> int:
        connection = self._connection or self._start()
        try:
            connection.settimeout(_ANSWER_SECONDS)
            socket.send_fds(connection, [order], pipes)
            return int(struct.unpack("<L", _receive(connection, 4))[0])
        except OSError as error:
            self._discard()
            raise TemplateDied from error

    def _start(self) -> socket.socket:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        connection, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(  # noqa: S603 - our own script, no input in the command
                self._command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
            )
        self._connection = connection
        try:
            connection.settimeout(_START_SECONDS)
            _receive(connection, 1)
        except OSError as error:
            self._discard()
            raise TemplateDied from error
        return connection

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._popen = None


def _receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        got = connection.recv(count - len(data))
        if not got:
            raise ConnectionResetError
        data += got
    return data
