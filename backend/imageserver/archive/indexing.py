"""Keeping the index in step with the data directory.

One look at the folder (`Indexer.look`) finds what is new, changed or gone since the last one, reads only that, and
writes it in batches, so that the API answers meanwhile. Files that are still being copied are waited for. A folder
that vanished or became empty never empties the index: docs/decisions/0013.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, alert, tell_nobody
from imageserver.archive.batches import Batches, Stopped
from imageserver.archive.checksums import checksums_of, find_stale, keep_checksums
from imageserver.archive.digests import content_digest
from imageserver.archive.duplicates import find_holders, settle_duplicates
from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile
from imageserver.archive.index_state import BUILDING, READY, UNAVAILABLE, StateNotes
from imageserver.archive.lease import Lease
from imageserver.archive.listing import SKIPPED_IDENTITY, Listing, list_directory, skipped_file
from imageserver.archive.models import INDEX_STATE_ID, File, IndexState
from imageserver.archive.moving import find_moves, known_files, store_moves
from imageserver.archive.progress import Progress
from imageserver.archive.reading import CONFLICT, ReadFile
from imageserver.archive.reading_pool import readers_for
from imageserver.archive.rearranging import Rearranging
from imageserver.archive.settling import Settling
from imageserver.archive.storing import add_files, forget_everything, remove_files, series_of
from imageserver.archive.summaries import SOP_CONFLICT, rearrange
from imageserver.database import Database
from imageserver.errors import DataDirectoryUnavailable, Gone

logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What one look has done."""

    state: str
    has_changed: bool
    is_settling: bool


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
        self.on_change = on_change
        self.directory = directory
        self.lease = lease
        self.readers = readers or readers_for()
        self.settling = Settling()
        self.progress = Progress()
        self.is_stopped: Callable[[], bool] = lambda: False
        self.on_alert: OnAlert = tell_nobody
        self._known: dict[bytes, FileIdentity] = {}
        self._known_generation = -1
        self._notes = StateNotes(_name_of(directory))
        self._rearranging = Rearranging()
        self._stale: dict[bytes, bool] = {}  # read by former rules; whether it holds an instance

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
        self.progress = Progress()
        try:
            return self._look(forget_missing)
        except BaseException:
            self._known_generation = -1  # what was committed last is not known
            raise

    def _look(self, forget_missing: bool) -> Outcome:
        self._load_known()
        try:
            listing = list_directory(self.directory)
        except DataDirectoryUnavailable:
            return self._without_directory(forget_missing)
        if not listing.files and self._known and not self._may_forget(forget_missing):
            return self._become(UNAVAILABLE)
        return self._update(listing)

    def _load_known(self) -> None:
        with self.database.writing() as session:
            self.lease.keep(session)
            generation = session.get_one(IndexState, INDEX_STATE_ID).generation
            if generation == self._known_generation:
                return
            rows = session.execute(select(File.path, File.size, File.mtime_ns, File.inode))
            self._known = {row[0]: FileIdentity(*row[1:]) for row in rows}
            self._known_generation = generation
            self._stale = find_stale(session)
            self._rearranging.load(session)

    def _without_directory(self, forget_missing: bool) -> Outcome:
        if self._known and self._may_forget(forget_missing):
            self._forget()
        return self._become(UNAVAILABLE)

    def _may_forget(self, forget_missing: bool) -> bool:
        """Tell whether the rows may go: told so, or they are those of another folder."""
        with self.database.reading() as session:
            indexed = session.get_one(IndexState, INDEX_STATE_ID).data_directory
        return forget_missing or indexed != self._notes.directory_name

    def _forget(self) -> None:
        with self.database.writing() as session:
            self.lease.keep(session)
            forget_everything(session)
            self._note(session, BUILDING, has_changed=True)
        self._known.clear()

    def _update(self, listing: Listing) -> Outcome:
        has_moved = self._follow_moves(listing)
        gone = [path for path in self._known if listing.is_gone(path)]
        has_changed = (bool(gone) and self._remove(gone)) or has_moved
        new = [FoundFile(*item) for item in listing.files.items() if self._is_new(*item)]
        skipped = [s for s in listing.skipped.values() if self._known.get(s.path) != SKIPPED_IDENTITY]
        settled = self.settling.settled(new)
        seen, unsettled = len(listing.files), len(new) - len(settled)
        listing.files.clear()  # of a large folder this takes much memory, and reading it takes long
        new.clear()
        if settled or skipped:
            has_changed = True
            self.progress = Progress(len(settled))
            self._become(BUILDING, seen=seen)
            self._store([skipped_file(s) for s in skipped])
            settled.sort(key=self._reading_order)
            batches = Batches(self.directory, self.readers, self.progress, self.is_stopped)
            for batch in batches.read(settled):
                self._store(batch)
            self.progress = Progress()
        has_changed = self._arrange_stale() or has_changed
        is_settling = unsettled > 0 or self._known_generation < 0
        outcome = self._become(READY, is_settling=is_settling, seen=seen)
        return outcome._replace(has_changed=has_changed or outcome.has_changed)

    def _follow_moves(self, listing: Listing) -> bool:
        """Let rows follow their files to other paths."""
        new = [FoundFile(*item) for item in listing.files.items() if self._known.get(item[0]) != item[1]]
        displaced = [
            path
            for path, identity in (self._known.items() if new else ())
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
            if move.found.path in self._known and move.found.path not in leaving
        ]
        with self.database.writing() as session:
            self.lease.keep(session)
            series, _ = remove_files(session, occupied)
            store_moves(session, moves)
            rearrange(session, series)
            self._note(session, BUILDING, has_changed=True)
        self._known_generation = -1
        self._load_known()
        return True

    def _digest(self, found: FoundFile) -> str | None:
        """Return the checksum of a file that stands still; None where it does not, or the server stops."""
        if self.is_stopped() or not self.settling.is_old(found.identity):
            return None
        with self.database.writing() as session:
            self.lease.keep(session)  # reading a large file takes a while
        try:
            return content_digest(self.directory, found)
        except (Gone, DataDirectoryUnavailable):
            return None

    def _is_new(self, path: bytes, identity: FileIdentity) -> bool:
        known = self._known.get(path)
        if (
            known == SKIPPED_IDENTITY
        ):  # it could not be read; a change of rights alone leaves no trace in the identity
            return self.directory.is_readable(path)
        return known != identity or path in self._stale

    def _reading_order(self, found: FoundFile) -> tuple[bool, bytes]:
        """By path; but what has a SOP Instance UID in the index keeps it when it is read by new rules."""
        return not self._stale.get(found.path, False), found.path

    def _remove(self, paths: Sequence[bytes]) -> bool:
        with self.database.writing() as session:
            self.lease.keep(session)
            series, has_successors = remove_files(session, paths)
            rearrange(session, series)
            self._note(session, BUILDING, has_changed=True)
        for path in paths:
            self._known.pop(path, None)
        if has_successors:
            self._known_generation = -1
            self._load_known()
        return True

    def _store(self, files: Sequence[ReadFile]) -> None:
        if not files:  # reading takes long: the lease must not run out
            with self.database.writing() as session:
                self.lease.keep(session)
            return
        changed = [file.path for file in files if file.path in self._known]
        with self.database.reading() as session:
            holders = find_holders(session, files, set(changed))
        settled = settle_duplicates(self.directory, files, holders)
        with self.database.writing() as session:
            self.lease.keep(session)
            checksums = checksums_of(session, changed)
            series, has_successors = remove_files(session, changed)
            added = add_files(session, settled)
            keep_checksums(session, checksums)
            growing = self._rearranging.choose(session, added.counts)
            rearrange(session, series | growing, added.whole)
            self._rearranging.done(series)
            if contested := [file.declared_uid for file in settled if self._is_new_conflict(file)]:
                alert(session, self.on_alert, SOP_CONFLICT, series_of(session, contested))
            states = None if changed else Counter(file.state for file in settled)
            self._note(session, BUILDING, has_changed=True, added=states)
        self._known.update({file.path: file.identity for file in settled})
        for file in settled:
            self._stale.pop(file.path, None)
        if has_successors:
            self._known_generation = -1

    def _is_new_conflict(self, file: ReadFile) -> bool:
        return file.state == CONFLICT and file.path not in self._known

    def _arrange_stale(self) -> bool:
        """Arrange what got files and was put off, or was left by a look that ended early."""
        has_changed = False
        for series in self._rearranging.stale():
            if self.is_stopped():
                raise Stopped
            with self.database.writing() as session:
                self.lease.keep(session)
                rearrange(session, series)
                self._note(session, BUILDING, has_changed=True, added=Counter())
            self._rearranging.done(series)
            has_changed = True
        return has_changed

    def _become(self, state: str, *, is_settling: bool = False, seen: int | None = None) -> Outcome:
        """Write the state where it is another one; `building` after a look means that the next one has work."""
        if state == READY and is_settling:
            state = BUILDING
        with self.database.writing() as session:
            self.lease.keep(session)
            has_changed = self._note(session, state, seen=seen)
        return Outcome(state, has_changed, is_settling)

    def _note(
        self,
        session: Session,
        state: str,
        *,
        seen: int | None = None,
        has_changed: bool = False,
        added: Counter[str] | None = None,
    ) -> bool:
        """Write progress; each change that a client can see gets a new generation."""
        generation = self._notes.note(
            session, state, self.progress, seen=seen, has_changed=has_changed, added=added
        )
        if generation is None:
            return False
        if self._known_generation >= 0:
            self._known_generation = generation
        event.listen(session, "after_commit", lambda _session: self.on_change(), once=True)
        return True


def _name_of(directory: DataDirectory) -> str:
    return os.fsencode(directory.path.absolute()).hex() if directory.path else ""


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
