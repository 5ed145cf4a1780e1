"""Writes many studies for the journeys of the study list: ``python -m tests.studies_data FOLDER FIRST COUNT``.

The first studies are the odd ones: names in several scripts, too long, hostile or missing, a damaged image, a report
without pictures, and two studies of one patient. The others are plain, one image each, a day apart.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage

from tests.builders import SAGITTAL, image, to_bytes, volume

SIZE = 64
NEWEST = date(2026, 6, 30)
LONG_NAME = "Wolfeschlegelsteinhausen^" + "Adolph-Blaine-Charles-" * 12 + "Zeus"
MODALITIES = ("CT", "MR", "US", "CR", "DX")


def disc(radius: int) -> np.ndarray:
    """A bright disc on black, so that pictures can be told apart by eye."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2 + 0.5
    return np.where(rows**2 + columns**2 < radius**2, 200, 0).astype(np.uint16)


def studies() -> Iterator[list[Dataset]]:
    """The odd studies, newest first; each is the files of one study."""
    yamada = {
        "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "PatientID": "YAM-7",
        "PatientBirthDate": "19610517",
    }
    head = {**yamada, "study": "yamada head", "StudyDescription": "CT Head", "AccessionNumber": "ACC-1001"}
    yield [
        *_volume(6, series="yamada axial", SeriesDescription="Axial 2 mm", SeriesNumber=2, **head),
        *_volume(3, series="yamada scout", SeriesDescription="Scout", orientation=SAGITTAL, **head),
    ]
    yield [_image(12, "müller", PatientName="Müller-Lüdenscheidt^Hans-Jürgen^^Dr.", Modality="MR")]
    yield [_image(14, "avicenna", PatientName="ابن سينا^حسين", StudyDescription="أشعة الصدر", Modality="CR")]
    yield [_image(16, "long", PatientName=LONG_NAME, StudyDescription="An endless description " * 12)]
    yield [_image(18, "nameless", PatientName="", PatientID="", StudyDescription="")]
    yield [_image(20, "hostile", PatientName="<script>alert(1)</script>", StudyDescription="<b>bold</b>")]
    yield [_image(22, "damaged", PatientName="Broken^Disk", StudyDescription="Damaged")]
    yield [_report()]
    yield [_image(24, "yamada knee", Modality="MR", StudyDescription="MR Knee", **yamada)]


def plain(number: int) -> list[Dataset]:
    """One image of an ordinary study."""
    return [
        _image(
            8 + number % 20,
            f"plain {number}",
            PatientName=f"Sample^Patient {number:03}",
            PatientID=f"S-{number:04}",
            AccessionNumber=f"P{20000 + number}",
            StudyDescription=f"Examination {number:03}",
            Modality=MODALITIES[number % len(MODALITIES)],
        )
    ]


def _image(radius: int, series: str, **attributes: object) -> Dataset:
    return image(disc(radius), series=series, **{"SpecificCharacterSet": "ISO_IR 192", **attributes})


def _volume(count: int, **attributes: object) -> list[Dataset]:
    return volume(count, **{"SpecificCharacterSet": "ISO_IR 192", "pixels": disc(26), **attributes})


def _report() -> Dataset:
    report = _image(1, "report", PatientName="Words^Only", StudyDescription="Report", Modality="SR")
    for keyword in (
        "PixelData",
        "Rows",
        "Columns",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
    ):
        delattr(report, keyword)
    report.SOPClassUID = BasicTextSRStorage
    return report


def write(folder: Path, name: str, files: list[Dataset], day: date) -> None:
    """Write one study of a day."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for number, dataset in enumerate(files):
        dataset.StudyDate = day.strftime("%Y%m%d")
        data = to_bytes(dataset)
        (folder / name / f"{number}.dcm").write_bytes(data[:-100] if name == "odd-6" else data)


def main(folder: Path, first: int, count: int) -> None:
    """Write plain studies from a number on; with those from 0 on, the odd ones."""
    odd = list(studies()) if first == 0 else []
    for number, files in enumerate(odd):
        write(folder, f"odd-{number}", files, NEWEST - timedelta(days=number))
    for number in range(first, first + count):
        write(folder, f"plain-{number}", plain(number), NEWEST - timedelta(days=number + 20))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
