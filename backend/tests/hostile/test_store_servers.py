"""Storing in real server processes, a little of what the commands do.

``python -m fuzz.same_instance``, ``python -m fuzz.large_bodies`` and ``python -m fuzz.full_disk`` do it in full.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz import full_disk, large_bodies, same_instance
from fuzz.serving import Server, running_server
from imageserver.database import Database
from imageserver.settings import Settings

CLIENTS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("servers")
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    settings = {
        "STATE_DIR": str(folder / "state"),
        "STORE_DIR": str(folder / "store"),
        "STORE_REQUEST_MIB": str(large_bodies.LIMIT_MIB),
        "STORE_RESERVE_MIB": "0",
    }
    with running_server(folder / "data", 1, CLIENTS, **settings) as server:
        yield server


def test_bodies_that_are_too_large_or_lie(server: Server, folder: Path) -> None:
    figures = large_bodies.run_cases(server, folder / "store", 64 << 20)
    assert figures.faults == []
    assert len(figures.seen) == len(large_bodies.cases(1))


def test_clients_that_store_the_same_at_once(server: Server, folder: Path) -> None:
    figures = same_instance.Figures()
    database = Database(Settings(state_dir=folder / "state").effective_database_url)
    same_instance.run_round(server, database, folder / "store", 1, CLIENTS, figures, tries=30)
    database.dispose()
    assert figures.faults == []
    assert figures.statuses == Counter({200: 2 * CLIENTS + 1, 409: CLIENTS - 1})


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    try:
        figures = full_disk.run(tmp_path, uploads=3, is_taken_away=False)
    except full_disk.CannotMount as error:
        pytest.skip(str(error))
    assert figures.faults == []
    assert figures.statuses["full"] == {507: 3}
    assert figures.statuses["room again"] == {200: 3}
