"""The volume of `synthetic`, its slices compressed without loss in JPEG 2000."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from benchmarks.synthetic import DIAMETER, ct_header, save_slice


def write_compressed_volume(folder: Path, count: int, name: str) -> list[Path]:
    """Write a series of `count` slices; equal names give equal UIDs."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = np.where(x**2 + (y * 1.2) ** 2 < 0.7, 1064, 224)
    paths = []
    for index in range(count):
        dataset = ct_header(name, index, count)
        dataset.PixelRepresentation = 0
        noise = random.normal(0, 20, (DIAMETER, DIAMETER))
        dataset.PixelData = encapsulate([_jpeg_2000((body + noise).astype(np.uint16))])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        paths.append(save_slice(dataset, folder, index))
    return paths


def _jpeg_2000(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG2000", no_jp2=True, irreversible=False)
    return buffer.getvalue()
