"""Comparing the index with the files it was made from, and these with their checksums. Nothing is changed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from imageserver.archive.checksums import INTEGRITY_MISMATCH
from imageserver.archive.digests import content_digest
from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.reading import INDEXED, REFUSED
from imageserver.archive.reading_rules import reading_stamp
from imageserver.database import Database
from imageserver.errors import DataDirectoryUnavailable, Gone

RECENT_SECONDS = 60.0
_NANOSECONDS = 1_000_000_000

OnProgress = Callable[[int, int], None]


class Difference(StrEnum):
    """What is wrong with a file or a row, worst first."""

    MISMATCH = "mismatch"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    CHANGED = "changed"
    UNINDEXED = "unindexed"
    OUTDATED = "outdated"
    ORPHANED = "orphaned"


MEANINGS = {
    Difference.MISMATCH: "the content differs from the checksum: damaged on the disk",
    Difference.UNREADABLE: "the file or folder cannot be read",
    Difference.MISSING: "in the index, and not in the data directory",
    Difference.CHANGED: "changed since it was indexed",
    Difference.UNINDEXED: "in the data directory, and not in the index",
    Difference.OUTDATED: "indexed by an older version; the server reads it again",
    Difference.ORPHANED: "rows of the index that belong to no file",
}


@dataclass
class Check:
    """What a check has found.

    Attributes
    ----------
    files, rows : int
        In the data directory; in the index.
    compared : int
        Files whose content was compared with a checksum.
    without_checksum : int
        Shown files of which the scrub has not taken a checksum yet.
    waiting : int
        Files that were changed within the last minute: the server may not have read them yet.
    refused : dict of str to int
        Files that are not shown, by code. That is known, and no difference.
    differences : dict of Difference to list of bytes
        Paths; of orphaned rows their UIDs.
    """

    files: int = 0
    rows: int = 0
    compared: int = 0
    without_checksum: int = 0
    waiting: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    differences: dict[Difference, list[bytes]] = field(
        default_factory=lambda: {kind: [] for kind in Difference}
    )

    @property
    def is_well(self) -> bool:
        """Whether nothing differs."""
        return not any(self.differences.values())


class _Row(NamedTuple):
    path: bytes
    identity: FileIdentity
    state: str
    code: str | None
    read_by: str
    sha256: str | None
    sop_instance_uid: str | None


def check(
    database: Database,
    directory: DataDirectory,
    *,
    is_full: bool = False,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Check:
    """Compare the index with the data directory.

    Parameters
    ----------
    database : Database
        Where the index is.
    directory : DataDirectory
        What it is of.
    is_full : bool
        Read all files that are shown, and compare them with their checksums.
    on_progress : callable
        Called with the number of files that were read, and that are to be.

    Raises
    ------
    DataDirectoryUnavailable, DatabaseUnavailable
    """
    found = Check()
    with database.reading() as session:
        rows = {row.path: row for row in _rows(session)}
        found.refused = _refused(session)
        found.differences[Difference.ORPHANED] = [uid.encode() for uid in _orphans(session)]
    listed, hidden = _list(directory)
    found.files, found.rows = len(listed), len(rows)
    found.differences[Difference.UNREADABLE] += hidden
    same = []
    for path in sorted(rows.keys() | listed.keys()):
        row, identity = rows.get(path), listed.get(path)
        if row is None or identity is None:
            _compare_paths(found, path, row, identity, hidden)
        elif (kind := _compare(row, identity)) is not None:
            found.differences[kind].append(path)
        elif row.sop_instance_uid is not None:
            same.append(row)
    found.without_checksum = sum(row.sha256 is None for row in same)
    if is_full:
        _compare_contents(found, directory, same, on_progress)
    return found


def _rows(session: Session) -> Iterator[_Row]:
    identity = (File.size, File.mtime_ns, File.inode)
    columns = (File.path, *identity, File.state, File.code, File.read_by, File.sha256, File.sop_instance_uid)
    for row in session.execute(select(*columns)):
        yield _Row(row[0], FileIdentity(*row[1:4]), *row[4:])


def _refused(session: Session) -> dict[str, int]:
    statement = select(func.coalesce(File.code, File.state), func.count()).where(File.state != INDEXED)
    grouped = session.execute(statement.group_by(func.coalesce(File.code, File.state)))
    return dict(sorted((row[0], row[1]) for row in grouped))


def _orphans(session: Session) -> list[str]:
    """Return the UIDs of instances, series and studies that nothing is beneath."""
    questions: tuple[Any, ...] = (
        select(Instance.sop_instance_uid).where(~exists().where(File.instance_id == Instance.id)),
        select(Series.series_instance_uid).where(~exists().where(Instance.series_id == Series.id)),
        select(Study.study_instance_uid).where(~exists().where(Series.study_id == Study.id)),
        select(File.sop_instance_uid).where(File.state == INDEXED, File.instance_id.is_(None)),
    )
    return sorted(str(uid) for question in questions for uid in session.scalars(question))


def _list(directory: DataDirectory) -> tuple[dict[bytes, FileIdentity], list[bytes]]:
    files: dict[bytes, FileIdentity] = {}
    hidden: list[bytes] = []
    for root, folder in directory.roots():
        for item in folder.walk():
            if isinstance(item, FoundFile):
                files[root + item.path] = item.identity
            elif item.is_directory:
                hidden.append(root + item.path)
    return files, hidden


def _compare_paths(
    found: Check, path: bytes, row: _Row | None, identity: FileIdentity | None, hidden: list[bytes]
) -> None:
    """Judge a path that only one of both sides has."""
    if identity is not None:
        if time.time_ns() - identity.mtime_ns < RECENT_SECONDS * _NANOSECONDS:
            found.waiting += 1
        else:
            found.differences[Difference.UNINDEXED].append(path)
    elif (
        row is not None
        and row.identity.size >= 0
        and not any(path.startswith(above + b"/") for above in hidden)
    ):
        found.differences[Difference.MISSING].append(path)


def _compare(row: _Row, identity: FileIdentity) -> Difference | None:
    if row.code == INTEGRITY_MISMATCH:
        return Difference.MISMATCH
    if row.identity.size < 0:  # it could not be read when the folder was looked at
        return Difference.UNREADABLE if row.state == REFUSED else None
    if row.identity != identity:
        return Difference.CHANGED
    return None if row.read_by == reading_stamp() else Difference.OUTDATED


def _compare_contents(
    found: Check, directory: DataDirectory, rows: list[_Row], on_progress: OnProgress
) -> None:
    for number, row in enumerate(rows):
        on_progress(number, len(rows))
        try:
            digest = content_digest(directory, FoundFile(row.path, row.identity))
        except Gone:
            found.differences[Difference.CHANGED].append(row.path)
            continue
        except DataDirectoryUnavailable:
            if not directory.is_listable():
                raise
            found.differences[Difference.UNREADABLE].append(row.path)
            continue
        if row.sha256 is not None:
            found.compared += 1
            if digest != row.sha256:
                found.differences[Difference.MISMATCH].append(row.path)
    on_progress(len(rows), len(rows))
