"""Good files to start from: synthetic ones in every encoding, and those that come with pydicom."""

import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    ComprehensiveSRStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.builders import encapsulated, enhanced, image, item, to_bytes
from tests.dicom.compressed_streams import PICTURE, STREAMS

GREY = (PICTURE >> 4).astype(np.uint8)
_LARGEST_BUNDLED = 256 * 1024


def synthetic() -> dict[str, bytes]:
    """Return small files that every reader must take, by name."""
    return {name: _made(name) for name in _MAKERS}


@lru_cache(maxsize=64)
def _made(name: str) -> bytes:
    return _MAKERS[name]()


def bundled(largest: int = _LARGEST_BUNDLED) -> dict[str, bytes]:
    """Return the files that come with pydicom, up to a size in bytes, by name."""
    folder = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent
    paths = sorted(
        path for path in folder.iterdir() if path.suffix == ".dcm" and path.stat().st_size <= largest
    )
    return {path.name: path.read_bytes() for path in paths}


def _headed(pixels: np.ndarray, **attributes: object) -> Dataset:
    """An image with the attributes that rendering and arranging look at."""
    return image(
        pixels,
        WindowCenter=[40, 400],
        WindowWidth=[400, 2000],
        WindowCenterWidthExplanation=["SOFT", "BONE"],
        RescaleSlope=1.5,
        RescaleIntercept=-1024,
        SpecificCharacterSet=["", "ISO 2022 IR 87"],
        PatientName="Yamada^Tarou=\u5c71\u7530^\u592a\u90ce",
        OtherPatientNames=["Doe^Jane", "Roe^Jane"],
        ReferencedImageSequence=[
            item(ReferencedSOPInstanceUID="1.2.3"),
            item(ReferencedSOPInstanceUID="1.2.4"),
        ],
        **attributes,
    )


def _rle() -> bytes:
    rows, columns = PICTURE.shape
    stream = RLELosslessEncoder.encode(
        PICTURE.tobytes(), rows=rows, columns=columns, number_of_frames=1, samples_per_pixel=1, bits_allocated=16,
        bits_stored=16, pixel_representation=0, photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
    )  # fmt: skip
    return to_bytes(encapsulated(_headed(PICTURE), [stream]), RLELossless)


def _pillow(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _compressed(pixels: np.ndarray, frames: list[bytes], syntax: str) -> bytes:
    frame_count = {"NumberOfFrames": len(frames)} if len(frames) > 1 else {}
    repeated = np.stack([pixels] * len(frames)) if frame_count else pixels
    return to_bytes(encapsulated(_headed(repeated, **frame_count), frames), syntax)


def _multi_frame() -> bytes:
    frames = np.arange(5 * 63, dtype=np.uint8).reshape(5, 7, 9)
    return to_bytes(_headed(frames, NumberOfFrames=5))


def _enhanced() -> bytes:
    groups = [{"FrameContentSequence": item(DimensionIndexValues=[1, place])} for place in range(1, 5)]
    shared = {"FrameVOILUTSequence": item(WindowCenter=40, WindowWidth=400)}
    return to_bytes(enhanced([(0, 0, z) for z in range(4)], groups=groups, shared=shared))


def _structured_report() -> bytes:
    code = item(CodeValue="121071", CodingSchemeDesignator="DCM", CodeMeaning="Finding")
    leaf = item(ValueType="TEXT", ConceptNameCodeSequence=[code], TextValue="text")
    inner = item(ValueType="CONTAINER", ConceptNameCodeSequence=[code], ContentSequence=[leaf, leaf])
    report = image(SOPClassUID=ComprehensiveSRStorage, Modality="SR", ContentSequence=[inner, leaf])
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(report, keyword)
    return to_bytes(report)


def _palette() -> bytes:
    colours: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        colours[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        colours[f"{colour}PaletteColorLookupTableData"] = np.arange(256, dtype="<u2").tobytes()
    return to_bytes(image(GREY, **colours))


def _tables_and_overlay() -> bytes:
    table = item(
        LUTDescriptor=[16, 0, 16], LUTData=np.arange(16, dtype="<u2").tobytes(), ModalityLUTType="US"
    )
    table["LUTData"].VR = "OW"
    dataset = image(GREY, ModalityLUTSequence=[table], VOILUTSequence=[table])
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", b"\x55" * 8)
    return to_bytes(dataset)


_MAKERS: dict[str, Callable[[], bytes]] = {
    "explicit little endian": lambda: to_bytes(_headed(PICTURE)),
    "implicit little endian": lambda: to_bytes(_headed(PICTURE), ImplicitVRLittleEndian),
    "explicit big endian": lambda: to_bytes(_headed(PICTURE), ExplicitVRBigEndian),
    "deflated": lambda: to_bytes(_headed(PICTURE), DeflatedExplicitVRLittleEndian),
    "without preamble": lambda: to_bytes(_headed(PICTURE), meta=False),
    "colour": lambda: to_bytes(image(np.stack([GREY] * 3, axis=-1)), ExplicitVRLittleEndian),
    "rle": _rle,
    "jpeg": lambda: _compressed(GREY, [_pillow(GREY, "JPEG")], JPEGBaseline8Bit),
    "jpeg-ls": lambda: _compressed(PICTURE, [STREAMS["80"]], JPEGLSLossless),
    "jpeg 2000": lambda: _compressed(
        PICTURE, [_pillow(PICTURE, "JPEG2000", no_jp2=True, num_resolutions=2)] * 3, JPEG2000Lossless
    ),
    "multi-frame": _multi_frame,
    "enhanced": _enhanced,
    "structured report": _structured_report,
    "palette": _palette,
    "tables and overlay": _tables_and_overlay,
}
