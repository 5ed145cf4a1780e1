"""One decoder process, as the server sees it: two pipes and an id."""

import contextlib
import fcntl
import json
import os
import select
import struct
import time
from typing import Any

_PIPE_BYTES = 1024 * 1024


class Died(Exception):
    """The process ended in the middle of an exchange."""


class Hangs(Exception):
    """The process did not answer in time."""


def open_pipe() -> tuple[int, int]:
    """Make a pipe that holds a usual frame in one go; only Linux can widen it."""
    ends = os.pipe()
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return ends


class Worker:
    """One decoder process. Used by one thread at a time.

    Parameters
    ----------
    pid : int
        Of the process; its parent alone may signal it.
    requests, answers : int
        Our ends of its pipes.

    Attributes
    ----------
    served : int
        Frames that it decoded.
    """

    def __init__(self, pid: int, requests: int, answers: int) -> None:
        self.pid = pid
        self._in, self._out = requests, answers
        for descriptor in (requests, answers):
            os.set_blocking(descriptor, False)
        self.served = 0

    def exchange(
        self, request: dict[str, Any], data: bytes, seconds: float
    ) -> tuple[dict[str, Any], bytearray]:
        """Send a frame and wait for the answer.

        Raises
        ------
        Died, Hangs
            The process is then of no more use.
        """
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
                raise Died from None

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
                raise Died
            left = left[got:]
        return buffer

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Hangs

    def close(self) -> None:
        """Close the pipes; a process that waits for a request ends by that."""
        os.close(self._in)
        os.close(self._out)
