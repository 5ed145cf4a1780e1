"""What DICOMweb retrieves, against a bare ASGI application that reads the same bytes from files and sends them.

Both answer over kept connections, in turn, so that a busy machine disturbs both alike. The bare one checks nothing:
no session, no audit, no index, and not whether the file is still the one that is meant.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.result import Result
from benchmarks.server import Server, prepare, started
from benchmarks.synthetic import write_volume
from benchmarks.synthetic_compressed import write_compressed_volume

SLICES = 300
COMPRESSED_SLICES = 60
TURNS = 300
REPEATS = 7
CONNECTIONS = 8
MEGABYTE = 1e6
AS_STORED = 'multipart/related; type="{}"; transfer-syntax=*'


class _Row(NamedTuple):
    """One kind of request: its addresses, one after the other, and what is accepted."""

    name: str
    paths: Sequence[str]
    accept: str
    goal: float  # times what the bare application takes


def measure_dicomweb(
    folder: Path, slices: int = SLICES, compressed: int = COMPRESSED_SLICES, turns: int = TURNS
) -> Iterator[Result]:
    """Measure frames, metadata, whole series and pictures of a raw series and of one in JPEG 2000."""
    write_volume(folder / "data" / "raw", slices, "raw")
    write_compressed_volume(folder / "data" / "j2k", compressed, "j2k")
    prepare(folder / "state")
    bodies = folder / "bodies"
    bodies.mkdir()
    with (
        started(folder / "data", folder / "state") as ours,
        started(
            folder / "data",
            folder / "state",
            "benchmarks.bare_app",
            "files",
            BENCHMARK_BODIES=str(bodies),
        ) as bare,
    ):
        ours.log_in()
        ours.wait_for_index(slices + compressed)
        for row in _one_by_one(ours):
            yield from _compare(ours, bare, bodies, row, turns)
        for row in _whole(ours):
            yield _compare_whole(ours, bare, bodies, row)


def _one_by_one(server: Server) -> Iterator[_Row]:
    octets, jpeg_2000 = AS_STORED.format("application/octet-stream"), AS_STORED.format("image/jp2")
    raw, compressed = _instances(server, "raw"), _instances(server, "j2k")
    yield _Row("frame", [f"{one}/frames/1" for one in raw], octets, 5)
    yield _Row("frame, JPEG 2000", [f"{one}/frames/1" for one in compressed], jpeg_2000, 6)
    yield _Row("metadata of an instance", [f"{one}/metadata" for one in raw], "application/dicom+json", 8)
    yield _Row("rendered", [f"{one}/rendered?window=40,400,linear" for one in raw], "image/jpeg", 12)
    yield _Row("thumbnail", [f"{one}/thumbnail" for one in raw], "image/jpeg", 8)
    yield _Row("instance", raw, AS_STORED.format("application/dicom"), 6)


def _whole(server: Server) -> Iterator[_Row]:
    raw = [_series(server, "raw")]
    yield _Row("metadata of a series", [f"{raw[0]}/metadata"], "application/dicom+json", 12)
    yield _Row("a whole series", raw, AS_STORED.format("application/dicom"), 3)


def _series(server: Server, name: str) -> str:
    volumes = server.json("/volumes?limit=10")["volumes"]
    [found] = [one for one in volumes if one["description"] == f"Benchmark series {name}"]
    return f"/dicomweb/studies/{found['study_instance_uid']}/series/{found['series_instance_uid']}"


def _instances(server: Server, name: str) -> list[str]:
    series = _series(server, name)
    uid = series.rpartition("/")[2]
    slices = server.json(f"/volumes/{uid}/slices")["slices"]
    return [f"{series}/instances/{one['sop_instance_uid']}" for one in slices]


def _compare(ours: Server, bare: Server, bodies: Path, row: _Row, turns: int) -> Iterator[Result]:
    """Ask both in turn, over one connection, then over several at once."""
    ours.headers["Accept"] = row.accept
    same = _keep(ours, bodies, row)
    first = statistics.median(ours.time_get(path) for path in row.paths)
    for path in (same,) * 10:
        bare.time_get(path)
    paths = [row.paths[turn * 7 % len(row.paths)] for turn in range(turns)]
    pairs = [(ours.time_get(path), bare.time_get(same)) for path in paths]
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    details = (
        f"{mine * 1000:.2f} ms against {theirs * 1000:.2f}; {first * 1000:.2f} each for the first time; over "
        f"{CONNECTIONS} connections {_rate(ours, lambda turn: paths[turn], turns):.0f}/s against "
        f"{_rate(bare, lambda _: same, turns):.0f}/s"
    )
    yield Result(row.name, mine / theirs, row.goal, "x", details)


def _compare_whole(ours: Server, bare: Server, bodies: Path, row: _Row) -> Result:
    ours.headers["Accept"] = row.accept
    same = _keep(ours, bodies, row)
    size = len(ours.get(row.paths[0])[1])
    pairs = [(ours.time_get(row.paths[0]), bare.time_get(same)) for _ in range(REPEATS)]
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    speeds = [size / MEGABYTE / seconds for seconds in (mine, theirs)]
    details = (
        f"{mine * 1000:.1f} ms against {theirs * 1000:.1f}; {speeds[0]:.0f} MB/s against {speeds[1]:.0f}"
    )
    return Result(row.name, mine / theirs, row.goal, "x", details)


def _keep(ours: Server, bodies: Path, row: _Row) -> str:
    """Give the bare application the answer to the first address; return where it has it."""
    status, content = ours.get(row.paths[0])
    if status != 200:
        raise RuntimeError(f"{row.name} answered {status}")
    name = row.name.replace(" ", "-").replace(",", "")
    (bodies / name).write_bytes(content)
    return f"/{name}"


def _rate(server: Server, path_of: Callable[[int], str], turns: int) -> float:
    """Return how many answers a second come over several connections at once."""
    clients = [server.another() for _ in range(CONNECTIONS)]

    def ask(number: int) -> None:
        for turn in range(number, turns, CONNECTIONS):
            clients[number].time_get(path_of(turn))

    begun = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(ask, range(CONNECTIONS)))
    return turns / (time.perf_counter() - begun)
