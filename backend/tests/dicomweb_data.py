"""Writes what a DICOMweb client in a browser is tried on: ``python -m tests.dicomweb_data FOLDER``.

Three studies: `head`, a CT of three slices; `film`, one object of three frames with 2,000 private bytes; `new`, which
lies outside of the data directory, to be stored. What is printed is what was written, so that a client's answers are
compared with nothing that the server said.
"""

import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from tests.builders import image, to_bytes, volume

# PS3.3 C.11.2.1.2.1, LINEAR: stored values from 0 to 255 stay as they are.
UNCHANGED: dict[str, Any] = {"WindowCenter": 128, "WindowWidth": 256}
ROWS, COLUMNS = 12, 16


def flat(grey: int, kind: type[np.generic] = np.uint16) -> np.ndarray:
    return np.full((ROWS, COLUMNS), grey, kind)


def head() -> list[Dataset]:
    """Three slices; the grey of slice k (from 0) is 40 + 50 k."""
    slices = volume(
        3,
        series="head",
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Müller^Jürgen=山田^太郎",
        PatientID="HEAD-1",
        StudyDate="20260301",
        StudyDescription="Head & neck, 50 %",
        **UNCHANGED,
    )
    for number, dataset in enumerate(slices):
        grey = flat(40 + 50 * number)
        dataset.Rows, dataset.Columns = grey.shape
        dataset.PixelData = grey.tobytes()
    return slices


def film() -> list[Dataset]:
    """Three frames of the greys 60, 120 and 180."""
    frames = np.stack([flat(grey, np.uint8) for grey in (60, 120, 180)])
    dataset = image(
        frames,
        series="film",
        NumberOfFrames=3,
        SOPClassUID=SecondaryCaptureImageStorage,
        Modality="OT",
        PatientName="Film^Star",
        PatientID="FILM-1",
        StudyDate="20260401",
        **UNCHANGED,
    )
    block = dataset.private_block(0x0011, "CLIENTS", create=True)
    block.add_new(0x01, "OB", bytes(range(250)) * 8)
    return [dataset]


def new() -> list[Dataset]:
    return [image(flat(99), series="new", PatientName="New^One", PatientID="NEW-1", **UNCHANGED)]


def write(folder: Path, made: list[Dataset]) -> dict[str, Any]:
    """Write the files, and tell what is in them."""
    folder.mkdir(parents=True)
    told = []
    for number, dataset in enumerate(made):
        path = folder / f"{number}.dcm"
        path.write_bytes(to_bytes(dataset))
        told.append(
            {
                "sop": dataset.SOPInstanceUID,
                "file": b64encode(path.read_bytes()).decode(),
                "pixels": b64encode(dataset.PixelData).decode(),
            }
        )
    return {"study": made[0].StudyInstanceUID, "series": made[0].SeriesInstanceUID, "instances": told}


def main(folder: Path) -> None:
    """Write all studies, each into a folder of its name."""
    made = {"head": head(), "film": film(), "new": new()}
    print(json.dumps({name: write(folder / name, study) for name, study in made.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
