"""Writing what was stored into the index: the files get their names in the same transaction as their rows.

Of many requests that store the same instance one comes first, and the others find its row; the unique constraints of
the tables are the last word.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, alert, tell_nobody
from imageserver.archive.checksums import INTEGRITY_MISMATCH
from imageserver.archive.chunks import chunks
from imageserver.archive.deletions import DeletedInstance, find_deleted_uids, forget_deletions
from imageserver.archive.digests import content_digest
from imageserver.archive.files import STORE_ROOT, UNREADABLE, DataDirectory, FileIdentity, FoundFile
from imageserver.archive.index_transaction import index_transaction, note_change
from imageserver.archive.models import File, Instance, Series, SeriesHeader, Study
from imageserver.archive.moving import known_files
from imageserver.archive.reading import ReadFile
from imageserver.archive.store_folder import INCOMING, StoreFolder, quarantine_path
from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState
from imageserver.archive.storing import add_files, path_digest, series_of
from imageserver.archive.summaries import SOP_CONFLICT, rearrange, write_entries_of_studies
from imageserver.database import Base, Database
from imageserver.errors import AppError, DatabaseUnavailable, DataDirectoryUnavailable, Gone

_FILES = Base.metadata.tables["files"]
ATTEMPTS = 3
SMALL_SERIES = 8  # instances: arranged at once, whatever came; larger ones when they have doubled
CONFLICT = "conflict"
CONFLICT_MESSAGE = "Another file has this SOP Instance UID, and other content; that one stays."
OTHER_STUDY = "series_of_other_study"
OTHER_STUDY_MESSAGE = "The series of this instance belongs to another study here."
UNREADABLE_MESSAGE = "The copy of this instance that is here cannot be read just now; send it again later."
DAMAGED_MESSAGE = "The copy of this instance that is here is damaged; once it is deleted, this one is taken."
UNREAD = "unread"  # in place of a checksum

Record = Callable[[Session, Sequence[StoreOutcome]], None]


class Incoming(NamedTuple):
    """A file that was received, checked, and is on the disk.

    Attributes
    ----------
    temporary : bytes
        Its path in the store for now.
    file : ReadFile
        What it says; its path is the one that it is to get in the store.
    sha256 : str
    """

    temporary: bytes
    file: ReadFile
    sha256: str

    @property
    def sop_instance_uid(self) -> str:
        """The UID that it is known by."""
        assert self.file.instance is not None
        return self.file.instance.sop_instance_uid

    @property
    def series_instance_uid(self) -> str:
        """The series that it says it belongs to."""
        assert self.file.instance is not None
        return str(self.file.instance.series["series_instance_uid"])

    @property
    def study_instance_uid(self) -> str:
        """The study that it says it belongs to."""
        assert self.file.instance is not None
        return str(self.file.instance.study["study_instance_uid"])


Stored = tuple[Incoming, StoreOutcome]


class _Holder(NamedTuple):
    """The file that has a SOP Instance UID; the checksum is None where it has not been taken."""

    file: FoundFile
    sha256: str | None
    is_damaged: bool


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
        step = _Step(self, batch)
        with self.database.reading() as session:  # hashing takes long: as much as can be is done beforehand
            step.compare(session)
        try:
            with index_transaction(self.database) as session:
                try:
                    step.write(session)
                    record(session, step.outcomes)
                except BaseException:
                    self.folder.discard(step.placed)
                    step.placed.clear()
                    raise
        except Exception:
            self._settle(step.placed)  # the commit failed, or its answer was lost
            raise
        self.on_change()
        if step.late:
            self.on_late(step.late)
        self.folder.discard(one.trash_path for one in step.restored)
        return step.outcomes

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


class _Step:
    """One transaction: what is new, what is there already, what contradicts."""

    def __init__(self, store: StoreIndex, batch: Sequence[Stored]) -> None:
        self.store = store
        self.batch = batch
        self.outcomes: list[StoreOutcome] = []
        self.placed: list[bytes] = []
        self.restored: list[DeletedInstance] = []
        self.late: set[int] = set()
        self._digests: dict[FoundFile, str] = {}
        self._holders: dict[str, _Holder] = {}

    def compare(self, session: Session) -> dict[str, str]:
        """Return the checksums of the instances that are there already, by UID; empty for other sizes."""
        sizes: dict[str, set[int]] = {}
        for one, _ in self.batch:
            sizes.setdefault(one.sop_instance_uid, set()).add(one.file.identity.size)
        found = {}
        self._holders = find_holders(session, sizes)
        for uid, holder in self._holders.items():
            if holder.file.identity.size not in sizes[uid]:
                found[uid] = ""
            else:
                found[uid] = holder.sha256 or self._digest(holder.file)
        return found

    def _digest(self, file: FoundFile) -> str:
        if file not in self._digests:
            try:
                self._digests[file] = content_digest(self.store.directory, file)
            except (Gone, DataDirectoryUnavailable):
                return UNREAD  # whether it is the same cannot be told; the next look at the folder will
        return self._digests[file]

    def write(self, session: Session) -> None:
        """Decide about each file, name the new ones, and write their rows."""
        known = self.compare(session)
        studies = find_studies(session, {one.series_instance_uid for one, _ in self.batch})
        new: dict[str, Incoming] = {}
        self.outcomes, contradicting = [], []
        for one, outcome in self.batch:
            digest = known.get(one.sop_instance_uid)
            if digest is None:
                study = studies.setdefault(one.series_instance_uid, one.study_instance_uid)
                if study != one.study_instance_uid:
                    self.outcomes.append(_other_study(outcome))
                    continue
                known[one.sop_instance_uid] = one.sha256
                new[one.sop_instance_uid] = one
            elif digest in (one.sha256, UNREAD):
                outcome = self._duplicate(one, digest, outcome)
            else:
                contradicting.append(one)
                outcome = _conflict(outcome)
            self.outcomes.append(outcome)
        contradicting += self._place(new)
        self._quarantine(session, contradicting)
        self._forget_deletions(session, {uid: digest for uid, digest in known.items() if digest})
        if new:
            self._add_rows(session, list(new.values()))
            note_change(session, added=len(new))

    def _duplicate(self, one: Incoming, digest: str, outcome: StoreOutcome) -> StoreOutcome:
        """Acknowledge what is there already; only if it is really there, because who sent it may delete it then."""
        holder = self._holders.get(one.sop_instance_uid)
        if holder is None:  # the first one came with this request
            return replace(outcome, state=StoreState.DUPLICATE)
        if holder.is_damaged:
            return _fault(outcome, INTEGRITY_MISMATCH, DAMAGED_MESSAGE)
        try:
            self.store.directory.check(*holder.file)
        except (Gone, DataDirectoryUnavailable):
            return _fault(outcome, UNREADABLE, UNREADABLE_MESSAGE)
        if digest == UNREAD:
            return _fault(outcome, UNREADABLE, UNREADABLE_MESSAGE)
        return replace(outcome, state=StoreState.DUPLICATE)

    def _place(self, new: dict[str, Incoming]) -> list[Incoming]:
        """Give new files their names; return those whose place holds other bytes, which no row describes yet."""
        folder = self.store.folder
        taken = set(folder.place((one.temporary, one.file.path) for one in new.values()))
        self.placed += [one.file.path for one in new.values() if one.file.path not in taken]
        other = []
        for uid, one in list(new.items()):
            if one.file.path not in taken:
                continue
            found = folder.found(one.file.path)
            if found is not None and folder.digest(one.file.path) == one.sha256:
                folder.make_durable(one.file.path)
                new[uid] = one._replace(file=replace(one.file, identity=found.identity))
            else:
                other.append(new.pop(uid))
        refused = {one.sop_instance_uid for one in other}
        for number, (one, outcome) in enumerate(self.batch):  # those too that came twice
            if one.sop_instance_uid in refused:
                self.outcomes[number] = _conflict(outcome)
        return other

    def _quarantine(self, session: Session, contradicting: Sequence[Incoming]) -> None:
        """Keep files that contradict an instance for an administrator, and raise an alert."""
        received = [one for one in contradicting if one.temporary.startswith(INCOMING)]
        if not received:
            return
        self.store.folder.place(
            (one.temporary, quarantine_path(one.sop_instance_uid, one.sha256)) for one in received
        )
        shown = series_of(session, [one.sop_instance_uid for one in received])
        alert(session, self.store.on_alert, SOP_CONFLICT, shown)

    def _forget_deletions(self, session: Session, digests: dict[str, str]) -> None:
        """Take deletions back whose very bytes are there again."""
        deleted = find_deleted_uids(session, digests)
        self.restored = [
            one for one in deleted if one.trash is not None and one.sha256 == digests[one.sop_instance_uid]
        ]
        forget_deletions(session, self.restored)

    def _add_rows(self, session: Session, new: Sequence[Incoming]) -> None:
        files = [replace(one.file, path=STORE_ROOT + one.file.path) for one in new]
        added = add_files(session, files)
        keep_new_checksums(
            session, zip((file.path for file in files), (one.sha256 for one in new), strict=True)
        )
        now, later = _divide(session, added.counts)
        rearrange(session, now, added.whole)
        if later:
            session.execute(update(Series).where(Series.id.in_(later)).values(is_stale=True))
            self.late.update(later)
        write_entries_of_studies(session, added.completed)


def find_holders(session: Session, sop_instance_uids: Iterable[str]) -> dict[str, _Holder]:
    """Look up the files of instances by their UIDs."""
    columns = (
        Instance.sop_instance_uid, File.path, File.size, File.mtime_ns, File.inode, File.sha256, File.code,
    )  # fmt: skip
    statement = select(*columns).join(File, File.instance_id == Instance.id)
    found: dict[str, _Holder] = {}
    for uids in chunks(sorted(set(sop_instance_uids))):
        for row in session.execute(statement.where(Instance.sop_instance_uid.in_(uids))):
            file = FoundFile(row[1], FileIdentity(*row[2:5]))
            found[row[0]] = _Holder(file, row[5], row[6] == INTEGRITY_MISMATCH)
    return found


def has_stored_files(session: Session) -> bool:
    """Tell whether the index has files of the store."""
    is_stored = File.path.between(STORE_ROOT, STORE_ROOT + b"\xff")
    return session.scalars(select(File.id).where(is_stored).limit(1)).first() is not None


def find_studies(session: Session, series_instance_uids: Iterable[str]) -> dict[str, str]:
    """Look up the Study Instance UIDs of series by their UIDs."""
    statement = select(Series.series_instance_uid, Study.study_instance_uid).join(
        Study, Series.study_id == Study.id
    )
    found: dict[str, str] = {}
    for uids in chunks(sorted(series_instance_uids)):
        rows = session.execute(statement.where(Series.series_instance_uid.in_(uids)))
        found.update({row[0]: row[1] for row in rows})
    return found


def keep_new_checksums(session: Session, checksums: Iterable[tuple[bytes, str]]) -> None:
    """Note the checksums of files that were computed while they were received."""
    ids: dict[str, int] = {}
    wanted = {path_digest(path): sha256 for path, sha256 in checksums}
    for digests in chunks(list(wanted)):
        found = session.execute(select(File.path_digest, File.id).where(File.path_digest.in_(digests)))
        ids.update({row[0]: row[1] for row in found})
    rows: list[dict[str, Any]] = [{"at": ids[key], "sha256": sha256} for key, sha256 in wanted.items()]
    # The table, not the class, which takes ten times as long.
    session.connection().execute(update(_FILES).where(_FILES.c.id == bindparam("at")), rows)


def _divide(session: Session, counts: dict[int, int]) -> tuple[set[int], set[int]]:
    """Divide series that grew into those that are arranged at once, and those that wait until no more comes."""
    later: set[int] = set()
    for ids in chunks(sorted(series_id for series_id, count in counts.items() if count)):
        arranged = select(SeriesHeader.series_id, SeriesHeader.instance_count)
        known = {row[0]: row[1] for row in session.execute(arranged.where(SeriesHeader.series_id.in_(ids)))}
        statement = select(Instance.series_id, func.count()).where(Instance.series_id.in_(ids))
        for series_id, present in session.execute(statement.group_by(Instance.series_id)):
            if SMALL_SERIES < present < 2 * known.get(series_id, 0):
                later.add(series_id)
    return set(counts) - later, later


def _conflict(outcome: StoreOutcome) -> StoreOutcome:
    return replace(
        outcome,
        state=StoreState.REFUSED,
        failure_reason=FailureReason.DUPLICATE_INSTANCE,
        code=CONFLICT,
        message=CONFLICT_MESSAGE,
    )


def _fault(outcome: StoreOutcome, code: str, message: str) -> StoreOutcome:
    return replace(
        outcome,
        state=StoreState.REFUSED,
        failure_reason=FailureReason.PROCESSING_FAILURE,
        code=code,
        message=message,
    )


def _other_study(outcome: StoreOutcome) -> StoreOutcome:
    """Refuse what would be filed under a study, and so perhaps a patient, that is not its own."""
    return replace(
        outcome,
        state=StoreState.REFUSED,
        failure_reason=FailureReason.OTHER_STUDY,
        code=OTHER_STUDY,
        message=OTHER_STUDY_MESSAGE,
    )
