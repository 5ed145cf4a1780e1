"""Writes images with known distances and values, for journeys: ``python -m tests.measuring_data FOLDER``.

The value of a pixel follows from its place, so that statistics of a region can be computed elsewhere.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from tests.builders import image, item, to_bytes, uid, volume

ROWS, COLUMNS = 120, 160
WINDOW = {"WindowCenter": 0, "WindowWidth": 128}


def values() -> np.ndarray:
    """Stored values; 50 more than the HU of the phantom."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    return ((rows * 7 + columns * 13) % 101).astype(np.uint16)


def phantom() -> Iterable[Dataset]:
    """A CT volume of five slices: rows 0.8 mm apart, columns 0.5 mm."""
    slices = volume(
        5,
        series="phantom",
        study="measuring",
        SeriesDescription="Phantom",
        PixelSpacing=[0.8, 0.5],
        RescaleSlope=1,
        RescaleIntercept=-50,
        **WINDOW,
    )
    return [_with_values(dataset) for dataset in slices]


def unscaled() -> Iterable[Dataset]:
    """A captured picture whose file tells no spacing."""
    yield image(values(), series="unscaled", study="measuring", Modality="OT", PixelSpacing=None, **WINDOW)


def chest() -> Iterable[Dataset]:
    """A projection whose spacing is that of the detector."""
    yield image(
        values(),
        series="chest",
        study="measuring",
        Modality="DX",
        PixelSpacing=None,
        ImagerPixelSpacing=[0.2, 0.2],
        **WINDOW,
    )


def ultrasound() -> Iterable[Dataset]:
    """Four frames: a picture of 0.5 mm on the left, a Doppler curve on the right."""
    place = {"RegionLocationMinY0": 0, "RegionLocationMaxY1": ROWS - 1}
    scale = {"PhysicalDeltaX": 0.05, "PhysicalDeltaY": 0.05, "PhysicalUnitsYDirection": 3}
    picture = item(
        RegionSpatialFormat=1,
        RegionDataType=1,
        RegionFlags=0,
        RegionLocationMinX0=0,
        RegionLocationMaxX1=79,
        PhysicalUnitsXDirection=3,
        **place,
        **scale,
    )
    doppler = item(
        RegionSpatialFormat=3,
        RegionDataType=3,
        RegionFlags=0,
        RegionLocationMinX0=80,
        RegionLocationMaxX1=159,
        PhysicalUnitsXDirection=4,
        **place,
        **scale,
    )
    frames = np.stack([values() // 2 + 10 * frame for frame in range(4)]).astype(np.uint8)
    yield image(
        frames,
        series="ultrasound",
        study="measuring",
        Modality="US",
        NumberOfFrames=4,
        PixelSpacing=None,
        SequenceOfUltrasoundRegions=[picture, doppler],
        WindowCenter=64,
        WindowWidth=128,
    )


def _with_values(dataset: Dataset) -> Dataset:
    pixels = values()
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    return dataset


SERIES = {"phantom": phantom, "unscaled": unscaled, "chest": chest, "ultrasound": ultrasound}


def main(folder: str) -> None:
    """Write all series and print their UIDs as JSON."""
    for name, make in SERIES.items():
        target = Path(folder) / name
        target.mkdir(parents=True, exist_ok=True)
        for number, dataset in enumerate(make()):
            (target / f"{number}.dcm").write_bytes(to_bytes(dataset))
    print(json.dumps({name: uid(name) for name in SERIES}))


if __name__ == "__main__":
    main(sys.argv[1])
