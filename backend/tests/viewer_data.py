"""Writes series whose pictures are hard to get right: ``python -m tests.viewer_data FOLDER``.

The journey that compares the viewer's canvas with the server's pictures runs on them, and on the files that pydicom
brings, which are copied along.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from tests.builders import image, item, to_bytes

ROWS, COLUMNS = 96, 128
BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
# Beyond what the server shows, or far larger than what they would add.
_LEFT_OUT = ("zipMR.gz",)


def ramp(low: int, high: int, dtype: type) -> np.ndarray:
    """Values from `low` to `high`, different in rows and columns."""
    steps = np.linspace(low, high, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    return np.roll(steps, 17, axis=1).astype(dtype)


def table(entries: np.ndarray, first: int, bits: int) -> Dataset:
    """An item of a Modality LUT or VOI LUT Sequence."""
    lut = item(LUTDescriptor=[len(entries) & 0xFFFF, first, bits], ModalityLUTType="US")
    lut["LUTDescriptor"].VR = "US" if first >= 0 else "SS"
    lut.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return lut


def _padded() -> np.ndarray:
    pixels = ramp(-1000, 3000, np.int16)
    pixels[:10] = -2000
    return pixels


def _dirty() -> np.ndarray:
    """Twelve bits of value under four of something else."""
    return ramp(0, 4095, np.uint16) | np.uint16(0xA000)


def _palette() -> dict[str, Any]:
    entries = np.arange(256, dtype=np.uint16) * 257
    tables = {"Red": entries, "Green": entries[::-1], "Blue": np.roll(entries, 64)}
    return {
        "PhotometricInterpretation": "PALETTE COLOR",
        **{f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in tables},
        **{
            f"{colour}PaletteColorLookupTableData": data.astype("<u2").tobytes()
            for colour, data in tables.items()
        },
    }


CT = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400}
CASES: dict[str, Callable[[], Dataset]] = {
    "linear": lambda: image(ramp(0, 4095, np.uint16), **CT),
    "linear width one": lambda: image(ramp(0, 4095, np.uint16), **{**CT, "WindowWidth": 1}),
    "linear exact": lambda: image(ramp(0, 4095, np.uint16), VOILUTFunction="LINEAR_EXACT", **CT),
    "sigmoid": lambda: image(ramp(0, 4095, np.uint16), VOILUTFunction="SIGMOID", **CT),
    "several windows": lambda: image(
        ramp(0, 4095, np.uint16), **{**CT, "WindowCenter": [300, 40], "WindowWidth": [1500, 80]}
    ),
    "signed with padding": lambda: image(_padded(), PixelPaddingValue=-2000, **{**CT, "RescaleIntercept": 0}),
    "inverse with padding": lambda: image(
        _padded(),
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=-2000,
        WindowCenter=1000,
        WindowWidth=3000,
    ),
    "fractional slope": lambda: image(
        ramp(0, 65535, np.uint16),
        RescaleSlope="0.0371",
        RescaleIntercept="-3.25",
        WindowCenter=900,
        WindowWidth=1700,
    ),
    "negative slope": lambda: image(
        ramp(-2000, 2000, np.int16), RescaleSlope=-2, RescaleIntercept=10, WindowCenter=0, WindowWidth=5000
    ),
    "wide values": lambda: image(
        ramp(-32768, 32767, np.int16),
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=0,
        WindowWidth=60000,
    ),
    "unused bits": lambda: image(_dirty(), BitsStored=12, HighBit=11, WindowCenter=2000, WindowWidth=4000),
    "no window": lambda: image(ramp(100, 3000, np.uint16)),
    "constant": lambda: image(np.full((ROWS, COLUMNS), 77, np.uint16)),
    "eight bits": lambda: image(ramp(0, 255, np.uint8), WindowCenter=128, WindowWidth=256),
    "signed bytes": lambda: image(ramp(-128, 127, np.int8), WindowCenter=0, WindowWidth=200),
    "32 bits": lambda: image(ramp(0, 4_000_000_000, np.uint32), WindowCenter=2e9, WindowWidth=3e9),
    "modality table": lambda: image(
        ramp(0, 1023, np.uint16),
        ModalityLUTSequence=[table((np.arange(1024) ** 2 // 16).astype(np.uint16), 0, 16)],
        WindowCenter=30000,
        WindowWidth=50000,
    ),
    "voi table": lambda: image(
        ramp(0, 4095, np.uint16),
        RescaleSlope=1,
        RescaleIntercept=-1024,
        VOILUTSequence=[table((np.sqrt(np.arange(2048)) * 90).astype(np.uint16), -500, 12)],
        WindowCenter=40,
        WindowWidth=400,
    ),
    "modality table with padding": lambda: image(
        ramp(0, 1023, np.uint16),
        ModalityLUTSequence=[table((np.arange(1024) ** 2 // 16).astype(np.uint16), 0, 16)],
        PixelPaddingValue=1023,
        WindowCenter=30000,
        WindowWidth=50000,
    ),
    "palette": lambda: image(ramp(0, 255, np.uint8), **_palette()),
    "colour by planes": lambda: image(
        np.stack(
            [ramp(0, 255, np.uint8), ramp(255, 0, np.uint8), np.roll(ramp(0, 255, np.uint8), 40, 0)]
        ).reshape(ROWS, COLUMNS, 3),
        PlanarConfiguration=1,
    ),
    "colour of luminance": lambda: image(
        np.stack([ramp(0, 255, np.uint8), ramp(255, 0, np.uint8), ramp(60, 200, np.uint8)], axis=-1),
        PhotometricInterpretation="YBR_FULL",
    ),
}


def main(folder: Path) -> None:
    """Write all series."""
    for number, (name, make) in enumerate(CASES.items()):
        dataset = make()
        renamed = image(np.zeros((8, 8), np.uint16), series=f"viewer {name}")
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
            setattr(dataset, keyword, getattr(renamed, keyword))
        dataset.SeriesDescription = name
        (folder / f"{number:02}.dcm").write_bytes(to_bytes(dataset))
    for path in sorted(BUNDLED.rglob("*.dcm")):
        if path.name not in _LEFT_OUT:
            shutil.copyfile(path, folder / f"bundled {path.parent.name} {path.name}")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    main(target)
