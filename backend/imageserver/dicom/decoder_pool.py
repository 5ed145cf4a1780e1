"""The server's side of the decoder processes: a few of them, replaced when they die, killed when they hang."""

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.decoder_template import DecoderTemplate, TemplateDied
from imageserver.dicom.decoder_worker import Died, Hangs, Worker
from imageserver.errors import Busy

_logger = logging.getLogger(__name__)


class DecoderFailure(Exception):
    """A frame could not be decoded; the message says why, in words."""


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

    Attributes
    ----------
    ended : int
        How many processes died or were killed at their work.
    """

    def __init__(
        self,
        size: int | None = None,
        *,
        seconds: float = 15.0,
        wait_seconds: float = 30.0,
        command: Sequence[str] | None = None,
    ) -> None:
        self._template = DecoderTemplate(command)
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._places = threading.BoundedSemaphore(size or min(4, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self.ended = 0
        self._finalizer = weakref.finalize(self, _end_all, self._all, self._template)

    def warm_up(self) -> None:
        """Start a first process, so that the first compressed frame need not wait for it."""
        if not self.pids():
            self._give_back(self._start())

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
            except Hangs:
                self._discard(process)
                raise DecoderFailure("decoding it takes too long") from None
            except Died:
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
    def _borrow(self, fresh: bool) -> Iterator[Worker]:
        if not self._places.acquire(timeout=self._wait_seconds):
            raise Busy("All decoders are busy.")
        try:
            with self._lock:
                process = self._idle.pop() if self._idle and not fresh else None
            process = process or self._start()
            try:
                yield process
            finally:
                self._give_back(process)
        finally:
            self._places.release()

    def _start(self) -> Worker:
        try:
            process = self._template.copy()
        except TemplateDied:
            try:
                process = self._template.copy()
            except TemplateDied:
                _logger.error("The decoders do not start.")
                raise Busy("The decoders do not start.") from None
        with self._lock:
            self._all.add(process)
        return process

    def _give_back(self, process: Worker) -> None:
        with self._lock:
            if process in self._all:
                self._idle.append(process)

    def _discard(self, process: Worker) -> None:
        """End a process that is of no more use; another one is copied at once, in a few milliseconds."""
        _logger.warning("A decoder process was ended; another takes its place.")
        with self._lock:
            self.ended += 1
            self._all.discard(process)
        self._template.end(process)
        with self._lock:
            is_replaced = bool(self._idle)
        if not is_replaced:
            self._give_back(self._start())

    def pids(self) -> list[int]:
        """Return the process ids, for diagnostics."""
        with self._lock:
            return sorted(process.pid for process in self._all)

    def close(self) -> None:
        """End all processes; to be called when no frame is being decoded."""
        with self._lock:
            self._idle.clear()
            _end_all(self._all, self._template)


class _Fresh(Exception):
    """Worth another try in a process that has served nobody."""


def _end_all(processes: set[Worker], template: DecoderTemplate) -> None:
    while processes:
        template.end(processes.pop())
    template.close()
