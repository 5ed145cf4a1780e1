"""Run all measurements and print one line for each; the exit code is 0 whether the goals are met or not.

``python -m benchmarks`` measures what takes minutes, ``python -m benchmarks scale --files 100000`` indexing at scale,
``python -m benchmarks lists`` the lists of volumes and of studies at 100,000; with ``--database-url`` on that
PostgreSQL server, in databases which it makes and drops; ``python -m benchmarks search`` the searches of DICOMweb at
10,000 studies, as that; ``python -m benchmarks series`` what the viewer asks for of a series, ``python -m benchmarks
dicomweb`` what programs retrieve, ``python -m benchmarks thumbnails`` the small pictures of a page of studies.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.decoding import measure_decoding
from benchmarks.dicomweb import measure_dicomweb
from benchmarks.event_loop import measure_stall
from benchmarks.lists import measure_lists
from benchmarks.measures import (
    SLICES,
    measure_cold_slice,
    measure_indexing,
    measure_memory,
    measure_start,
    measure_warm,
)
from benchmarks.result import Result
from benchmarks.scale import measure_scale
from benchmarks.search import measure_search
from benchmarks.series import measure_series
from benchmarks.synthetic import write_volume
from benchmarks.thumbnails import measure_thumbnails

_MEASURES = (
    measure_cold_slice,
    measure_warm,
    measure_decoding,
    measure_stall,
    measure_indexing,
    measure_start,
    measure_memory,
)
_OF_A_FOLDER: dict[str, Callable[[Path], Iterable[Result]]] = {
    "series": measure_series,
    "dicomweb": measure_dicomweb,
    "thumbnails": measure_thumbnails,
}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=["all", "scale", "lists", "search", *_OF_A_FOLDER], default="all"
    )
    parser.add_argument("--files", type=int, default=100_000, help="size of the archive for `scale`")
    parser.add_argument(
        "--database-url", default="", help="address of a PostgreSQL server for `lists` and `search`"
    )
    arguments = parser.parse_args()
    machine = (
        f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    print(f"Against the bare minimum ({machine})", flush=True)
    if arguments.what == "scale":
        for result in measure_scale(arguments.files):
            print(result.line(), flush=True)
    elif arguments.what == "lists":
        for result in measure_lists(arguments.database_url):
            print(result.line(), flush=True)
    elif arguments.what == "search":
        for result in measure_search(arguments.database_url):
            print(result.line(), flush=True)
    elif arguments.what in _OF_A_FOLDER:
        with tempfile.TemporaryDirectory(prefix="imageserver-bench-") as name:
            for result in _OF_A_FOLDER[arguments.what](Path(name)):
                print(result.line(), flush=True)
    else:
        _measure_all()


def _measure_all() -> None:
    """Measure, one after the other, on data in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="imageserver-bench-") as name:
        folder = Path(name)
        write_volume(folder / "volume", SLICES, "volume")
        for measure in _MEASURES:
            found = measure(folder)
            for result in found if isinstance(found, list) else [found]:
                print(result.line(), flush=True)


if __name__ == "__main__":
    main()
