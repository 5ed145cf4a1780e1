"""A picture is made once, remembered within bounds, and never outlives its file."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from imageserver.archive import pictures
from imageserver.archive.files import FileIdentity
from imageserver.archive.pictures import Picture, PictureKey, PictureMemory, chosen_window
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.picture_format import PictureFormat
from imageserver.dicom.reading import read_header
from imageserver.dicom.voi_lut import VoiFunction
from imageserver.errors import Busy, UndecodableFrame
from tests.builders import image, stream


def key(
    name: str = "a",
    inode: int = 1,
    frame: int = 1,
    window: tuple[float, float] | None = None,
    *,
    with_overlays: bool = False,
) -> PictureKey:
    file = InstanceFile(f"1.{ord(name)}", name.encode(), FileIdentity(1, 2, inode), None, None)
    return PictureKey(file, frame, window, PictureFormat.PNG, with_overlays)


def never() -> Picture:
    raise AssertionError("it was made again")


class TestMemory:
    def test_remembered(self) -> None:
        memory = PictureMemory()
        assert memory.get(key(), lambda: Picture(b"a")) == memory.get(key(), never)

    @pytest.mark.parametrize(
        "other", [key("b"), key(inode=2), key(frame=2), key(window=(1.0, 2.0)), key(with_overlays=True)]
    )
    def test_all_that_a_picture_depends_on(self, other: PictureKey) -> None:
        memory = PictureMemory()
        memory.get(key(), lambda: Picture(b"a"))
        assert memory.get(other, lambda: Picture(b"b")).content == b"b"
        assert other.etag != key().etag

    def test_the_oldest_goes_when_it_is_full(self) -> None:
        memory = PictureMemory(max_bytes=100)
        for name in "abcde":
            memory.get(key(name), lambda: Picture(bytes(25)))
        memory.get(key("b"), never)
        assert memory.get(key("a"), lambda: Picture(b"again")).content == b"again"

    def test_one_huge_picture_does_not_push_out_the_others(self) -> None:
        memory = PictureMemory(max_bytes=100)
        memory.get(key("a"), lambda: Picture(bytes(20)))
        memory.get(key("b"), lambda: Picture(bytes(90)))
        memory.get(key("a"), never)

    def test_a_failure_is_told_to_all_who_wait_and_not_remembered(self) -> None:
        memory, may_fail, made = PictureMemory(), threading.Event(), []

        def fail() -> Picture:
            made.append(1)
            may_fail.wait(10)
            raise UndecodableFrame("broken")

        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(memory.get, key(), fail) for _ in range(4)]
            may_fail.set()
            assert all(isinstance(future.exception(), UndecodableFrame) for future in waiting)
        assert memory.get(key(), lambda: Picture(b"good")).content == b"good"

    def test_places_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pictures, "WAIT_SECONDS", 0.05)
        memory, may_go_on = PictureMemory(places=1), threading.Event()

        def wait() -> Picture:
            may_go_on.wait(10)
            return Picture(b"a")

        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(memory.get, key("a"), wait)
            while not memory._in_work:
                threading.Event().wait(0.01)
            with pytest.raises(Busy):
                memory.get(key("b"), never)
            may_go_on.set()
            assert first.result().content == b"a"


class TestChosenWindow:
    """PS3.3 C.11.2.1.2: LINEAR is defined from a width of 1, the other functions above 0."""

    @pytest.mark.parametrize(
        ("function", "width", "expected"),
        [
            (None, 400.0, VoiFunction.LINEAR),
            (None, 0.5, VoiFunction.LINEAR_EXACT),
            ("SIGMOID", 400.0, VoiFunction.SIGMOID),
            ("LINEAR_EXACT", 0.5, VoiFunction.LINEAR_EXACT),
        ],
    )
    def test_it_has_the_function_of_the_file(
        self, function: str | None, width: float, expected: VoiFunction
    ) -> None:
        dataset = image(WindowCenter=40, WindowWidth=400, VOILUTFunction=function)
        window = chosen_window(read_header(stream(dataset)), 0, 40.0, width)
        assert (window.function, window.center, window.width) == (expected, 40.0, width)
