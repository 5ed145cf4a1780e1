"""Indexing an archive of many files: rate against bare pydicom on the same files, and memory.

The archive has two folders, one with a tenth of the files, so that memory can be compared between the two sizes.
Times are taken twice: by the clock, and as processor time, which a busy machine disturbs less. Meanwhile somebody looks
at the list of studies.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.generated_archive import write_archive
from benchmarks.processes import memory_of_tree, processor_seconds_of_tree
from benchmarks.result import Result
from benchmarks.server import Server, prepare, started
from imageserver.archive.reading_process import NICENESS

# At the priority of the readers: otherwise a busy machine would hold up only those.
_BARE = """
import os, pathlib, pydicom, sys, time
os.nice(int(sys.argv[2]))
paths = sorted(path for path in pathlib.Path(sys.argv[1]).rglob("*.dcm"))
clock, processor = time.perf_counter(), time.process_time()
for path in paths:
    pydicom.dcmread(path, stop_before_pixels=True)
print(time.perf_counter() - clock, time.process_time() - processor)
"""


class Run(NamedTuple):
    """One way through all files, by the clock and by the processor, the memory at its highest, and what pages took."""

    seconds: float
    processor_seconds: float
    memory_mib: float = 0.0
    readers: int = 0
    pages: tuple[float, ...] = ()


def measure_scale(files: int) -> list[Result]:
    """Measure with one and two reading processes, on `files` files and on a tenth of them."""
    with tempfile.TemporaryDirectory(prefix="imageserver-scale-") as name:
        folder = Path(name)
        tenth = files // 10
        series = write_archive(folder / "archive" / "tenth", tenth)
        series += write_archive(folder / "archive" / "rest", files - tenth)
        _say(f"{files} files in {series} series")
        small = _index(folder / "archive" / "tenth", folder / "small", tenth, 2)
        results, runs = [], []
        bare = _read_bare(folder / "archive")
        for readers, goal in ((1, 0.8), (2, 1.5)):
            run = _index(folder / "archive", folder / f"state of {readers}", files, readers)
            bare = _between(bare, _read_bare(folder / "archive"))
            results.append(_rate(f"indexing, readers: {readers}", run, bare, files, goal))
            results.append(_pages(f"studies meanwhile, readers: {readers}", run))
            runs.append(run)
        results.append(_memory(small, runs[-1], files))
    return results


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _read_bare(folder: Path) -> Run:
    command = [sys.executable, "-W", "ignore", "-c", _BARE, str(folder), str(NICENESS)]
    answer = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - our own program
    run = Run(*map(float, answer.stdout.split()))
    _say(f"bare pydicom: {run.seconds:.1f} s, {run.processor_seconds:.1f} s of processor time")
    return run


def _between(first: Run, second: Run) -> Run:
    """What the bare reading takes on a machine that is as busy as between the two."""
    return Run((first.seconds + second.seconds) / 2, (first.processor_seconds + second.processor_seconds) / 2)


def _index(data: Path, state: Path, files: int, readers: int) -> Run:
    """Let a new server index a folder, from its start to its being ready."""
    prepare(state)
    begun = time.perf_counter()
    with started(data, state, IMAGESERVER_INDEX_READERS=str(readers)) as server:
        server.log_in()
        watch = _Watch(server)
        pages = list(_look_at_studies(server, files))
        run = Run(time.perf_counter() - begun, *watch.end(), readers, tuple(pages))
    shutil.rmtree(state)
    _say(
        f"{files} files, {readers} readers: {run.seconds:.1f} s, {run.processor_seconds:.1f} s of processor time, "
        f"{run.memory_mib:.0f} MiB"
    )
    return run


def _look_at_studies(server: Server, files: int) -> Iterator[float]:
    """Ask for the first page of studies until the index is ready, as a page does, but more often; yield the seconds."""
    while True:
        begun = time.perf_counter()
        _, content = server.get("/studies?limit=50")
        yield time.perf_counter() - begun
        index = json.loads(content)["index"]
        if index["state"] == "ready" and index["indexed"] == files:
            return
        time.sleep(0.2)


class _Watch:
    """Follows processor time and resident memory of a server and its readers."""

    def __init__(self, server: Server) -> None:
        self._pid = server.process.pid
        self._memory = self._seconds = 0.0
        self._is_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._memory = max(self._memory, memory_of_tree(self._pid))
            self._seconds = max(self._seconds, processor_seconds_of_tree(self._pid))
            if self._is_ended.wait(0.1):
                return

    def end(self) -> tuple[float, float]:
        self._is_ended.set()
        self._thread.join()
        return self._seconds, self._memory


def _rate(name: str, run: Run, bare: Run, files: int, goal: float) -> Result:
    details = (
        f"{files / run.seconds:.0f} files/s against {files / bare.seconds:.0f}; by processor time "
        f"{bare.processor_seconds / run.processor_seconds:.2f} for all processes together"
    )
    return Result(name, bare.seconds / run.seconds, goal, "x", details, is_least=True)


def _pages(name: str, run: Run) -> Result:
    p95 = statistics.quantiles(run.pages, n=20)[-1]
    middle = statistics.median(run.pages) * 1000
    return Result(
        name, p95 * 1000, 250, "ms", f"p95 of {len(run.pages)} first pages of the list, median {middle:.1f}"
    )


def _memory(small: Run, large: Run, files: int) -> Result:
    details = (
        f"{large.memory_mib:.0f} MiB at {files} files, {small.memory_mib:.0f} at {files // 10}, "
        f"server and {large.readers} readers; {os.cpu_count()} processors"
    )
    return Result("memory while indexing", large.memory_mib / small.memory_mib, 1.25, "x", details)
