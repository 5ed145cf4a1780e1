"""Deleting, restoring and purging instances. docs/decisions/0079.

The note of a deletion is committed before the file is moved: a crash in between leaves a file that the next sweep
moves, and never one without a note.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from imageserver.archive.deletions import (
    DeletedInstance,
    Wanted,
    delete_instances,
    find_deleted,
    forget_deletions,
    keep_hidden,
    show_again,
)
from imageserver.archive.files import FileIdentity
from imageserver.archive.incoming import Incoming
from imageserver.archive.index_transaction import index_transaction, note_change
from imageserver.archive.moving import known_files
from imageserver.archive.reading import INDEXED, read_file
from imageserver.archive.store_folder import TRASH, StoreFolder, store_errors
from imageserver.archive.store_index import StoreIndex
from imageserver.archive.store_outcomes import StoreOutcome, StoreState
from imageserver.archive.store_step import CONFLICT_MESSAGE
from imageserver.archive.summaries import rearrange
from imageserver.database import Database
from imageserver.errors import AppError, DataDirectoryUnavailable, Gone, InstanceNotFound

SECONDS_PER_DAY = 86_400

# Called in the transaction, with the instances that it deletes, restores or purges.
RecordDeleted = Callable[[Session, Sequence[DeletedInstance]], None]


class NotRestored(InstanceNotFound):
    """The instance cannot be restored; the message says why."""


class Trash:
    """What was deleted.

    Parameters
    ----------
    database : Database
    folder : StoreFolder or None
        Opened; None where nothing can be stored, so that all deleted instances lie in the data directory.
    index : StoreIndex or None
        Likewise.
    on_change : callable
        Called when the index has changed.
    """

    def __init__(
        self,
        database: Database,
        folder: StoreFolder | None,
        index: StoreIndex | None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.database = database
        self.folder = folder
        self.index = index
        self.on_change = on_change

    def delete(
        self, wanted: Wanted, username: str, record: RecordDeleted, now: float | None = None
    ) -> list[DeletedInstance]:
        """Delete a study, series or instance; empty where there is none of that name.

        Raises
        ------
        DatabaseUnavailable, StorageFull
            Then nothing is deleted.
        """
        moment = int(time.time() if now is None else now)
        with index_transaction(self.database) as session:
            deleted, series = delete_instances(session, wanted, moment, username)
            if deleted:
                rearrange(session, series)
                note_change(session)
                record(session, deleted)
        if deleted:
            self.on_change()
            self._move(deleted)
        return deleted

    def _move(self, deleted: Iterable[DeletedInstance], is_late: bool = False) -> None:
        """Move the files of the store; what fails is moved by the next sweep, which comes late.

        By then another file may have been stored in their place, whose row was lost with the index.

        The index is held for it: somebody may be storing the same instance again, and then the file is wanted.
        """
        stored = [one for one in deleted if one.trash is not None]
        if self.folder is None or not stored:
            return
        try:
            meant = self._find_meant(self.folder, stored) if is_late else None
            with index_transaction(self.database) as session:
                known = self._known(session, stored)
                moves = [
                    (one.store_path, one.trash_path)
                    for one in stored
                    if one.path not in known
                    and (found := self.folder.found(one.store_path)) is not None
                    and (meant is None or found.identity == meant.get(one.path))
                ]
                taken = set(self.folder.place(moves))
                self.folder.discard(
                    path for path, trash in moves if trash not in taken or self._is_same(path, trash)
                )
        except (AppError, OSError):
            return

    def _find_meant(
        self, folder: StoreFolder, stored: Sequence[DeletedInstance]
    ) -> dict[bytes, FileIdentity]:
        """Return the files that are surely those that were deleted, by path.

        Hashing takes long: the index is not held for it. A file that cannot be read keeps no other where it is.
        """
        with self.database.reading() as session:
            known = self._known(session, stored)
        meant = {}
        for one in stored:
            with contextlib.suppress(OSError):
                found = None if one.path in known else folder.found(one.store_path)
                if found is not None and one.sha256 in (None, folder.digest(one.store_path)):
                    meant[one.path] = found.identity
        return meant

    @staticmethod
    def _known(session: Session, deleted: Sequence[DeletedInstance]) -> set[bytes]:
        """Return the paths of which the index has rows: something was stored there since."""
        return {file.path for file in known_files(session, [one.path for one in deleted])}

    def _is_same(self, path: bytes, trash: bytes) -> bool:
        """Tell whether two names are of one file: of a move that was interrupted, and not of what was stored anew."""
        assert self.folder is not None
        former, moved = self.folder.found(path), self.folder.found(trash)
        return former is not None and moved is not None and former.identity == moved.identity

    def restore(self, deleted: DeletedInstance, record: RecordDeleted) -> None:
        """Show an instance again.

        Raises
        ------
        NotRestored
            If its file is no more, another instance has its UID now, or another study its series.
        StoreUnavailable, DatabaseUnavailable, StorageFull
        """
        if deleted.trash is None:
            with index_transaction(self.database) as session:
                show_again(session, [deleted])
                forget_deletions(session, [deleted])
                note_change(session)
                record(session, [deleted])
            self.on_change()
            return
        if self.folder is None or self.index is None:
            raise NotRestored("The store is not configured: the file of this instance is in its trash.")
        self._move([deleted] if self.folder.found(deleted.trash_path) is None else [], is_late=True)
        incoming = self._incoming(self.folder, deleted)
        known = StoreOutcome(StoreState.STORED, sop_instance_uid=deleted.sop_instance_uid)

        def write(session: Session, outcomes: Sequence[StoreOutcome]) -> None:
            if outcomes[0].state is StoreState.REFUSED:
                raise NotRestored(outcomes[0].message or CONFLICT_MESSAGE)
            forget_deletions(session, [deleted])
            record(session, [deleted])

        with store_errors():
            self.index.add([(incoming, known)], write)
        self.folder.discard([deleted.trash_path])

    def _incoming(self, folder: StoreFolder, deleted: DeletedInstance) -> Incoming:
        assert deleted.trash is not None
        path = deleted.trash_path
        found = folder.found(path)
        try:
            file = None if found is None else read_file(folder.files, found)
        except (Gone, DataDirectoryUnavailable):
            file = None
        if file is None or file.state != INDEXED or file.instance is None:
            raise NotRestored("The file of this instance is not in the trash any more, or is damaged.")
        sha256 = folder.digest(path)
        if deleted.sha256 is not None and sha256 != deleted.sha256:
            raise NotRestored("The file in the trash is not the one that was deleted.")
        return Incoming(path, replace(file, path=deleted.store_path), sha256)

    def purge(self, deleted: Sequence[DeletedInstance], record: RecordDeleted) -> list[DeletedInstance]:
        """Remove the files of deleted instances for good; those of the data directory are left out, and stay hidden."""
        gone = [one for one in deleted if one.trash is not None]
        if gone and self.folder is not None:
            self._move(gone, is_late=True)  # of one whose move was interrupted
            gone = self._moved(self.folder, gone)
            # A file that is read just now is hidden by the note.
            with index_transaction(self.database) as session:
                keep_hidden(session, gone)
                forget_deletions(session, gone)
                record(session, gone)
            self.folder.discard(one.trash_path for one in gone)
        return gone if self.folder is not None else []

    def _moved(self, folder: StoreFolder, deleted: Sequence[DeletedInstance]) -> list[DeletedInstance]:
        """Leave out those whose file is still where it was: without its note it would be shown again."""
        with self.database.reading() as session:
            known = self._known(session, deleted)
        moved = []
        for one in deleted:
            trash = one.trash_path
            is_left = one.path not in known and folder.found(one.store_path) is not None
            if not is_left or (folder.found(trash) is not None and not self._is_same(one.store_path, trash)):
                moved.append(one)
        return moved

    def sweep(self, days: int, record: RecordDeleted, now: float | None = None) -> None:
        """Finish moves that were interrupted, and purge what was deleted longer ago than it is kept."""
        if self.folder is None:
            return
        moment = int(time.time() if now is None else now)
        with self.database.reading() as session:
            deleted = [one for one in find_deleted(session) if one.trash is not None]
        there = set(self.folder.names(TRASH))
        self._move((one for one in deleted if self.folder.found(one.store_path) is not None), is_late=True)
        self.purge([one for one in deleted if one.deleted_at <= moment - days * SECONDS_PER_DAY], record)
        noted = {one.trash for one in deleted}
        # A deletion that came meanwhile is noted before its file is there.
        with self.database.reading() as session:
            noted |= {one.trash for one in find_deleted(session)}
        self.folder.discard(TRASH + b"/" + name for name in there - noted)
