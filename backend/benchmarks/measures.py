"""The five measurements."""

import io
import shutil
import statistics
import time
import zlib
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_rescale, apply_windowing

from benchmarks.result import Result, ratio
from benchmarks.server import prepare, started
from benchmarks.synthetic import write_volume

SLICES = 300
WARM_REQUESTS = 400
REPETITIONS = 5


def measure_cold_slice(folder: Path) -> Result:
    """`/slice` for the first time, against reading, decoding, windowing and encoding the same file with pydicom."""
    data, state = folder / "volume", folder / "state of cold"
    prepare(state)
    paths = sorted(data.iterdir())
    ours, bare = [], []
    with started(data, state) as server:
        server.log_in()
        server.wait_for_index(SLICES)
        server.time_get("/slice?index=0")
        _plain_png(paths[0])
        for index in range(1, 121):
            ours.append(server.time_get(f"/slice?index={index}"))
            begun = time.perf_counter()
            _plain_png(paths[index])
            bare.append(time.perf_counter() - begun)
    return ratio("cold /slice", ours, bare, 1.3)


def _plain_png(path: Path) -> bytes:
    """The shortest way with pydicom and Pillow; the same PNG settings as the server's."""
    dataset = pydicom.dcmread(path)
    hounsfield = apply_rescale(dataset.pixel_array, dataset)
    shown = apply_windowing(hounsfield, dataset)
    low, high = float(shown.min()), float(shown.max())
    grey = ((shown - low) / ((high - low) or 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def measure_warm(folder: Path) -> list[Result]:
    """`/slice` and `/patient` again, against empty routes with the same session check and the same bytes."""
    data, state, bodies = folder / "volume", folder / "state of warm", folder / "bodies"
    prepare(state)
    bodies.mkdir()
    results = []
    command = ("benchmarks.bare_app", "beside")
    with started(data, state, *command, BENCHMARK_BODIES=str(bodies)) as server:
        server.log_in()
        server.wait_for_index(SLICES)
        for name in ("slice", "patient"):
            (bodies / name).write_bytes(server.get(f"/{name}")[1])
            for path in (f"/{name}", f"/bare/{name}") * 20:
                server.time_get(path)
            pairs = [
                (server.time_get(f"/{name}"), server.time_get(f"/bare/{name}")) for _ in range(WARM_REQUESTS)
            ]
            results.append(ratio(f"warm /{name}", [p[0] for p in pairs], [p[1] for p in pairs], 1.2))
    return results


def measure_indexing(folder: Path) -> Result:
    """Files that are moved into the folder of a running server, until they are in the index."""
    data, state, waiting = folder / "growing", folder / "state of indexing", folder / "waiting"
    prepare(state)
    data.mkdir()
    ours, bare = [], []
    with started(data, state) as server:
        server.log_in()
        server.wait_for_index(0)
        for turn in range(REPETITIONS):
            paths = write_volume(waiting / str(turn), SLICES, f"series {turn}")
            time.sleep(0.5)
            begun = time.perf_counter()
            for path in paths:
                pydicom.dcmread(path, stop_before_pixels=True)
            bare.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            (waiting / str(turn)).rename(data / str(turn))
            server.wait_for_index((turn + 1) * SLICES, pause=0.05)
            ours.append(time.perf_counter() - begun)
    shutil.rmtree(data)
    return ratio(f"indexing {SLICES} new files", ours, bare, 2.0)


def measure_start(folder: Path) -> Result:
    """From the start of the process to ready on an unchanged index, against an empty app with the same libraries."""
    data, state = folder / "volume", folder / "state of start"
    prepare(state)
    with started(data, state) as server:
        server.log_in()
        server.wait_for_index(SLICES)
    ours, bare = [], []
    for _ in range(REPETITIONS):
        begun = time.perf_counter()
        with started(data, state):
            ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with started(data, state, "benchmarks.bare_app", "empty"):
            bare.append(time.perf_counter() - begun)
    return ratio("start to ready", ours, bare, 1.3)


def measure_memory(folder: Path) -> Result:
    """Resident memory of the API process while all slices of the volume are shown."""
    data, state = folder / "volume", folder / "state of memory"
    prepare(state)
    seen = []
    with started(data, state) as server:
        server.log_in()
        server.wait_for_index(SLICES)
        uid = server.json("/volumes")["volumes"][0]["series_instance_uid"]
        server.get(f"/volumes/{uid}")
        for index in range(SLICES):
            server.time_get(f"/slice?index={index}")
            seen.append(server.memory_mib()[0])
        highest = server.memory_mib()[1]
    details = f"highest {highest:.0f} MiB, median {statistics.median(seen):.0f} MiB; 512 x 512 x {SLICES}"
    return Result("memory while serving", highest, 250, "MiB", details)
