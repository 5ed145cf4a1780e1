"""Whether the event loop stands still while many slices are decoded at once, and what memory that takes."""

import io
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pydicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from benchmarks.result import Result
from benchmarks.server import BACKEND, Server, prepare, started
from benchmarks.synthetic import write_volume

CLIENTS = 50
ROUNDS = 3
STALL_MS, MEMORY_MIB = 50.0, 250.0
_PAUSE = 0.002


def measure_stall(folder: Path) -> list[Result]:
    """50 JPEG 2000 slices at once, while one client asks for `/healthz`, which needs nothing but the event loop."""
    data, state = folder / "compressed volume", folder / "state of stall"
    write_compressed_volume(data, CLIENTS * ROUNDS)
    prepare(state)
    with started(data, state) as server:
        server.log_in()
        server.wait_for_index(CLIENTS * ROUNDS)
        server.get("/slice?index=0")
        idle = _heartbeats(server, until=time.monotonic() + 2)
        beats: list[float] = []
        crowds = [_crowd(server, turn, beats) for turn in range(ROUNDS)]
        _, highest = server.memory_mib()
    worst = max(beats) * 1000
    details = (
        f"{len(beats)} heartbeats, 99th percentile {_percentile(beats):.1f} ms; idle {_percentile(idle):.1f} ms, "
        f"at most {max(idle) * 1000:.1f} ms; {CLIENTS} slices in {statistics.median(s for s, _ in crowds):.2f} s, "
        f"{sum(failed for _, failed in crowds)} refused"
    )
    return [
        Result("longest stall of the event loop", worst, STALL_MS, "ms", details),
        Result(
            "memory under 50 slices at once",
            highest,
            MEMORY_MIB,
            "MiB",
            "of the server process, at its highest",
        ),
    ]


def write_compressed_volume(folder: Path, count: int) -> None:
    """Write a volume in JPEG 2000, the slowest of the usual ones."""
    for path in write_volume(folder, count, "compressed"):
        dataset = pydicom.dcmread(path)
        buffer = io.BytesIO()
        pixels = (dataset.pixel_array + 1024).astype("u2")
        Image.fromarray(pixels).save(buffer, "JPEG2000", no_jp2=True, irreversible=False, num_resolutions=3)
        dataset.PixelRepresentation, dataset.RescaleIntercept = 0, -2048
        dataset.PixelData = encapsulate([buffer.getvalue()])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        dataset.save_as(path)


def _crowd(server: Server, turn: int, beats: list[float]) -> tuple[float, int]:
    """Let the crowd ask once; add the seconds of each heartbeat meanwhile."""
    port = str(server.connection.port)
    arguments = [port, server.headers["Authorization"], str(turn * CLIENTS), str(CLIENTS)]
    command = [sys.executable, "-m", "benchmarks.crowd", *arguments]
    with subprocess.Popen(command, cwd=BACKEND, stdout=subprocess.PIPE, text=True) as crowd:  # noqa: S603 - ours
        beats += _heartbeats(server, crowd=crowd)
        seconds, failed = crowd.communicate()[0].split()
    return float(seconds), int(failed)


def _heartbeats(
    server: Server, until: float = float("inf"), crowd: "subprocess.Popen[str] | None" = None
) -> list[float]:
    beats = []
    while time.monotonic() < until and (crowd is None or crowd.poll() is None):
        beats.append(server.time_get("/healthz"))
        time.sleep(_PAUSE)
    return beats


def _percentile(beats: list[float]) -> float:
    return statistics.quantiles(beats, n=100)[98] * 1000
