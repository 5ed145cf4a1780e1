"""Files that were moved or renamed: they keep their rows, instances, checksums and metadata, and are not read again.

A file is known again by size, time of change and inode, which a move within a file system leaves as they are. Where
the clock of the file system is coarse, or the file went to another one, its content decides, if its checksum is known.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from imageserver.archive.checksums import INTEGRITY_MISMATCH
from imageserver.archive.chunks import chunks
from imageserver.archive.files import FileIdentity, FoundFile
from imageserver.archive.models import File
from imageserver.archive.storing import path_digest

_SECOND = 1_000_000_000


class KnownFile(NamedTuple):
    """A row whose file is not at its path any more."""

    file_id: int
    path: bytes
    identity: FileIdentity
    sha256: str | None


class Move(NamedTuple):
    """A row, and where its file is now."""

    file_id: int
    former: bytes
    found: FoundFile


def known_files(session: Session, paths: Iterable[bytes]) -> list[KnownFile]:
    """Return the rows of paths; without the checksum where the file is known to be damaged, which a good one is not."""
    checksum = case((File.code == INTEGRITY_MISMATCH, None), else_=File.sha256)
    columns = (File.id, File.path, File.size, File.mtime_ns, File.inode, checksum)
    rows: list[Any] = []
    for digests in chunks([path_digest(path) for path in paths]):
        rows += session.execute(select(*columns).where(File.path_digest.in_(digests))).all()
    return [KnownFile(row[0], row[1], FileIdentity(*row[2:5]), row[5]) for row in rows]


def find_moves(
    displaced: Sequence[KnownFile],
    new: Sequence[FoundFile],
    digest_of: Callable[[FoundFile], str | None],
    is_there: Callable[[bytes], bool] = lambda _path: False,
) -> list[Move]:
    """Find the rows whose file is at another path now.

    Parameters
    ----------
    displaced : sequence of KnownFile
        Rows whose file is not at its path any more.
    new : sequence of FoundFile
        Files that no row describes.
    digest_of : callable
        Returns the SHA-256 of a new file, or None where it should not or cannot be read now.
    is_there : callable
        Tells whether there is a file at a path, be it another one. A file that changed in its place is read as any
        other that changed: hashing it would take longer.
    """
    moves = list(_same_identity(displaced, new))
    moved, taken = {move.file_id for move in moves}, {move.found.path for move in moves}
    rest = [
        file
        for file in displaced
        if file.file_id not in moved and file.sha256 is not None and not is_there(file.path)
    ]
    return moves + list(_same_content(rest, [file for file in new if file.path not in taken], digest_of))


def _same_identity(displaced: Sequence[KnownFile], new: Sequence[FoundFile]) -> Iterator[Move]:
    """Match by size, time and inode, where these are surely those of one file only.

    A time in whole seconds is not enough: archives unpack many files of one size with one time, and an inode is given
    to the next file as soon as it is free.
    """
    before = Counter(file.identity for file in displaced)
    after = Counter(file.identity for file in new)
    known = {file.identity: file for file in displaced}
    for found in new:
        identity = found.identity
        if before[identity] == after[identity] == 1 and identity.mtime_ns % _SECOND:
            yield Move(known[identity].file_id, known[identity].path, found)


def _same_content(
    displaced: Sequence[KnownFile], new: Sequence[FoundFile], digest_of: Callable[[FoundFile], str | None]
) -> Iterator[Move]:
    sizes = {file.identity.size for file in displaced}
    waiting = {(file.identity.size, file.sha256): file for file in reversed(displaced)}
    for found in sorted(new):
        if not waiting:
            return
        if found.identity.size in sizes and (digest := digest_of(found)) is not None:
            file = waiting.pop((found.identity.size, digest), None)
            if file is not None:
                yield Move(file.file_id, file.path, found)


def store_moves(session: Session, moves: Sequence[Move]) -> None:
    """Give rows their new paths. Rows of other files at these paths are removed before; two files may change places."""
    kept = _existing(session, [move.file_id for move in moves])  # a copy goes with its original
    moves = [move for move in moves if move.file_id in kept]
    targets = {move.found.path for move in moves}
    in_the_way = [
        {"id": move.file_id, "path_digest": f"moving {move.file_id}"}
        for move in moves
        if move.former in targets
    ]
    rows = [
        {
            "id": move.file_id,
            "path": move.found.path,
            "path_digest": path_digest(move.found.path),
            **move.found.identity._asdict(),
        }
        for move in moves
    ]
    for values in (in_the_way, rows):
        if values:
            session.execute(update(File), values)


def _existing(session: Session, file_ids: list[int]) -> set[int]:
    found: set[int] = set()
    for ids in chunks(file_ids):
        found.update(session.scalars(select(File.id).where(File.id.in_(ids))))
    return found
