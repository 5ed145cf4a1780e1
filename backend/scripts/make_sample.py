"""Make the sample volume that ships in `data/`: a synthetic head CT, the same bytes at every run.

Run as `python backend/scripts/make_sample.py [--output data]`. It takes about two minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sample.dicom_writer import make_instance, places, write_instance
from sample.scanner import Scan, acquire_slice
from sample.space import Textures

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = "head-ct"


def make_sample(output: Path, indices: range | None = None) -> list[Path]:
    """Write the slices `indices` (default: all, counted from the feet) below `output`; return the files."""
    scan, textures = Scan(), Textures()
    folder = output / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index in indices if indices is not None else range(scan.slice_count):
        path = folder / places(scan.slice_count)[index].file_name
        write_instance(make_instance(scan, index, acquire_slice(scan, textures, index)), path)
        written.append(path)
    return written


def main() -> None:
    """Parse the command line and report what was written."""
    parser = argparse.ArgumentParser(description="Make the synthetic head CT that ships with the server.")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "data", help="data directory to write to")
    files = make_sample(parser.parse_args().output)
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} slices, {megabytes:.2f} MB, in {files[0].parent}")


if __name__ == "__main__":
    main()
