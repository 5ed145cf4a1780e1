"""Keeping the index in step with the data directory.

One look at the folder (`Indexer.look`) finds what is new, changed or gone since the last one, reads only that, and
writes it in batches, so that the API answers meanwhile. Files that are still being copied are waited for. A folder
that vanished or became empty never empties the index: docs/decisions/0013.
"""

import time
from collections.abc import Callable

from imageserver.archive.batches import Batches, Stopped
from imageserver.archive.chunks import chunks
from imageserver.archive.digests import content_digest
from imageserver.archive.files import DATA_ROOT, STORE_ROOT, DataDirectory, FileIdentity, FoundFile
from imageserver.archive.index_state import BUILDING, READY, UNAVAILABLE
from imageserver.archive.index_writer import IndexWriter, Outcome
from imageserver.archive.lease import Lease
from imageserver.archive.listing import (
    SKIPPED_IDENTITY,
    Listing,
    is_beneath,
    list_directory,
    skipped_file,
)
from imageserver.archive.models import INDEX_STATE_ID, IndexState
from imageserver.archive.moving import find_moves, known_files
from imageserver.archive.progress import Progress
from imageserver.archive.reading_pool import readers_for
from imageserver.archive.settling import Settling
from imageserver.database import Database
from imageserver.errors import DataDirectoryUnavailable, Gone


