"""An index whose content is scrubbed at the word of the test."""

import os
from pathlib import Path

from sqlalchemy import select

from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import Indexer
from imageserver.archive.lease import Lease
from imageserver.archive.models import File
from imageserver.archive.scrubbing import Scrubber
from imageserver.database import Database

DAY = 86_400


class Kept:
    """An index that this process keeps, with a scrubber whose clock the test turns."""

    def __init__(self, database: Database, directory: DataDirectory) -> None:
        self.lease = Lease(database)
        assert self.lease.take()
        self.indexer = Indexer(database, directory, self.lease)
        self.now = 1_000_000.0
        self.damage: list[tuple[str | None, str | None]] = []
        self.scrubber = Scrubber(
            database,
            directory,
            self.lease,
            interval=DAY,
            on_alert=lambda _session, _code, *uids: self.damage.append(uids),
            clock=lambda: self.now,
        )

    def look(self) -> Outcome:
        return self.indexer.look()

    def scrub(self, *, days: float = 1) -> int:
        """One pass; how many files were looked at."""
        self.now += days * DAY
        count = 0
        while done := self.scrubber.step():
            count += done
        return count


def flip(path: Path, at: int) -> None:
    """Change one bit on the disk as a fault does: size and time stay."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def files(database: Database) -> dict[bytes, File]:
    with database.reading() as session:
        return {file.path: file for file in session.scalars(select(File))}
