"""Writing what was stored into the index: the files get their names in the same transaction as their rows.

Requests that wait at the same moment are written in one transaction (docs/decisions/0086). Of many that store the same
instance one comes first, and the others find its row; the unique constraints of the tables are the last word.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.commit_groups import BUSY, CommitGroups, Take
from imageserver.archive.digests import content_digest
from imageserver.archive.files import STORE_ROOT, DataDirectory, FoundFile
from imageserver.archive.holders import find_holders
from imageserver.archive.incoming import Record, Stored
from imageserver.archive.index_transaction import index_transaction
from imageserver.archive.moving import known_files
from imageserver.archive.store_folder import StoreFolder
from imageserver.archive.store_outcomes import StoreOutcome
from imageserver.archive.store_step import UNREAD, DigestsWanted, StoreStep
from imageserver.database import Database
from imageserver.errors import AppError, DatabaseUnavailable, DataDirectoryUnavailable, Gone

logger = logging.getLogger(__name__)

ATTEMPTS = 3
TRANSACTION_INSTANCES = 400


class _Request(NamedTuple):
    """What is stored for one caller, with the checksums of the files that have its instances already."""

    batch: Sequence[Stored]
    record: Record
    digests: dict[FoundFile, str]


class StoreIndex:
    """Adds stored instances to the index.

    Parameters
    ----------
    database : Database
    directory : DataDirectory
        With the store.
    folder : StoreFolder
        Of this process, opened.
    on_alert : callable
        Told of contradicting instances, in the transaction.
    on_change : callable
        Called when the index has changed.
    on_late : callable
        Called with the ids of series that are still to be arranged.
    """

    def __init__(
        self,
        database: Database,
        directory: DataDirectory,
        folder: StoreFolder,
        on_alert: OnAlert = tell_nobody,
        on_change: Callable[[], None] = lambda: None,
        on_late: Callable[[Iterable[int]], None] = lambda _: None,
    ) -> None:
        self.database = database
        self.directory = directory
        self.folder = folder
        self.on_alert = on_alert
        self.on_change = on_change
        self.on_late = on_late
        self._groups = CommitGroups(self._write_group, TRANSACTION_INSTANCES)

    def add(self, batch: Sequence[Stored], record: Record) -> list[StoreOutcome]:
        """Store files that were received.

        Parameters
        ----------
        batch : sequence of (Incoming, StoreOutcome)
            With what is known of each.
        record : callable
            Called in the transaction with the outcomes.

        Returns
        -------
        list of StoreOutcome
            In the same order.

        Raises
        ------
        DatabaseUnavailable, StorageFull, OSError
            Then nothing of the batch is stored.
        """
        return self._groups.add(_Request(batch, record, self._hash_holders(batch)), len(batch))

    def _hash_holders(self, batch: Sequence[Stored]) -> dict[FoundFile, str]:
        """Hash what is to be compared, in the thread of who stores it: it takes long, and nobody waits for it."""
        with self.database.reading() as session:
            holders = find_holders(session, (one.sop_instance_uid for one, _ in batch))
        sizes = {(one.sop_instance_uid, one.file.identity.size) for one, _ in batch}
        unhashed = [
            holder.file
            for uid, holder in holders.items()
            if holder.sha256 is None and (uid, holder.file.identity.size) in sizes
        ]
        return {file: self._digest(file) for file in unhashed}

    def _write_group(self, take: Take[_Request]) -> list[list[StoreOutcome]]:
        for _ in range(ATTEMPTS):
            try:
                return self._write_hashed(take)
            except IntegrityError as error:  # a row that somebody else wrote at this moment
                failure = error
        if len(take()) > 1:
            raise failure
        raise DatabaseUnavailable(BUSY) from failure

    def _write_hashed(self, take: Take[_Request]) -> list[list[StoreOutcome]]:
        digests: dict[FoundFile, str] = {}
        while True:
            try:
                return self._write(take, digests)
            except DigestsWanted as wanted:  # of files that came meanwhile; the index is not held for it
                digests.update({file: self._digest(file) for file in wanted.files})

    def _digest(self, file: FoundFile) -> str:
        try:
            return content_digest(self.directory, file)
        except (Gone, DataDirectoryUnavailable):
            return UNREAD  # whether it is the same cannot be told; the next look at the folder will

    def _write(self, take: Take[_Request], digests: dict[FoundFile, str]) -> list[list[StoreOutcome]]:
        step = StoreStep(self.folder, self.directory, digests)
        try:
            with index_transaction(self.database) as session:
                requests = take()
                for request in requests:
                    digests.update(request.digests)
                outcomes = self._write_rows(session, step, requests)
        except Exception:
            self._settle(step.placed)  # the commit failed, or its answer was lost
            raise
        self._follow_up(step)
        return outcomes

    def _follow_up(self, step: StoreStep) -> None:
        """Do what a commit asks for; what is stored is stored, whatever fails here."""
        works: list[Callable[[], None]] = [self.on_change]
        if step.late:
            works.append(lambda: self.on_late(step.late))
        works.append(lambda: self.folder.discard(one.trash_path for one in step.restored))
        for work in works:
            try:
                work()
            except Exception as error:
                logger.error("unexpected error after storing", extra={"error": type(error).__name__})

    def _write_rows(
        self, session: Session, step: StoreStep, requests: Sequence[_Request]
    ) -> list[list[StoreOutcome]]:
        """Write what is stored, and let each caller record what became of their own."""
        try:
            step.write(session, [one for request in requests for one in request.batch], self.on_alert)
            outcomes = iter(step.outcomes)
            found = [list(islice(outcomes, len(request.batch))) for request in requests]
            for request, own in zip(requests, found, strict=True):
                request.record(session, own)
        except BaseException:
            self.folder.discard(step.placed)
            step.placed.clear()
            raise
        return found

    def _settle(self, placed: Sequence[bytes]) -> None:
        """Remove files without rows after a commit of which nobody knows whether it happened."""
        if not placed:
            return
        try:
            with index_transaction(self.database) as session:
                known = {file.path for file in known_files(session, [STORE_ROOT + path for path in placed])}
                self.folder.discard(path for path in placed if STORE_ROOT + path not in known)
        except AppError:
            return  # the next look finds them