class Indexer:
    """Brings the index up to date. Only one per database may work at a time: the caller holds the lease."""

    def __init__(
        self,
        database: Database,
        directory: DataDirectory,
        lease: Lease,
        on_change: Callable[[], None] = lambda: None,
        readers: int = 0,
    ) -> None:
        self.database = database
        self.directory = directory
        self.writer = IndexWriter(database, directory, lease, on_change)
        self.readers = readers or readers_for()
        self.settling = Settling()
        self.is_stopped: Callable[[], bool] = lambda: False

    @property
    def progress(self) -> Progress:
        """How far the present look is."""
        return self.writer.progress

    def look(self, *, forget_missing: bool = False) -> Outcome:
        """Look at the folder once and bring the index up to date.

        Parameters
        ----------
        forget_missing : bool
            Believe a folder that is empty or gone, and empty the index.

        Raises
        ------
        LeaseLost
            If another process took over meanwhile.
        DatabaseUnavailable, StorageFull
            The next look continues where this one stopped.
        """
        self.writer.progress = Progress()
        try:
            return self._look(forget_missing)
        except BaseException:
            self.writer.forget_known()  # what was committed last is not known
            raise

    def _look(self, forget_missing: bool) -> Outcome:
        self.writer.load()
        listing = list_directory(self.directory)
        lost = {root for root in (DATA_ROOT, STORE_ROOT) if self._is_lost(root, listing)}
        if lost and not forget_missing and not (lost == {DATA_ROOT} and self._is_other_directory()):
            return self.writer.become(UNAVAILABLE)
        if DATA_ROOT in listing.missing and not listing.files:
            if self.writer.known:
                self.writer.forget()
            return self.writer.become(UNAVAILABLE)
        return self._update(listing)

    def _is_lost(self, root: bytes, listing: Listing) -> bool:
        """Tell whether a folder is empty or gone that had files."""
        if listing.has_files(root):
            return False
        had = [path for path in self.writer.known if is_beneath(root, path)]
        with self.database.reading() as session:  # they may have been deleted while the folder was listed
            still = (row for paths in chunks(had) for row in known_files(session, paths))
            return any(row.identity == self.writer.known[row.path] for row in still)

    def _is_other_directory(self) -> bool:
        """Tell whether the rows are those of another data directory, so that they may go."""
        with self.database.reading() as session:
            indexed = session.get_one(IndexState, INDEX_STATE_ID).data_directory
        return indexed != self.writer.directory_name

    def _update(self, listing: Listing) -> Outcome:
        has_moved = self._follow_moves(listing)
        gone = [path for path in self.writer.known if listing.is_gone(path)]
        has_changed = (bool(gone) and self.writer.remove(gone)) or has_moved
        new = [FoundFile(*item) for item in listing.files.items() if self._is_new(*item)]
        skipped = [s for s in listing.skipped.values() if self.writer.known.get(s.path) != SKIPPED_IDENTITY]
        settled = self.settling.settled(new)
        seen, unsettled = len(listing.files), len(new) - len(settled)
        listing.files.clear()  # of a large folder this takes much memory, and reading it takes long
        new.clear()
        if settled or skipped:
            has_changed = True
            self.writer.progress = Progress(len(settled))
            self.writer.become(BUILDING, seen=seen)
            self.writer.store([skipped_file(s) for s in skipped])
            settled.sort(key=self._reading_order)
            batches = Batches(self.directory, self.readers, self.progress, self.is_stopped)
            for batch in batches.read(settled):
                self.writer.store(batch)
            self.writer.progress = Progress()
        has_changed = self._arrange_stale() or has_changed
        is_settling = unsettled > 0 or not self.writer.is_current
        outcome = self.writer.become(READY, is_settling=is_settling, seen=seen)
        return outcome._replace(has_changed=has_changed or outcome.has_changed)

    def _follow_moves(self, listing: Listing) -> bool:
        """Let rows follow their files to other paths."""
        new = [
            FoundFile(*item) for item in listing.files.items() if self.writer.known.get(item[0]) != item[1]
        ]
        displaced = [
            path
            for path, identity in (self.writer.known.items() if new else ())
            if identity != SKIPPED_IDENTITY
            and listing.files.get(path) != identity
            and not listing.is_hidden(path)
        ]
        if not displaced:
            return False
        with self.database.reading() as session:
            known = known_files(session, displaced)
        moves = find_moves(known, new, self._digest, is_there=listing.files.__contains__)
        if not moves:
            return False
        leaving = {move.former for move in moves}
        occupied = [
            move.found.path
            for move in moves
            if move.found.path in self.writer.known and move.found.path not in leaving
        ]
        self.writer.move(moves, occupied)
        return True

    def _digest(self, found: FoundFile) -> str | None:
        """Return the checksum of a file that stands still; None where it does not, or the server stops."""
        if self.is_stopped() or not self.settling.is_old(found.identity):
            return None
        self.writer.keep_lease()  # reading a large file takes a while
        try:
            return content_digest(self.directory, found)
        except (Gone, DataDirectoryUnavailable):
            return None

    def _is_new(self, path: bytes, identity: FileIdentity) -> bool:
        known = self.writer.known.get(path)
        if (
            known == SKIPPED_IDENTITY
        ):  # it could not be read; a change of rights alone leaves no trace in the identity
            return self.directory.is_readable(path)
        return known != identity or path in self.writer.stale

    def _reading_order(self, found: FoundFile) -> tuple[bool, bytes]:
        """By path; but what has a SOP Instance UID in the index keeps it when it is read by new rules."""
        return not self.writer.stale.get(found.path, False), found.path

    def _arrange_stale(self) -> bool:
        """Arrange what got files and was put off, or was left by a look that ended early."""
        has_changed = False
        for series in self.writer.rearranging.stale():
            if self.is_stopped():
                raise Stopped
            self.writer.arrange(series)
            has_changed = True
        return has_changed


def look_once(
    database: Database,
    directory: DataDirectory,
    *,
    forget_missing: bool = False,
    take_over: bool = False,
    readers: int = 0,
) -> Outcome | None:
    """Bring the index up to date once, waiting for files that are being copied.

    None while another process keeps the index, unless `take_over` says not to mind: that process resumes afterwards.
    """
    lease = Lease(database)
    if not lease.take(by_force=take_over):
        return None
    try:
        indexer = Indexer(database, directory, lease, readers=readers)
        outcome = indexer.look(forget_missing=forget_missing)
        while outcome.is_settling:
            time.sleep(indexer.settling.seconds)
            outcome = indexer.look(forget_missing=forget_missing)
        return outcome
    finally:
        lease.release()
