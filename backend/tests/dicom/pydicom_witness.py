"""pydicom itself as the witness: decodes each of its own files with all of its plugins, and keeps the values.

A script: ``python pydicom_witness.py FOLDER OUT.npz``. It runs in a process of its own, since GDCM, one of the
plugins, is kept out of every process of the server. What pydicom cannot decode is left out.
"""

import contextlib
import sys
import warnings
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian


def stored_values(path: Path) -> np.ndarray:
    """All frames, with the samples as they are in the streams."""
    dataset = dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        is_implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
        )
    dataset.pixel_array_options(raw=True)
    return dataset.pixel_array


def main(folder: Path, out: Path) -> None:
    """Decode what can be decoded."""
    warnings.simplefilter("ignore")
    found = {}
    for path in sorted(folder.glob("*.dcm")):
        with contextlib.suppress(Exception):  # whatever a plugin raises: there is no witness then
            found[path.name] = stored_values(path)
    np.savez(out, **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
