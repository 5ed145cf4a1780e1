"""GDCM, through pydicom, as the witness of what is in a file: hashes of the decoded values.

A script: ``python pixel_witness.py FOLDER``. For each file it prints, in one JSON object, the SHA-256 of the stored
values: little endian, frame, row, column, sample, unused high bits masked or extended by the sign, as the expected
values of the corpus have it. What GDCM does not read is read by what else pydicom has. It runs in a process of its own,
since GDCM is kept out of every process of the server.
"""

import hashlib
import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset


def decoded(dataset: Dataset) -> np.ndarray:
    """All frames as they were stored: colours are not converted."""
    try:
        dataset.pixel_array_options(raw=True, allow_excess_frames=False, decoding_plugin="gdcm")
        return dataset.pixel_array
    except Exception:
        dataset.pixel_array_options(raw=True, allow_excess_frames=False, decoding_plugin="")
        return dataset.pixel_array


def without_unused_bits(values: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Mask the bits that are not stored, or extend the sign into them."""
    unused = values.dtype.itemsize * 8 - dataset.BitsStored
    if values.dtype.kind not in "iu" or unused <= 0:
        return values
    return (values << unused) >> unused


def digest(path: Path) -> str:
    """Return the SHA-256 of the stored values of a file."""
    dataset = dcmread(path, force=True)
    if not str(dataset.get("NumberOfFrames", 1)).isdigit():  # "1A": dcmtk and GDCM take it for 1
        dataset.NumberOfFrames = 1
    values = without_unused_bits(decoded(dataset), dataset)
    return hashlib.sha256(
        np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    ).hexdigest()


def main(folder: Path) -> None:
    """Print what is found; a text in place of a hash says why there is none."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    found = {}
    for path in sorted(folder.iterdir()):
        try:
            found[path.name] = digest(path)
        except Exception as error:  # whatever a plugin raises
            found[path.name] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
