"""An archive of many small files with headers as scanners write them, quickly made from a few templates.

Kinds of series and their sizes are mixed as in a hospital: many of one or two images, some of hundreds.
"""

import io
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, MRImageStorage

from benchmarks.synthetic import ct_header

SERIES_PER_FOLDER = 50
ROWS = 16
_ROOT = "1.2.826.0.1.3680043.8.498."


class Kind(NamedTuple):
    """One kind of series."""

    modality: str
    images: int


KINDS = (
    Kind("CT", 120), Kind("CR", 1), Kind("MR", 30), Kind("CR", 2), Kind("CT", 3), Kind("MR", 60), Kind("CR", 1),
    Kind("CT", 250), Kind("MR", 24), Kind("MR", 9), Kind("CT", 60), Kind("CR", 2),
)  # fmt: skip


def write_archive(folder: Path, files: int) -> int:
    """Write so many files; returns how many series they make."""
    series = 0
    templates = {kind.modality: _template(kind.modality) for kind in KINDS}
    for number, kind in enumerate(cycle(KINDS)):
        images = min(kind.images, files)
        place = folder / f"{number // SERIES_PER_FOLDER:05}" / f"{kind.modality}{number:07}"
        place.mkdir(parents=True)
        for index, data in enumerate(_series(templates[kind.modality], number, images)):
            (place / f"IM{index:05}.dcm").write_bytes(data)
        series, files = series + 1, files - images
        if not files:
            return series
    raise AssertionError("a cycle has no end")


def _series(template: bytes, number: int, images: int) -> Iterator[bytes]:
    fixed = (
        (_uid("9", 0), _uid("1", number // 3)),
        (_uid("8", 0), _uid("2", number)),
        (b"Bench^Patient 0000000", b"Bench^Patient %07d" % (number // 3)),
        (b"BENCH 0000000 ", b"BENCH %07d " % (number // 3)),
    )
    for former, present in fixed:
        template = template.replace(former, present)
    for index in islice(range(1 << 20), images):
        data = template.replace(_uid("7", 0), _uid("3", number * 1_000_000 + index))
        yield data.replace(b"9999.00 ", b"%7.2f " % (index * 1.25)).replace(b"99990 ", b"%5d " % (index + 1))


def _uid(kind: str, number: int) -> bytes:
    return f"{_ROOT}{kind}{number:017}".encode()


def _template(modality: str) -> bytes:
    """One file of this kind; what differs between files has a place of fixed length in it."""
    dataset = ct_header("template", 0, 1)
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID = _uid("7", 0).decode(), _uid("8", 0).decode()
    dataset.StudyInstanceUID = _uid("9", 0).decode()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientName, dataset.PatientID = "Bench^Patient 0000000", "BENCH 0000000"
    dataset.Modality, dataset.InstanceNumber = modality, "99990"
    dataset.ImagePositionPatient = ["-250", "-250", "9999.00"]
    dataset.Rows = dataset.Columns = ROWS
    _KINDS_OF_HEADERS[modality](dataset)
    dataset.PixelData = bytes(2 * ROWS * ROWS)
    dataset["PixelData"].VR = "OW"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _as_ct(_dataset: Dataset) -> None:
    """The header is that of a CT already."""


def _as_mr(dataset: Dataset) -> None:
    dataset.SOPClassUID = MRImageStorage
    for keyword in ("KVP", "RescaleSlope", "RescaleIntercept", "RescaleType", "Exposure", "FilterType"):
        delattr(dataset, keyword)
    dataset.MRAcquisitionType, dataset.ScanningSequence, dataset.SequenceVariant = "2D", "SE", "SK"
    dataset.RepetitionTime, dataset.EchoTime, dataset.EchoNumbers = "500", "14", "1"
    dataset.MagneticFieldStrength, dataset.FlipAngle, dataset.EchoTrainLength = "1.5", "90", "1"


def _as_cr(dataset: Dataset) -> None:
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "PixelSpacing"):
        delattr(dataset, keyword)
    dataset.ImagerPixelSpacing, dataset.ViewPosition = ["0.2", "0.2"], "PA"


_KINDS_OF_HEADERS = {"CT": _as_ct, "MR": _as_mr, "CR": _as_cr}
