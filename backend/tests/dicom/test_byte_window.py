"""Headers are read through a window onto the file; where its edges lie must not matter, and pixel data stays out."""

import io

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from imageserver.dicom import byte_window
from imageserver.dicom.reading import FileRefused, Header, read_header
from tests import builders

NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


class Counting(io.BytesIO):
    """Counts the bytes that are asked for."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def read(data: bytes) -> Header:
    return read_header(io.BytesIO(data))


def seen(header: Header) -> tuple[object, ...]:
    elements = [(int(element.tag), bytes(element.value)) for element in header.dataset._dict.values()]
    return elements, header.pixel_data, header.image, header.warnings, header.transfer_syntax


@pytest.mark.parametrize("size", [16, 17, 64, 301])
@pytest.mark.parametrize("syntax", NATIVE)
class TestEdges:
    def narrow(self, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
        monkeypatch.setattr(
            byte_window, "FIRST_BYTES", max(size, 132)
        )  # the preamble is looked at as a whole
        monkeypatch.setattr(byte_window, "MOST_BYTES", size)

    def test_the_same_is_read_wherever_they_lie(
        self, syntax: str, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = builders.to_bytes(builders.image(ImageComments="long " * 99), syntax) + b"\0" * 40
        wide = seen(read(data))
        self.narrow(monkeypatch, size)
        assert seen(read(data)) == wide

    def test_every_cut_is_noticed_wherever_they_lie(
        self, syntax: str, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = builders.to_bytes(builders.image(), syntax)

        def outcome(cut: bytes) -> object:
            try:
                return seen(read(cut))
            except FileRefused as error:
                return error.code, error.message

        cuts = [data[:length] for length in range(140, len(data), 7)]
        wide = [outcome(cut) for cut in cuts]
        self.narrow(monkeypatch, size)
        assert [outcome(cut) for cut in cuts] == wide


class TestWhatIsRead:
    def test_native_pixel_data_is_not(self) -> None:
        dataset = builders.image(Rows=2000, Columns=2000)
        dataset.PixelData = b"\0" * 8_000_000
        stream = Counting(builders.to_bytes(dataset))
        assert read_header(stream).pixel_data is not None
        assert stream.count <= byte_window.FIRST_BYTES

    def test_fragments_are_not(self) -> None:
        frames = [b"frame" * 40_000] * 30
        dataset = builders.encapsulated(builders.image(), frames)
        dataset.NumberOfFrames = 30
        stream = Counting(builders.to_bytes(dataset, RLELossless))
        header = read_header(stream)
        assert header.pixel_data is not None
        assert len(header.pixel_data.fragments) == 31
        # Beside the headers of the fragments, the start of the first stream, which tells its kind.
        assert stream.count <= byte_window.FIRST_BYTES + 32 * 8 + 64

    def test_long_private_values_are_not(self) -> None:
        dataset = builders.image()
        block = dataset.private_block(0x0009, "SOMEBODY", create=True)
        for number in range(3):
            block.add_new(number, "OB", b"\0" * 4_000_000)
        stream = Counting(builders.to_bytes(dataset))
        read_header(stream)
        assert stream.count < 16 * byte_window.FIRST_BYTES
