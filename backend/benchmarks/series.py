"""What the viewer asks for: the slices, the metadata and all frames of a series, the first time and again."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.result import Result
from benchmarks.server import Server, prepare, started
from benchmarks.synthetic import write_volume

SLICES = 300
MEBIBYTE = 1024 * 1024
REPEATS = 5


def measure_series(folder: Path, slices: int = SLICES) -> Iterator[Result]:
    """Measure a series of 512 x 512 slices of 16 bits."""
    paths = write_volume(folder / "series", slices, "series")
    size = sum(path.stat().st_size for path in paths)
    prepare(folder / "state")
    with started(folder / "series", folder / "state") as server:
        server.log_in()
        server.wait_for_index(slices)
        yield from _measure(server, slices, size)
        _, highest = server.memory_mib()
        yield Result("memory of the server", highest, 512, "MiB", "at its highest")
    speed = _bare(paths)
    yield Result("bare reads", speed, 0, "MB/s", "the same files, one after the other", is_least=True)


def _measure(server: Server, slices: int, size: int) -> Iterator[Result]:
    volume = server.json("/volumes?limit=1")["volumes"][0]
    series, study = volume["series_instance_uid"], volume["study_instance_uid"]
    listed = f"/volumes/{series}/slices"
    yield _first_and_again("slices", server, listed, 20)
    version = server.json(listed)["version"]
    metadata = f"/dicomweb/studies/{study}/series/{series}/metadata"
    yield _first_and_again("metadata", server, metadata, 100)
    server.headers["Accept-Encoding"] = "gzip"
    yield _first_and_again("metadata, gzip", server, metadata, 100)
    del server.headers["Accept-Encoding"]
    frames = [f"/volumes/{series}/frames?first={at}&count=1&version={version}" for at in range(slices)]
    rate = _rate([server.time_get(path) for path in frames[: slices // 2]])
    yield Result(
        "frames, one by one, first time", rate, 100, "/s", f"{slices // 2} of 512 x 512", is_least=True
    )
    whole = f"/volumes/{series}/frames?version={version}"
    speeds = [size / MEBIBYTE / server.time_get(whole) for _ in range(REPEATS)]
    yield Result("frames, the whole series", max(speeds), 200, "MB/s", _listed(speeds), is_least=True)


def _first_and_again(name: str, server: Server, path: str, goal: float) -> Result:
    first = server.time_get(path)
    again = min(server.time_get(path) for _ in range(REPEATS))
    length = len(server.get(path)[1])
    details = f"again; {first * 1000:.0f} ms the first time; {length / 1000:.0f} kB"
    return Result(name, again * 1000, goal, "ms", details)


def _rate(times: Sequence[float]) -> float:
    return len(times) / sum(times)


def _listed(values: Sequence[float]) -> str:
    return "best of " + ", ".join(f"{value:.0f}" for value in values)


def _bare(paths: Sequence[Path]) -> float:
    began = time.perf_counter()
    size = sum(len(path.read_bytes()) for path in paths)
    return size / MEBIBYTE / (time.perf_counter() - began)
