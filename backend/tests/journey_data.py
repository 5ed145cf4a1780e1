"""Writes the data directory that the journeys in the browser run on: ``python -m tests.journey_data FOLDER``.

Each slice is flat, with a bright block in its upper left corner, and a window that leaves stored values as they are:
so a journey knows from the pixels alone which slice it sees, how it was windowed, and which way round it is. File
names and instance numbers run against the positions.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from tests.builders import CORONAL, SAGITTAL, image, to_bytes, uid, volume

SIZE = 64
CORNER = 250


def flat(grey: int) -> np.ndarray:
    """A picture of one grey with a bright upper left corner."""
    pixels = np.full((SIZE, SIZE), grey, np.uint16)
    pixels[:8, :8] = CORNER
    return pixels


# PS3.3 C.11.2.1.2.1, LINEAR: ((x - 127.5) / 255 + 0.5) * 255 = x for 0 <= x <= 255.
UNCHANGED = {"WindowCenter": 128, "WindowWidth": 256, "WindowCenterWidthExplanation": "WHOLE"}


def head() -> list[Dataset]:
    """The default volume: 11 slices, the grey of slice k from the feet (from 0) is 20 + 15 k."""
    slices = volume(
        11,
        series="head",
        spacing=2.5,
        start=-20.0,
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        PatientID="HEAD-1",
        PatientBirthDate="19610517",
        PatientSex="M",
        SeriesDescription="Head 2.5 mm",
        StudyDate="20260301",
        **UNCHANGED,
    )
    for place, dataset in enumerate(slices):
        _set_grey(dataset, 20 + 15 * place)
        dataset.InstanceNumber = len(slices) - place
    return slices


def thick() -> list[Dataset]:
    """The head again in the same study and place, 6 slices of 5 mm: grey 30 + 30 k."""
    return _like_head(6, 30, series="thick", study="head", SeriesDescription="Head 5 mm", SeriesNumber=2)


def prior() -> list[Dataset]:
    """The head of the year before: another study, and another frame of reference."""
    return _like_head(6, 40, series="prior", SeriesDescription="Head 2.5 mm", StudyDate="20250301")


def _like_head(count: int, grey: int, **attributes: Any) -> list[Dataset]:
    first = head()[0]
    same = {
        keyword: getattr(first, keyword)
        for keyword in (
            "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate",
        )
    }  # fmt: skip
    slices = volume(count, spacing=5.0, start=-20.0, **{**same, **UNCHANGED, **attributes})
    for place, dataset in enumerate(slices):
        _set_grey(dataset, grey + 30 * place)
        if attributes["series"] == "thick":
            dataset.FrameOfReferenceUID = first.FrameOfReferenceUID
    return slices


def hostile() -> list[Dataset]:
    """Text that a page must show and never run; pixels twice as high as wide; an overlay over the whole picture."""
    return [
        _cover(
            image(
                flat(100),
                series="hostile",
                SpecificCharacterSet="ISO_IR 192",
                PatientName="<script>alert(1)</script>",
                PatientID="<img src=x onerror=alert(2)>",
                SeriesDescription="<b>bold</b> {{7*7}}",
                StudyDate="20260201",
                PixelSpacing=[2, 1],
                **UNCHANGED,
            )
        )
    ]


def localizer() -> list[Dataset]:
    """Three sagittal images, one coronal and one axial."""
    common = {
        "series": "localizer",
        "PatientName": "Планк^Анна",
        "SpecificCharacterSet": "ISO_IR 192",
        **UNCHANGED,
    }
    sagittal = volume(3, spacing=10.0, orientation=SAGITTAL, SeriesDescription="Localizer", **common)
    others = [
        image(instance=4, ImageOrientationPatient=list(CORONAL), SeriesDescription="Localizer", **common),
        image(instance=5, SeriesDescription="Localizer", **common),
    ]
    for number, dataset in enumerate([*sagittal, *others]):
        _set_grey(dataset, 50 + 40 * number)
    return [*sagittal, *others]


def damaged() -> list[Dataset]:
    """Five slices whose middle one has pixel data that cannot be decoded, and no patient name."""
    slices = volume(5, series="damaged", PatientName="", SeriesDescription="Damaged", **UNCHANGED)
    for place, dataset in enumerate(slices):
        _set_grey(dataset, 100 + place)
    return slices


def _cover(dataset: Dataset) -> Dataset:
    """Add an overlay plane (PS3.3 C.9.2) whose every bit is set."""
    elements = {
        0x0010: ("US", SIZE),
        0x0011: ("US", SIZE),
        0x0040: ("CS", "G"),
        0x0050: ("SS", [1, 1]),
        0x0100: ("US", 1),
        0x0102: ("US", 0),
        0x1500: ("LO", "<i>cover</i>"),
        0x3000: ("OW", b"\xff" * (SIZE * SIZE // 8)),
    }
    for element, (vr, value) in elements.items():
        dataset.add_new(0x60000000 | element, vr, value)
    return dataset


def _set_grey(dataset: Dataset, grey: int) -> None:
    pixels = flat(grey)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()


def write(folder: Path, name: str, slices: Iterable[Dataset]) -> None:
    """Write one series, so that names sort against the positions."""
    (folder / name).mkdir(parents=True)
    for number, dataset in enumerate(slices):
        data = to_bytes(dataset)
        if name == "damaged" and number == 2:
            data = data[:-100]
        (folder / name / f"{900 - number}.dcm").write_bytes(data)


SERIES = (head, thick, prior, hostile, localizer, damaged)


def main(folder: Path) -> None:
    """Write all series."""
    for make in SERIES:
        write(folder, make.__name__, make())
    print(json.dumps({make.__name__: uid(make.__name__) for make in SERIES}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
