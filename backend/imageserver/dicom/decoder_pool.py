"""The server's side of the decoder processes: a few of them, replaced when they die, killed when they hang."""

import contextlib
import fcntl
import json
import logging
import os
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.errors import Busy

_logger = logging.getLogger(__name__)

_SCRIPT = Path(__file__).with_name("decoder_process.py")
_PIPE_BYTES = 1024 * 1024
_START_SECONDS = 60.0
# What a Python process needs to start and find its libraries; no setting or secret of the server.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "TZ")


class DecoderFailure(Exception):
    """A frame could not be decoded; the message says why, in words."""


class _Died(Exception):
    """The process ended in the middle of an exchange."""


class _Hangs(Exception):
    """The process did not answer in time."""


class _Process:
    """One decoder process. Used by one thread at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        self._popen = subprocess.Popen(  # noqa: S603 - our own script, no input in the command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            cwd="/",
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._in, self._out = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        for descriptor in (self._in, self._out):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(OSError, AttributeError):  # a frame fits in one go; only Linux has it
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._is_ready = False
        self.served = 0

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exchange(
        self, request: dict[str, Any], data: bytes, seconds: float
    ) -> tuple[dict[str, Any], bytearray]:
        """Send a frame and wait for the answer.

        Raises
        ------
        _Died, _Hangs
            The process is then of no more use.
        """
        if not self._is_ready:
            self._read(1, time.monotonic() + _START_SECONDS)
            self._is_ready = True
        deadline = time.monotonic() + seconds
        text = json.dumps({**request, "length": len(data)}).encode()
        self._write(struct.pack("<L", len(text)) + text, deadline)
        self._write(data, deadline)
        (length,) = struct.unpack("<L", self._read(4, deadline))
        answer = json.loads(self._read(length, deadline))
        self.served += 1
        return answer, self._read(answer["length"], deadline)

    def _write(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            self._wait(self._in, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._in, left[:_PIPE_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _Died from None

    def _read(self, count: int, deadline: float) -> bytearray:
        buffer = bytearray(count)
        left = memoryview(buffer)
        while left:
            self._wait(self._out, select.POLLIN, deadline)
            try:
                got = os.readv(self._out, [left])
            except BlockingIOError:
                continue
            if got == 0:
                raise _Died
            left = left[got:]
        return buffer

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise _Hangs

    def end(self) -> None:
        """Kill the process and leave no zombie."""
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()


class DecoderPool:
    """A few decoder processes, started when the first compressed frame comes.

    May be used by any number of threads; each frame has a process of its own meanwhile.

    Parameters
    ----------
    size : int, optional
        How many frames are decoded at the same time; by default one per processor, at most four.
    seconds : float
        How long one frame may take, by the clock. The process limits its processor time by itself.
    wait_seconds : float
        How long a thread waits for a free process before it gets `Busy`.
    command : sequence of str, optional
        What is started; for tests.
    """

    def __init__(
        self,
        size: int | None = None,
        *,
        seconds: float = 15.0,
        wait_seconds: float = 30.0,
        command: Sequence[str] | None = None,
    ) -> None:
        self._command = list(command or (sys.executable, "-P", str(_SCRIPT)))
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._places = threading.BoundedSemaphore(size or min(4, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._finalizer = weakref.finalize(self, _end_all, self._all)

    def warm_up(self) -> None:
        """Start a first process now, so that the first compressed frame need not wait for it."""
        with self._lock:
            if not self._all:
                self._idle.append(self._start())

    def decode(self, request: dict[str, Any], data: bytes) -> tuple[NDArray[Any], str]:
        """Decode one frame.

        Parameters
        ----------
        request : dict
            ``transfer_syntax_uid`` and ``options``: the Image Pixel module under the names of pydicom's decoders.
        data : bytes
            The compressed stream of the frame.

        Returns
        -------
        numpy.ndarray, shape (rows, columns) or (rows, columns, samples)
            Stored values.
        str
            Their photometric interpretation.

        Raises
        ------
        DecoderFailure
            If the stream cannot be decoded, takes too long or too much memory, or ends the process.
        imageserver.errors.Busy
            If no process becomes free.
        """
        try:
            answer, values = self._exchange(request, data)
        except _Fresh:  # the process had served others: perhaps it was their doing
            answer, values = self._exchange(request, data, fresh=True)
        if "error" in answer:
            raise DecoderFailure(f"no decoder accepts it ({answer['error']})")
        array = np.frombuffer(values, np.dtype(answer["dtype"])).reshape(answer["shape"])
        return array, answer["photometric_interpretation"]

    def _exchange(
        self, request: dict[str, Any], data: bytes, fresh: bool = False
    ) -> tuple[dict[str, Any], bytearray]:
        with self._borrow(fresh) as process:
            served = process.served
            try:
                answer, values = process.exchange(request, data, self._seconds)
            except _Hangs:
                self._discard(process)
                raise DecoderFailure("decoding it takes too long") from None
            except _Died:
                self._discard(process)
                if served:
                    raise _Fresh from None
                raise DecoderFailure("the decoder broke on it") from None
            if answer.get("error") == "memory":
                self._discard(process)
                if served:
                    raise _Fresh
                raise DecoderFailure("decoding it takes too much memory")
            return answer, values

    @contextlib.contextmanager
    def _borrow(self, fresh: bool) -> Iterator[_Process]:
        if not self._places.acquire(timeout=self._wait_seconds):
            raise Busy("All decoders are busy.")
        try:
            with self._lock:
                process = self._start() if fresh or not self._idle else self._idle.pop()
            try:
                yield process
            finally:
                with self._lock:
                    if process in self._all:
                        self._idle.append(process)
        finally:
            self._places.release()

    def _start(self) -> _Process:
        process = _Process(self._command)
        self._all.add(process)
        return process

    def _discard(self, process: _Process) -> None:
        """End a process that is of no more use, and start the next one at once."""
        _logger.warning("A decoder process was ended; another takes its place.")
        process.end()
        with self._lock:
            self._all.discard(process)
            if not self._idle:
                self._idle.append(self._start())

    def pids(self) -> list[int]:
        """Return the process ids, for diagnostics."""
        with self._lock:
            return sorted(process.pid for process in self._all)

    def close(self) -> None:
        """End all processes; to be called when no frame is being decoded."""
        with self._lock:
            self._idle.clear()
            _end_all(self._all)


class _Fresh(Exception):
    """Worth another try in a process that has served nobody."""


def _end_all(processes: set[_Process]) -> None:
    while processes:
        processes.pop().end()
