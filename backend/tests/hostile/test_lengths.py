"""T28: a length is compared with what is left before anything is read or allocated for it."""

import contextlib
import io

import pytest
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from imageserver.dicom.limits import FileRefused, Limits
from imageserver.dicom.reading import read_header
from tests.builders import image, to_bytes
from tests.hostile.encoding import LONG_VRS, before_pixels, explicit, implicit, item, outcome
from tests.memory import peak_bytes

MEBIBYTE = 1024 * 1024
LENGTHS = (
    *(
        0xFFFFFFF0,
        0xFFFFFFFE,
        0xFFFFFFFD,
        0x80000000,
        0x80000001,
        0x7FFFFFFF,
        0x7FFFFFFE,
        0x40000000,
        0x10000000,
    ),
    *(0x04000001, 0x04000000, 0x03FFFFFE, 0x01000000, 0x00100000, 0x00010000, 0x0000FFFF),
)
TAGS = (
    0x00080018,
    0x00100010,
    0x00280010,
    0x00281050,
    0x00420011,
    0x52009230,
    0x7FE00001,
    0x00091010,
    0x00880200,
)
SHORT_VRS = (b"PN", b"UI", b"US", b"DS", b"LT", b"AT", b"FD")


class Recorder(io.BytesIO):
    """A file that remembers the most that was asked of it at once, and never gives it."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, len(self.getbuffer()) if size is None or size < 0 else size)
        return super().read(size)


def most_asked(data: bytes) -> int:
    stream = Recorder(data)
    with contextlib.suppress(FileRefused):
        read_header(stream)
    return stream.most


@pytest.mark.parametrize("vr", [*LONG_VRS, *SHORT_VRS], ids=lambda vr: vr.decode())
def test_no_form_of_a_huge_length_is_read_for(vr: bytes) -> None:
    for tag in TAGS:
        for length in LENGTHS:
            element = explicit(tag, vr, b"x" * 64, length & 0xFFFF if vr in SHORT_VRS else length)
            for elements in (element, explicit(0x00081140, b"SQ", item(element))):
                assert most_asked(before_pixels(elements)) <= MEBIBYTE


@pytest.mark.parametrize("length", LENGTHS)
def test_the_same_without_vrs_and_in_big_endian(length: int) -> None:
    whole = to_bytes(image(), ImplicitVRLittleEndian)
    for tag in TAGS:
        assert most_asked(before_pixels(implicit(tag, b"x" * 64, length), whole)) <= MEBIBYTE
    whole = to_bytes(image(), ExplicitVRBigEndian)
    at = whole.index(b"\x7f\xe0\x00\x10")
    big = whole[:at] + b"\x00\x42\x00\x11OB\0\0" + length.to_bytes(4, "big") + b"x" * 64 + whole[at:]
    assert outcome(big) in {"truncated", "malformed"}
    assert most_asked(big) <= MEBIBYTE


def test_nothing_is_allocated() -> None:
    files = [before_pixels(explicit(tag, b"OB", b"x" * 64, length)) for tag in TAGS for length in LENGTHS]

    def read_all() -> None:
        for data in files:
            outcome(data)

    assert peak_bytes(read_all) < 4 * MEBIBYTE


@pytest.mark.parametrize("length", [0xFFFFFFF0, 0x7FFFFFFE, 0xFFFE])
def test_the_length_of_pixel_data_lies(length: int) -> None:
    whole = to_bytes(image())
    at = whole.index(b"\xe0\x7f\x10\x00OW")
    data = whole[: at + 8] + length.to_bytes(4, "little") + whole[at + 12 :]
    assert outcome(data) == "truncated"


class TestAllTogether:
    """No single value is too long, and all together would fill the memory."""

    def test_many_values(self) -> None:
        value = explicit(0x00420011, b"OB", bytes(1000))
        data = before_pixels(b"".join(explicit(0x00420011 + 2 * n, b"OB", bytes(1000)) for n in range(8)))
        assert outcome(data, Limits(loaded_bytes=7900)) == "value_too_long"
        assert not isinstance(outcome(before_pixels(value), Limits(loaded_bytes=7900)), str)

    def test_a_sequence_counts_with_all_that_is_in_it(self) -> None:
        inside = item(explicit(0x00420011, b"OB", bytes(9000)))
        data = before_pixels(explicit(0x00420013, b"SQ", inside))
        assert outcome(data, Limits(loaded_bytes=7900)) == "value_too_long"
