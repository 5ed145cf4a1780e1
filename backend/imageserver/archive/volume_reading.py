"""Volumes that planes are cut from: read once, in the background, into a scratch file.

Who asks meanwhile is told how far it is, and asks again: no request waits for hundreds of slices.
"""

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWorking
from typing import NamedTuple

from imageserver.archive.files import DataDirectory
from imageserver.archive.located_planes import LocatedPlane
from imageserver.archive.scratch import Scratch
from imageserver.archive.voxel_files import open_voxels, write_voxels
from imageserver.dicom.decoding import Decoders, decode_frame
from imageserver.dicom.plane_rendering import Presentation, read_presentation
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.reslicing import Voxels
from imageserver.errors import Busy, Undecodable, UndecodableFrame

BYTES_PER_VOXEL = 4  # at most
_WAIT_SECONDS = 4.0
_MOST_QUEUED = 4
_MOST_OPEN = 16
_MOST_FAILURES = 256


class OpenVolume(NamedTuple):
    """Voxels, and how they are drawn."""

    voxels: Voxels
    presentation: Presentation


class _Work:
    """A volume that is being read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.done = 0
        self.future: Future[None] | None = None


class VolumeReader:
    """Reads one volume after the other; may be asked by any number of threads."""

    def __init__(self, directory: DataDirectory, decoders: Decoders, scratch: Scratch) -> None:
        self._directory = directory
        self._decoders = decoders
        self._scratch = scratch
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="volume")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._works: dict[str, _Work] = {}
        self._opened: OrderedDict[str, OpenVolume] = OrderedDict()
        self._failures: OrderedDict[str, Undecodable] = OrderedDict()

    def start(self) -> None:
        """Remove what former processes left."""
        self._scratch.clear()

    def stop(self) -> None:
        """Give up what is being read, and remove what was."""
        self._stopping.set()
        self._reader.shutdown(cancel_futures=True)
        self._opened.clear()
        self._scratch.close()

    def open(self, located: LocatedPlane) -> OpenVolume:
        """Return the voxels of a stack.

        Raises
        ------
        Busy
            While they are being read, with `done` and `count` of the slices; or if too many volumes are.
        StorageFull
            If there is no room for them.
        UnsupportedTransferSyntax, UndecodableFrame, NotAVolume
            If a slice cannot be decoded, or is in colour. That is remembered.
        FileGone, FileReplaced, IntegrityMismatch, DataDirectoryUnavailable
            If the file of a slice is not the one that was indexed.
        """
        digest = located.digest
        with self._lock:
            opened, failure = self._opened.get(digest), self._failures.get(digest)
        if failure is not None:
            raise type(failure)(failure.detail, **failure.members)
        path = self._scratch.find(digest)
        if opened is not None:
            return opened
        if path is None:
            self._await(located)
            path = self._scratch.find(digest)
        busy = Busy("The volume is being read.", done=0, count=len(located.sources))
        if path is None:  # given up for another volume, or by another process
            raise busy
        try:
            voxels = open_voxels(path, located.stack.rows, located.stack.columns)
        except FileNotFoundError:  # made room for another volume since it was found
            raise busy from None
        return self._keep(digest, OpenVolume(voxels, self._presentation(located)))

    def _keep(self, digest: str, opened: OpenVolume) -> OpenVolume:
        with self._lock:
            # A file that made room takes its place on the disk until nobody has it open.
            for other in [one for one in self._opened if not self._scratch.has(one)]:
                del self._opened[other]
            self._opened[digest] = opened
            while len(self._opened) > _MOST_OPEN:
                self._opened.popitem(last=False)
        return opened

    def _await(self, located: LocatedPlane) -> None:
        """Have the slices read in the background, and wait a little for it."""
        with self._lock:
            work = self._works.get(located.digest)
            if work is None:
                if len(self._works) >= _MOST_QUEUED:
                    raise Busy("Too many volumes are being read at once; try again in a moment.")
                work = self._works[located.digest] = _Work(len(located.sources))
                work.future = self._reader.submit(self._read, located, work)
        assert work.future is not None
        try:
            work.future.result(_WAIT_SECONDS)
        except StillWorking:
            raise Busy(
                f"The volume is being read: {work.done} of {work.count} slices.",
                done=work.done,
                count=work.count,
            ) from None

    def _read(self, located: LocatedPlane, work: _Work) -> None:
        def on_slice(done: int) -> None:
            work.done = done
            if self._stopping.is_set():
                raise Busy("The server is stopping.")

        stack = located.stack
        most_bytes = stack.count * stack.rows * stack.columns * BYTES_PER_VOXEL
        try:
            with self._scratch.make(located.digest, most_bytes) as stream:
                if stream is not None:
                    write_voxels(stream, located.sources, self._directory, self._decoders, on_slice)
                else:
                    self._wait_for_another(located, work)
        except Undecodable as error:
            with self._lock:
                self._failures[located.digest] = error
                while len(self._failures) > _MOST_FAILURES:
                    self._failures.popitem(last=False)
            raise
        finally:
            with self._lock:
                del self._works[located.digest]

    def _wait_for_another(self, located: LocatedPlane, work: _Work) -> None:
        """Watch a file grow that another process writes, until it is there or does not grow any more."""
        slice_bytes, before = 2 * located.stack.rows * located.stack.columns, -1
        while self._scratch.find(located.digest) is None:
            written = self._scratch.written_bytes(located.digest)
            if written == before or self._stopping.wait(1.0):
                return
            before = written
            work.done = min(work.count, written // slice_bytes)

    def _presentation(self, located: LocatedPlane) -> Presentation:
        file, frame_number = located.middle
        with self._directory.open(file.path, file.identity) as stream:
            try:
                header = read_header(stream)
            except FileRefused as error:
                raise UndecodableFrame(error.message, reason=error.code) from error
            frame = decode_frame(stream, header, frame_number - 1, self._decoders)
            return read_presentation(header, frame_number - 1, frame.stored_values)
