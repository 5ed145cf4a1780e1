"""Writes series that a viewer must survive: ``python -m tests.bad_input_data FOLDER``; prints their UIDs by name."""

import json
import sys
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MPEG4HP41

from tests.builders import encapsulated, image, to_bytes, uid, volume
from tests.journey_data import SIZE, UNCHANGED, flat

MANY = 300
MIXED = ((64, 64), (128, 96), (64, 64), (32, 200))


def many() -> list[Dataset]:
    """More slices than a page of little memory keeps: the grey of slice k (from 0) is 20 + k mod 200."""
    slices = volume(MANY, spacing=0.5, series="many", **UNCHANGED)
    for place, dataset in enumerate(slices):
        _set_pixels(dataset, flat(20 + place % 200))
    return slices


def mixed() -> list[Dataset]:
    """Four slices of three sizes: the grey of slice k (from 0) is 60 + 40 k."""
    slices = volume(len(MIXED), series="mixed", **UNCHANGED)
    for place, dataset in enumerate(slices):
        _set_pixels(dataset, np.full(MIXED[place], 60 + 40 * place, np.uint16))
    return slices


def zero() -> list[Dataset]:
    """A window of no width, over values from 0 to 4095."""
    pixels = np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE)
    return [image(pixels, series="zero", WindowCenter=2000, WindowWidth=0)]


def film() -> list[Dataset]:
    """Pixel data in a transfer syntax that is not decoded."""
    return [encapsulated(image(flat(90), series="film"), [b"\0" * 64])]


def report() -> list[Dataset]:
    """A document without pixels."""
    dataset = image(flat(90), series="report", Modality="SR", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    for keyword in ("PixelData", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        delattr(dataset, keyword)
    return [dataset]


def long() -> list[Dataset]:
    """Names of 300 characters without a place to break."""
    words = {"PatientName": "W" * 300, "SeriesDescription": "D" * 300, "StudyDescription": "S" * 300}
    return [image(flat(90), series="long", PatientID="L" * 64, **words, **UNCHANGED)]


def arabic() -> list[Dataset]:
    """Text from right to left beside numbers and Latin letters."""
    words = {"PatientName": "محمد علي^عبد الرحمن", "SeriesDescription": "رأس 2.5 مم (CT)"}
    return [image(flat(90), series="arabic", SpecificCharacterSet="ISO_IR 192", **words, **UNCHANGED)]


def removed() -> list[Dataset]:
    """As `many`; for a journey that takes it away."""
    slices = volume(MANY, spacing=0.5, series="removed", **UNCHANGED)
    for dataset in slices:
        _set_pixels(dataset, flat(90))
    return slices


def _set_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()


SERIES = (many, mixed, zero, film, report, long, arabic, removed)


def main(folder: Path) -> None:
    """Write all series, each in a folder of its name."""
    for make in SERIES:
        (folder / make.__name__).mkdir(parents=True)
        syntax = (MPEG4HP41,) if make is film else ()
        for number, dataset in enumerate(make()):
            (folder / make.__name__ / f"{number:03}.dcm").write_bytes(to_bytes(dataset, *syntax))
    print(json.dumps({make.__name__: uid(make.__name__) for make in SERIES}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
