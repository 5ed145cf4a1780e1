"""Several workers that index one folder into one database at once."""

import hashlib
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import Indexer
from imageserver.archive.lease import Lease, LeaseLost
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.database import Database
from imageserver.migrations import migrate
from tests.builders import image, to_bytes

AGE_SECONDS = 3600


class Worker:
    """One process as the database sees it: connections, lease and knowledge of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        self.lease = Lease(self.database)
        self.indexer = Indexer(self.database, DataDirectory(folder), self.lease)

    def look(self, *, by_force: bool = False) -> str:
        """Look at the folder, if the index is this worker's; return what came of it."""
        if not self.lease.take(by_force=by_force):
            return "left to another"
        try:
            self.indexer.look()
        except LeaseLost:
            return "taken over by another"
        return "looked"

    def end(self) -> None:
        """End in order: the lease goes back."""
        self.lease.release()
        self.database.dispose()


@contextmanager
def temporary_index() -> Iterator[tuple[str, Path]]:
    """Yield the address of a migrated database and an empty folder.

    The database is a new embedded one, or that of IMAGESERVER_TEST_DATABASE_URL, which must be empty.
    """
    with tempfile.TemporaryDirectory(prefix="imageserver-indexing-") as name:
        url = os.environ.get("IMAGESERVER_TEST_DATABASE_URL") or f"sqlite:///{name}/index.sqlite3"
        folder = Path(name) / "data"
        folder.mkdir()
        database = Database(url)
        migrate(database)
        database.dispose()
        yield url, folder


def write(folder: Path, name: str, series: str, patient_id: str = "TEST-1") -> bytes:
    """Write an image that was changed an hour ago; all images of a series have one SOP Instance UID."""
    content = to_bytes(image(series=series, PatientID=patient_id))
    path = folder / name
    path.write_bytes(content)
    moment = path.stat().st_mtime - AGE_SECONDS
    os.utime(path, (moment, moment))
    return content


def look_at_once(workers: list[Worker], *, with_force: bool) -> Counter[str]:
    """Let all workers look at the same moment; every second takes the index by force where that is asked for."""
    outcomes: Counter[str] = Counter()
    barrier = threading.Barrier(len(workers))
    errors: list[BaseException] = []

    def work(number: int) -> None:
        barrier.wait()
        try:
            outcomes[workers[number].look(by_force=with_force and number % 2 == 1)] += 1
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(workers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return outcomes


def shown_digest(database: Database, folder: Path, sop_instance_uid: str) -> str | None:
    """Return the SHA-256 of the file that is shown under a UID; None unless there is exactly one."""
    with database.reading() as session:
        paths = session.scalars(
            select(File.path)
            .join(Instance, File.instance_id == Instance.id)
            .where(Instance.sop_instance_uid == sop_instance_uid)
        ).all()
    if len(paths) != 1:
        return None
    return hashlib.sha256((folder / os.fsdecode(paths[0])).read_bytes()).hexdigest()


def count_rows(database: Database) -> tuple[int, int, int, int]:
    """Count files, instances, series and studies."""
    with database.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (File, Instance, Series, Study)
        ]
    return counts[0], counts[1], counts[2], counts[3]
