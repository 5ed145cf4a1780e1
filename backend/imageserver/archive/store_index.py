"""Writing what was stored into the index: the files get their names in the same transaction as their rows.

Of many requests that store the same instance one comes first, and the others find its row; the unique constraints of
the tables are the last word.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.digests import content_digest
from imageserver.archive.files import STORE_ROOT, DataDirectory, FoundFile
from imageserver.archive.incoming import Record, Stored
from imageserver.archive.index_transaction import index_transaction
from imageserver.archive.moving import known_files
from imageserver.archive.store_folder import StoreFolder
from imageserver.archive.store_outcomes import StoreOutcome
from imageserver.archive.store_step import UNREAD, DigestsWanted, StoreStep
from imageserver.database import Database
from imageserver.errors import AppError, DatabaseUnavailable, DataDirectoryUnavailable, Gone

ATTEMPTS = 3


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
        for attempt in range(ATTEMPTS):
            try:
                return self._add(batch, record)
            except IntegrityError as error:  # a row that somebody else wrote at this moment
                if attempt + 1 == ATTEMPTS:
                    raise DatabaseUnavailable("The index is busy; try again in a moment.") from error
        raise AssertionError

    def _add(self, batch: Sequence[Stored], record: Record) -> list[StoreOutcome]:
        digests: dict[FoundFile, str] = {}
        while True:
            step = StoreStep(self.folder, self.directory, batch, digests)
            try:
                return self._write(step, record)
            except DigestsWanted as wanted:  # hashing takes long, and the index is not held for it
                digests.update({file: self._digest(file) for file in wanted.files})

    def _digest(self, file: FoundFile) -> str:
        try:
            return content_digest(self.directory, file)
        except (Gone, DataDirectoryUnavailable):
            return UNREAD  # whether it is the same cannot be told; the next look at the folder will

    def _write(self, step: StoreStep, record: Record) -> list[StoreOutcome]:
        try:
            with index_transaction(self.database) as session:
                self._write_rows(session, step, record)
        except Exception:
            self._settle(step.placed)  # the commit failed, or its answer was lost
            raise
        self.on_change()
        if step.late:
            self.on_late(step.late)
        self.folder.discard(one.trash_path for one in step.restored)
        return step.outcomes

    def _write_rows(self, session: Session, step: StoreStep, record: Record) -> None:
        try:
            step.write(session, self.on_alert)
            record(session, step.outcomes)
        except BaseException:
            self.folder.discard(step.placed)
            step.placed.clear()
            raise

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
