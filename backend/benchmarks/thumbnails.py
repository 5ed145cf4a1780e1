"""The thumbnails of a first page of studies: 50 slices of 512 × 512, fetched as a browser does, cold and warm."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.result import Result
from benchmarks.server import Server, prepare, started
from benchmarks.synthetic import write_volume

STUDIES = 50
CONNECTIONS = 6  # of a browser to one host, by HTTP/1.1


def measure_thumbnails(folder: Path) -> list[Result]:
    """Measure the page itself, then all its thumbnails, first and again."""
    data, state = folder / "studies", folder / "state of thumbnails"
    for number in range(STUDIES):
        write_volume(data / f"{number:03}", 1, f"study {number}")
    prepare(state)
    with started(data, state) as server:
        server.log_in()
        server.wait_for_index(STUDIES)
        page = server.time_get(f"/studies?limit={STUDIES}")
        studies = server.json(f"/studies?limit={STUDIES}")["studies"]
        addresses = [study["thumbnail"] for study in studies]
        _, before = server.memory_mib()
        cold, warm = (_fetch(server, addresses) for _ in range(2))
        _, after = server.memory_mib()
    return [
        Result("thumbnails, the page itself", page * 1000, 100, "ms", "no slice is decoded for it"),
        _result("thumbnails, cold", cold, 2000),
        _result("thumbnails, warm", warm, 500),
        Result("thumbnails, memory", after - before, 64, "MiB", "more at its highest than before"),
    ]


def _fetch(server: Server, addresses: list[str]) -> tuple[float, list[float]]:
    """Return how long all took, and each."""
    clients = [server.another() for _ in range(CONNECTIONS)]

    def fetch(number: int) -> list[float]:
        return [clients[number].time_get(address) for address in addresses[number::CONNECTIONS]]

    begun = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        each = [seconds for found in pool.map(fetch, range(CONNECTIONS)) for seconds in found]
    return time.perf_counter() - begun, each


def _result(name: str, measured: tuple[float, list[float]], goal: float) -> Result:
    whole, each = measured
    p95 = statistics.quantiles(each, n=20)[-1] * 1000
    details = f"all {len(each)} over {CONNECTIONS} connections; p95 of one {p95:.0f} ms"
    return Result(name, whole * 1000, goal, "ms", details)
