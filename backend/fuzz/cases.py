"""Small files, each for something that broke once: ``python -m fuzz.cases`` writes them to tests/hostile/cases.

All are synthetic. Who finds another one adds it here, with what it is to come to.
"""

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom.uid import ExplicitVRBigEndian

from tests.builders import image, to_bytes

FOLDER = Path(__file__).parents[1] / "tests" / "hostile" / "cases"
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_EMPTY_ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0)


class Case(NamedTuple):
    """A file, and the outcome of `fuzz.pipeline.Pipeline.process`."""

    make: Callable[[], bytes]
    outcome: str


def _element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, size) + value


def _before_pixels(elements: bytes) -> bytes:
    whole = to_bytes(image())
    at = whole.index(_PIXEL_DATA)
    return whole[:at] + elements + whole[at:]


def _bit_frames(count: int, **attributes: object) -> bytes:
    """Frames of 8 pixels of one bit: a byte each."""
    dataset = image(np.zeros((1, 8), np.uint8), **attributes)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit, dataset.NumberOfFrames = 0, count
    dataset.PixelData = bytes(count + count % 2)
    return to_bytes(dataset)


def _palette_of_empty_segments() -> bytes:
    words = [2, 65535, 4 * 2 * 200, 0] * 200 + [0, 0] * 2000
    attributes: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        attributes[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        attributes[f"Segmented{colour}PaletteColorLookupTableData"] = np.array(words, "<u2").tobytes()
    return to_bytes(image(np.zeros((4, 4), np.uint8), **attributes))


def _unchecked_items() -> bytes:
    overshooting = struct.pack("<HHL", 0xFFFE, 0xE000, 8) + b"\x08\x00\x18\x00UI\x58\x02"
    return _before_pixels(_element(0x52009230, b"SQ", overshooting + _EMPTY_ITEM * 10_000))


def _unchecked_items_in_big_endian() -> bytes:
    whole = to_bytes(image(), ExplicitVRBigEndian)
    at = whole.index(b"\x7f\xe0\x00\x10")
    value = _EMPTY_ITEM * 1000
    return whole[:at] + b"\x52\x00\x92\x30UN\0\0" + len(value).to_bytes(4, "big") + value + whole[at:]


def _cut_before_the_pixels() -> bytes:
    whole = to_bytes(image())
    return whole[: whole.index(_PIXEL_DATA)]


def _pixels_twice() -> bytes:
    whole = to_bytes(image())
    return whole + whole[whole.index(_PIXEL_DATA) :]


SHOWN = "accepted, shown"
CASES: dict[str, Case] = {
    "character-set-without-a-number": Case(lambda: to_bytes(image(SpecificCharacterSet="ISO_IR X")), SHOWN),
    "instance-number-of-400-digits": Case(
        lambda: to_bytes(image()).replace(b"IS\x02\x001 ", b"IS\x90\x01" + b"9" * 400, 1), SHOWN
    ),
    "ratio-of-spacings-is-infinite": Case(lambda: to_bytes(image(PixelSpacing=["1e300", "1e-300"])), SHOWN),
    "position-beyond-all-measure": Case(lambda: to_bytes(image(ImagePositionPatient=["1e308"] * 3)), SHOWN),
    "directions-that-overflow": Case(
        lambda: to_bytes(image(ImageOrientationPatient=["1e200", 0, 0, 0, "1e200", 0])), SHOWN
    ),
    "long-kernel-in-many-frames": Case(lambda: _bit_frames(2000, ConvolutionKernel="x" * 6000), SHOWN),
    "more-frames-than-any-object": Case(
        lambda: _bit_frames(100).replace(b"IS\x04\x00100 ", b"IS\x0a\x002147483647", 1),
        "refused too_many_frames",
    ),
    "palette-of-empty-segments": Case(_palette_of_empty_segments, "no picture: UndecodableFrame"),
    "items-behind-a-break": Case(_unchecked_items, SHOWN),
    "items-in-un-of-big-endian": Case(_unchecked_items_in_big_endian, SHOWN),
    "cut-right-before-the-pixels": Case(_cut_before_the_pixels, "refused no_pixel_data, has a place"),
    "pixel-data-twice": Case(_pixels_twice, "refused malformed, has a place"),
    "page-in-the-preamble": Case(
        lambda: b"<html>".ljust(128, b"\0") + to_bytes(image())[128:], "refused executable_preamble"
    ),
}


def main() -> None:
    """Write all files."""
    warnings.simplefilter("ignore")  # pydicom does not like what it is to write
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        (FOLDER / f"{name}.dcm").write_bytes(case.make())


if __name__ == "__main__":
    main()
