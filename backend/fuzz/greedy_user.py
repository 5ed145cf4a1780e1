"""One user who asks for costly answers 200 at a time, and what another one notices of it.

``python -m fuzz.greedy_user`` starts a real server over a series that it makes, and asks for small things on behalf of
one user, by turns alone and while a process of another user keeps 200 connections busy: rendered pictures that nobody
has asked for, bulk data, metadata, frames, and searches that look into headers. It prints the 95th percentile of the
first user's times alone and beside the other, by kind, and what the other was answered. Who is refused waits as long
as the answer says, as any honest client does.
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fuzz.kills import instance
from fuzz.serving import Server, running_server
from imageserver.accounts.models import Role
from imageserver.accounts.passwords import PasswordHasher
from imageserver.accounts.users import create_user
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.settings import Settings

GREEDY, PASSWORD = "greedy", "wants all of it at once"
INSTANCES, ROWS = 60, 512
CONNECTIONS = 200
SECONDS = 6.0
ROUNDS = 3
SMALL = ("/dicomweb/studies?limit=1", "/volumes?limit=1", "/slice", "/auth/me")


def costly_paths(uids: list[tuple[str, str]]) -> list[str]:
    """Return what the greedy user asks for, with a place for a number that makes each request another one."""
    paths = []
    for series, uid in uids:
        base = f"/dicomweb/studies/2.25.1/series/{series}"
        address = f"{base}/instances/{uid}"
        paths += [
            f"{address}/rendered?window={{n}}.5,300,linear",
            f"{address}/bulkdata/7FE00010",
            f"{address}/frames/1",
            f"{base}/metadata",
            "/dicomweb/instances?ImageComments=no{n}",
        ]
    return paths


def greed(port: int, token: str, paths: list[str], told: Connection) -> None:
    """Keep all connections busy until something is sent; tell what was answered."""
    stop = threading.Event()
    statuses: Counter[int] = Counter()
    number = itertools.count()

    def ask(path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not stop.is_set():
            try:
                connection.request("GET", path.format(n=next(number)), headers={"Authorization": token})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                statuses[0] += 1
                connection.close()
                continue
            statuses[answer.status] += 1
            if answer.status in (429, 503):
                stop.wait(float(answer.headers.get("Retry-After", 1)))
        connection.close()

    threads = [
        threading.Thread(target=ask, args=(paths[place % len(paths)],), daemon=True)
        for place in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    while sum(statuses.values()) < CONNECTIONS:
        time.sleep(0.05)
    statuses.clear()
    told.send(None)
    told.recv()
    stop.set()
    told.send(dict(statuses))


def measure(server: Server, times: dict[str, list[float]], seconds: float) -> None:
    """Ask for small things one after the other, and note how long each took."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path in SMALL:
            begun = time.perf_counter()
            status = server.client.get(path).status_code
            times.setdefault(path, []).append(time.perf_counter() - begun)
            if status != 200:
                raise RuntimeError(f"{path} is {status}")


def _token(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    form = urllib.parse.urlencode({"username": GREEDY, "password": PASSWORD})
    connection.request("POST", "/auth/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    return "Bearer " + str(json.loads(connection.getresponse().read())["access_token"])


def run(folder: Path, rounds: int = ROUNDS, seconds: float = SECONDS) -> tuple[dict[str, Any], Counter[int]]:
    """Measure by turns; return the times alone and beside the other, by path, and the answers of the other."""
    data, state = folder / "data", folder / "state"
    data.mkdir()
    uids = []
    for number in range(100, 100 + INSTANCES):
        (data / f"{number}.dcm").write_bytes(instance(number, ROWS))
        uids.append((f"2.25.{number % 5 + 2}", f"2.25.{number}"))
    alone: dict[str, list[float]] = {}
    beside: dict[str, list[float]] = {}
    statuses: Counter[int] = Counter()
    with running_server(data, 1, 1, STATE_DIR=str(state), DATABASE_URL="") as server:
        database = Database(Settings(state_dir=state).effective_database_url)
        with database.writing() as session:
            create_user(session, GREEDY, PasswordHasher().hash(PASSWORD), Role.READER, utc_now())
        database.dispose()
        while server.client.get("/volumes").json()["index"]["indexed"] < INSTANCES:
            time.sleep(0.2)
        token = _token(server.port)
        measure(server, {}, 1.0)
        for _ in range(rounds):
            measure(server, alone, seconds)
            ours, theirs = multiprocessing.Pipe()
            arguments = (server.port, token, costly_paths(uids), theirs)
            process = multiprocessing.get_context("spawn").Process(target=greed, args=arguments)
            process.start()
            ours.recv()
            measure(server, beside, seconds)
            ours.send(None)
            statuses.update(ours.recv())
            process.kill()
            process.join()
            time.sleep(1.0)
    return {path: (alone[path], beside[path]) for path in SMALL}, statuses


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times, statuses = run(Path(folder), arguments.rounds, arguments.seconds)
    print("the greedy user:", dict(statuses))
    for path, (alone, beside) in times.items():
        first, second = (sorted(found)[int(len(found) * 0.95)] for found in (alone, beside))
        print(
            f"{path:28} p95 {first * 1000:8.1f} ms alone {second * 1000:8.1f} ms beside x {second / first:.2f}"
        )


if __name__ == "__main__":
    main()
