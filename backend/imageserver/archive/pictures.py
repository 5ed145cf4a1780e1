"""Pictures of frames: rendered once from an unchanged file, remembered for a while."""

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Generic, NamedTuple, Protocol, TypeVar

from imageserver.archive.files import DataDirectory
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoding import Decoders, decode_frame
from imageserver.dicom.overlay_bits import DecodedOverlays, decode_overlays, draw_overlays
from imageserver.dicom.overlays import OverlayPlane, read_overlays
from imageserver.dicom.picture_format import PictureFormat, encode
from imageserver.dicom.reading import FileRefused, Finding, Header, read_header
from imageserver.dicom.rendering import render_frame, windows_of
from imageserver.dicom.scaling import scale_down
from imageserver.dicom.voi_lut import VoiFunction, Window, suitable_function
from imageserver.errors import Busy, UndecodableFrame

MAX_REMEMBERED_BYTES = 32 * 1024 * 1024
WAIT_SECONDS = 10.0
RENDERING_VERSION = "3"  # to be raised whenever the same file gives other bytes


class Encoded(Protocol):
    """What can be remembered: something with a content."""

    @property
    def content(self) -> bytes:
        """The encoded picture."""
        ...


K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=Encoded)


class Picture(NamedTuple):
    """An encoded picture, what was noticed while it was made, and the overlays of its frame, drawn or not."""

    content: bytes
    warnings: tuple[Finding, ...] = ()
    window: Window | None = None
    overlays: tuple[OverlayPlane, ...] = ()


class PictureKey(NamedTuple):
    """All that a picture depends on."""

    file: InstanceFile
    frame_number: int
    window: tuple[float, float] | None
    format: PictureFormat
    with_overlays: bool = False

    @property
    def etag(self) -> str:
        """A strong entity tag, known before anything is rendered."""
        file = self.file
        parts = (
            RENDERING_VERSION,
            file.sop_instance_uid,
            *file.identity,
            self.frame_number,
            self.window,
            self.format.value,
            self.with_overlays,
        )
        return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


class PictureMaker:
    """Makes pictures and tells windows, from files that are opened for each."""

    def __init__(self, directory: DataDirectory, decoders: Decoders) -> None:
        self._directory = directory
        self._decoders = decoders

    def make(self, key: PictureKey) -> Picture:
        """Read, decode, window and encode one frame.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable
            If the file is not the one that was indexed.
        UnsupportedTransferSyntax, UndecodableFrame
            If the picture cannot be made.
        Busy
            If all decoders are.
        """
        index = key.frame_number - 1
        with self._open(key) as (stream, header):
            frame = decode_frame(stream, header, index, self._decoders)
            window = None if key.window is None else chosen_window(header, index, *key.window)
            overlays = read_overlays(header)
            bits = DecodedOverlays(iter(()), [])
            if key.with_overlays:
                bits = decode_overlays(stream, header, overlays, index, self._decoders)
        rendered = render_frame(frame, header, index, window)
        content = encode(draw_overlays(rendered.display_values, bits.masks), key.format)
        noticed = (*rendered.warnings, *overlays.notices(index), *bits.findings)
        return Picture(content, noticed, rendered.window, tuple(overlays.on_frame(index)))

    def make_small(self, key: PictureKey, longest_side: int, pixel_aspect_ratio: float) -> Picture:
        """Make a picture of at most so many pixels on its longest side, with square pixels; raises as `make`.

        Of the key file, frame, window and format count.
        """
        index = key.frame_number - 1
        with self._open(key) as (stream, header):
            frame = decode_frame(stream, header, index, self._decoders)
        window = None if key.window is None else chosen_window(header, index, *key.window)
        rendered = render_frame(frame, header, index, window)
        del frame  # the small picture is made beside it
        small = scale_down(rendered.display_values, longest_side, pixel_aspect_ratio)
        return Picture(encode(small, key.format), rendered.warnings, rendered.window)

    def windows(self, key: PictureKey) -> list[Window]:
        """Return the windows that the file offers for a frame; raises as `make`."""
        with self._open(key) as (_, header):
            return windows_of(header, key.frame_number - 1)

    @contextmanager
    def _open(self, key: PictureKey) -> Iterator[tuple[BinaryIO, Header]]:
        with self._directory.open(key.file.path, key.file.identity) as stream:
            try:
                header = read_header(stream)
            except FileRefused as error:  # indexed by a version that read it otherwise
                raise UndecodableFrame(error.message, reason=error.code) from error
            yield stream, header


def chosen_window(header: Header, frame_index: int, center: float, width: float) -> Window:
    """Return the window that a person chose, with the function of the file's own (PS3.3 C.11.2.1.2)."""
    function = next((window.function for window in windows_of(header, frame_index)), VoiFunction.LINEAR)
    return Window(center, width, suitable_function(function, width))


class PictureMemory(Generic[K, P]):
    """Pictures that were made lately; each is made once, however many ask for it at the same time.

    At most as many pictures are made at once as there are processors. Who waits too long is told that the server is
    busy.
    """

    def __init__(self, max_bytes: int = MAX_REMEMBERED_BYTES, places: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._places = threading.BoundedSemaphore(places or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._pictures: OrderedDict[K, P] = OrderedDict()
        self._bytes = 0
        self._in_work: dict[K, _Work[P]] = {}

    def get(self, key: K, make: Callable[[], P]) -> P:
        """Return the picture, made by `make` where it is not remembered.

        Raises
        ------
        Busy
            If no place became free in time.
        """
        with self._lock:
            if (picture := self._pictures.get(key)) is not None:
                self._pictures.move_to_end(key)
                return picture
            work = self._in_work.get(key)
            is_mine = work is None
            if work is None:
                work = self._in_work[key] = _Work()
        if not is_mine:
            return work.wait()
        try:
            with self._place():
                picture = work.picture = make()
            self._keep(key, picture)
            return picture
        except BaseException as error:
            work.error = error
            raise
        finally:
            with self._lock:
                del self._in_work[key]
            work.is_done.set()

    def is_busy(self) -> bool:
        """Tell whether a picture is being made just now."""
        return bool(self._in_work)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise Busy("Too many pictures are being made at once; try again in a moment.")
        try:
            yield
        finally:
            self._places.release()

    def _keep(self, key: K, picture: P) -> None:
        if len(picture.content) > self._max_bytes // 4:  # one huge picture must not push out all others
            return
        with self._lock:
            self._pictures[key] = picture
            self._bytes += len(picture.content)
            while self._bytes > self._max_bytes:
                _, dropped = self._pictures.popitem(last=False)
                self._bytes -= len(dropped.content)


class _Work(Generic[P]):
    """A picture that is being made."""

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self.picture: P | None = None
        self.error: BaseException | None = None

    def wait(self) -> P:
        if not self.is_done.wait(2 * WAIT_SECONDS):
            raise Busy("The picture is still being made; try again in a moment.")
        if self.picture is None:
            assert self.error is not None
            raise self.error
        return self.picture
