"""Writing what a look at the folder found, in transactions that hold the lease; and what the index is known to have.

Only one process per database may write the index at a time: the caller holds the lease.
"""

import functools
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, alert, tell_nobody
from imageserver.archive.checksums import checksums_of, find_stale, keep_checksums
from imageserver.archive.deletions import hide_deleted
from imageserver.archive.digests import DigestOf, content_digest
from imageserver.archive.duplicates import find_holders, settle_duplicates
from imageserver.archive.files import STORE_ROOT, DataDirectory, FileIdentity
from imageserver.archive.index_state import BUILDING, READY, StateNotes
from imageserver.archive.lease import Lease
from imageserver.archive.models import INDEX_STATE_ID, File, IndexState
from imageserver.archive.moving import Move, known_files, store_moves
from imageserver.archive.progress import Progress
from imageserver.archive.reading import CONFLICT, ReadFile
from imageserver.archive.rearranging import Rearranging
from imageserver.archive.storing import add_files, forget_everything, remove_files, series_of
from imageserver.archive.summaries import SOP_CONFLICT, rearrange, write_entries_of_studies
from imageserver.database import Database


class Outcome(NamedTuple):
    """What one look has done."""

    state: str
    has_changed: bool
    is_settling: bool


class IndexWriter:
    """Writes the index, a transaction for each thing that happened.

    Attributes
    ----------
    known : dict of bytes to FileIdentity
        The paths that the index has.
    stale : dict of bytes to bool
        Those that were read by former rules, and whether they hold an instance.
    progress : Progress
        Of the present look.
    """

    def __init__(
        self, database: Database, directory: DataDirectory, lease: Lease, on_change: Callable[[], None]
    ) -> None:
        self.database = database
        self.directory = directory
        self.lease = lease
        self.on_change = on_change
        self.on_alert: OnAlert = tell_nobody
        self.progress = Progress()
        self.known: dict[bytes, FileIdentity] = {}
        self.stale: dict[bytes, bool] = {}
        self.rearranging = Rearranging()
        self.directory_name = _name_of(directory)
        self._notes = StateNotes(self.directory_name)
        self._known_generation = -1

    @property
    def is_current(self) -> bool:
        """Whether `known` is what the index has."""
        return self._known_generation >= 0

    def forget_known(self) -> None:
        """Let the next `load` read from the database what the index has."""
        self._known_generation = -1

    def keep_lease(self) -> None:
        """Renew the lease while nothing is written."""
        with self.database.writing() as session:
            self.lease.keep(session)

    def load(self) -> None:
        """Find out what the index has, where another process may have changed it."""
        with self.database.writing() as session:
            self.lease.keep(session)
            generation = session.get_one(IndexState, INDEX_STATE_ID).generation
            if generation == self._known_generation:
                return
            rows = session.execute(select(File.path, File.size, File.mtime_ns, File.inode))
            self.known = {row[0]: FileIdentity(*row[1:]) for row in rows}
            self._known_generation = generation
            self.stale = find_stale(session)
            self.rearranging.load(session)

    def forget(self) -> None:
        """Empty the index."""
        with self.database.writing() as session:
            self.lease.keep(session)
            forget_everything(session)
            self._note(session, BUILDING, has_changed=True)
        self.known.clear()

    def remove(self, paths: Sequence[bytes]) -> bool:
        """Remove the rows of files that are gone, not those that were stored at their paths since; always true."""
        with self.database.writing() as session:
            self.lease.keep(session)
            former = [
                row.path for row in known_files(session, paths) if row.identity == self.known.get(row.path)
            ]
            series, has_successors = remove_files(session, former)
            rearrange(session, series)
            self._note(session, BUILDING, has_changed=True)
        for path in paths:
            self.known.pop(path, None)
        if has_successors:
            self.forget_known()
            self.load()
        return True

    def move(self, moves: Sequence[Move], occupied: Sequence[bytes]) -> None:
        """Let rows follow their files to other paths; what was at those is removed."""
        with self.database.writing() as session:
            self.lease.keep(session)
            series, _ = remove_files(session, occupied)
            store_moves(session, moves)
            rearrange(session, series)
            self._note(session, BUILDING, has_changed=True)
        self.forget_known()
        self.load()

    def store(self, files: Sequence[ReadFile]) -> None:
        """Write what was read of files."""
        if not files:  # reading takes long: the lease must not run out
            self.keep_lease()
            return
        changed = [file.path for file in files if file.path in self.known]
        # Hashing takes long: what was hashed before is not hashed again while the index is held.
        digest_of = functools.cache(functools.partial(content_digest, self.directory))
        with self.database.reading() as session:
            generation = session.get_one(IndexState, INDEX_STATE_ID).generation
            settled = self._settle(session, files, set(changed), digest_of)
        with self.database.writing() as session:
            self.lease.keep(session)
            has_changed = generation != session.get_one(IndexState, INDEX_STATE_ID).generation
            if has_changed:  # a client stored or deleted something
                settled = self._settle(session, files, set(changed), digest_of)
            if not settled:
                return
            checksums = checksums_of(session, changed)
            series, has_successors = remove_files(session, changed)
            added = add_files(session, settled)
            keep_checksums(session, checksums)
            growing = self.rearranging.choose(session, added.counts)
            rearrange(session, series | growing, added.whole)
            write_entries_of_studies(session, added.completed)
            self.rearranging.done(series)
            if contested := [file.declared_uid for file in settled if self._is_new_conflict(file)]:
                alert(session, self.on_alert, SOP_CONFLICT, series_of(session, contested))
            states = None if changed else Counter(file.state for file in settled)
            self._note(session, BUILDING, has_changed=True, added=states)
        self.known.update({file.path: file.identity for file in settled})
        for file in settled:
            self.stale.pop(file.path, None)
        if has_successors:
            self._known_generation = -1

    def _settle(
        self, session: Session, files: Sequence[ReadFile], changed: set[bytes], digest_of: DigestOf
    ) -> list[ReadFile]:
        """Decide which files are instances; without those of the store whose rows were written by who stored them."""
        stored = [
            file.path for file in files if file.path.startswith(STORE_ROOT) and file.path not in changed
        ]
        known = {file.path for file in known_files(session, stored)}
        files = [file for file in files if file.path not in known]
        files = hide_deleted(session, files, self.directory, digest_of)
        return settle_duplicates(digest_of, files, find_holders(session, files, changed))

    def _is_new_conflict(self, file: ReadFile) -> bool:
        return file.state == CONFLICT and file.path not in self.known

    def arrange(self, series: set[int]) -> None:
        """Arrange what got files and was put off, or was left by a look that ended early."""
        with self.database.writing() as session:
            self.lease.keep(session)
            rearrange(session, series)
            self._note(session, BUILDING, has_changed=True, added=Counter())
        self.rearranging.done(series)

    def become(self, state: str, *, is_settling: bool = False, seen: int | None = None) -> Outcome:
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
        # Another number than the next one: a client stored or deleted something meanwhile.
        is_current = self._known_generation >= 0 and generation == self._known_generation + 1
        self._known_generation = generation if is_current else -1
        event.listen(session, "after_commit", lambda _session: self.on_change(), once=True)
        return True


def _name_of(directory: DataDirectory) -> str:
    return os.fsencode(directory.path.absolute()).hex() if directory.path else ""
