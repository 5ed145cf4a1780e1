"""Photometric interpretations and types of pixels: what becomes of a small image of each."""

import io
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.rendering import render_frame
from imageserver.errors import Undecodable
from scripts.conformance.document import table

_ROWS = _COLUMNS = 8
# PS3.3 C.7.6.3.1.2, with the retired ones; samples per pixel, and how they are shown.
_PHOTOMETRIC = {
    "MONOCHROME2": (1, "grey, window, least value black; what a supplemental palette colours, in colour"),
    "MONOCHROME1": (1, "grey, window, least value white"),
    "PALETTE COLOR": (1, "by the palette: discrete or segmented, 8 or 16 bit"),
    "RGB": (3, "as it is, any planar configuration"),
    "YBR_FULL": (3, "converted to RGB, full range"),
    "YBR_FULL_422": (3, "converted to RGB; chroma of native data is spread over both pixels"),
    "YBR_ICT": (3, "as the decoder of JPEG 2000 gives it: RGB"),
    "YBR_RCT": (3, "as the decoder of JPEG 2000 gives it: RGB"),
    "YBR_PARTIAL_420": (3, "of videos, which are refused"),
    "XYB": (3, "only in JPEG XL, whose decoder gives RGB"),
    "YBR_PARTIAL_422": (3, "retired; converted to RGB, partial range"),
    "HSV": (3, "retired"),
    "ARGB": (4, "retired"),
    "CMYK": (4, "retired"),
}  # fmt: skip
# Bits allocated, bits stored, and how a value may stand in them.
_INTEGERS = [(1, 1), (8, 8), (12, 12), (16, 10), (16, 12), (16, 16), (24, 24), (32, 32), (64, 64)]


def _dataset(samples: int, photometric: str, allocated: int, stored: int, signed: bool) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.2", "2.25.3"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = samples, photometric
    dataset.Rows, dataset.Columns = _ROWS, _COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, stored, stored - 1
    dataset.PixelRepresentation = int(signed)
    if samples > 1:
        dataset.PlanarConfiguration = 0
    bits = _ROWS * _COLUMNS * samples * allocated
    bits = bits * 2 // 3 if "422" in photometric else bits
    dataset.PixelData = bytes(range(bits // 8)) if bits // 8 < 256 else bytes(bits // 8)
    dataset["PixelData"].VR = "OW" if allocated > 8 else "OB"
    if photometric == "PALETTE COLOR":
        for colour in ("Red", "Green", "Blue"):
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
            setattr(dataset, f"{colour}PaletteColorLookupTableData", bytes(range(256)))
    return dataset


def _try(dataset: Dataset) -> str:
    """Read, decode and draw; tell how far that goes."""
    file = io.BytesIO()
    dcmwrite(file, dataset, implicit_vr=False, little_endian=True, force_encoding=True)
    try:
        header = read_header(file)
        frame = decode_frame(file, header, 0, None)  # type: ignore[arg-type]  # nothing is compressed
        drawn = render_frame(frame, header, 0).display_values
    except FileRefused as refused:
        return f"refused: `{refused.code}`"
    except Undecodable:
        return "refused: `undecodable_frame`"
    return "shown" if drawn.shape[:2] == (_ROWS, _COLUMNS) else "wrong"


def photometric_table() -> str:
    """All photometric interpretations, in native pixel data."""
    rows = []
    for name, (samples, meaning) in _PHOTOMETRIC.items():
        state = _try(_dataset(samples, name, 8, 8, signed=False))
        rows.append((f"`{name}`", str(samples), state, meaning))
    return table(("photometric interpretation", "samples", "state in native pixel data", "how"), rows)


def pixel_type_table() -> str:
    """Types of stored values, in native pixel data of one sample."""
    rows = []
    for allocated, stored in _INTEGERS:
        states = [_try(_dataset(1, "MONOCHROME2", allocated, stored, signed)) for signed in (False, True)]
        rows.append((f"{stored} of {allocated} bits", *states))
    for keyword, kind in (("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)):
        rows.append((keyword, "", _try(_float(keyword, kind))))
    return table(("stored values", "unsigned", "signed"), rows)


def _float(keyword: str, kind: Any) -> Dataset:
    dataset = _dataset(1, "MONOCHROME2", np.dtype(kind).itemsize * 8, 16, signed=False)
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    setattr(dataset, keyword, np.linspace(-1, 1, _ROWS * _COLUMNS, dtype=kind).tobytes())
    return dataset
