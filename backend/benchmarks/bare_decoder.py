"""The bare decoder beside the server's: pydicom with the same plugin, or the library itself, in one process.

``python benchmarks/bare_decoder.py`` reads paths from standard input, decodes the file a path names, and answers with
the seconds that it took. It imports nothing of the server, which keeps GDCM out of its process.
"""

import sys
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from imagecodecs import jpeg8_decode, jpegxl_decode
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array

PLUGINS = {
    "4.50": "pillow", "4.57": "gdcm", "4.70": "gdcm", "4.80": "gdcm", "4.90": "gdcm", "4.91": "gdcm",
    "4.201": "pylibjpeg", "5": "pydicom",
}  # fmt: skip
LIBRARIES: dict[str, Callable[[bytes], Any]] = {
    "4.51": jpeg8_decode,
    "4.55": lambda stream: np.asarray(Image.open(BytesIO(stream))),
    "4.110": lambda stream: jpegxl_decode(stream, numthreads=1),
    "8.1": lambda stream: np.frombuffer(zlib.decompress(stream, wbits=-15), "<u2"),
}


def seconds_for(dataset: Dataset) -> float:
    """Decode once; what is read from the file is not counted."""
    number = str(dataset.file_meta.TransferSyntaxUID).removeprefix("1.2.840.10008.1.2.")
    begun = time.perf_counter()
    if number in PLUGINS:
        pixel_array(dataset, index=0, raw=True, decoding_plugin=PLUGINS[number])
    else:
        LIBRARIES[number](next(generate_frames(dataset.PixelData, number_of_frames=1)))
    return time.perf_counter() - begun


def main() -> None:
    """Answer one line for each line."""
    datasets: dict[str, Dataset] = {}
    for line in sys.stdin:
        path = line.strip()
        if path not in datasets:
            datasets[path] = dcmread(path)
        print(seconds_for(datasets[path]), flush=True)


if __name__ == "__main__":
    main()
