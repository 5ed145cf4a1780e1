"""What one transaction stores: which files are new, which are there already, and which contradict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, alert
from imageserver.archive.checksums import INTEGRITY_MISMATCH
from imageserver.archive.chunks import chunks
from imageserver.archive.deletions import DeletedInstance, find_deleted_uids, forget_deletions
from imageserver.archive.files import STORE_ROOT, UNREADABLE, DataDirectory, FoundFile
from imageserver.archive.holders import Holder, find_holders
from imageserver.archive.incoming import Incoming, Stored
from imageserver.archive.index_transaction import note_change
from imageserver.archive.store_folder import INCOMING, StoreFolder, quarantine_path
from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState
from imageserver.archive.storing import Known, add_files, find_known, series_of
from imageserver.archive.summaries import SOP_CONFLICT, rearrange, write_entries_of_studies
from imageserver.database import Base
from imageserver.errors import DataDirectoryUnavailable, Gone

SMALL_SERIES = 8  # instances: arranged at once, whatever came; larger ones when they have doubled
CONFLICT = "conflict"
CONFLICT_MESSAGE = "Another file has this SOP Instance UID, and other content; that one stays."
OTHER_STUDY = "series_of_other_study"
OTHER_STUDY_MESSAGE = "The series of this instance belongs to another study here."
UNREADABLE_MESSAGE = "The copy of this instance that is here cannot be read just now; send it again later."
DAMAGED_MESSAGE = "The copy of this instance that is here is damaged; once it is deleted, this one is taken."
UNREAD = "unread"  # in place of a checksum

_SERIES, _HEADERS = Base.metadata.tables["series"], Base.metadata.tables["series_headers"]
_INSTANCES = Base.metadata.tables["instances"]
_present = select(func.count()).where(_INSTANCES.c.series_id == _SERIES.c.id).scalar_subquery()
# How many instances a series had when it was arranged, how many there are, and whether that is noted.
_GROWTH = (
    select(_SERIES.c.id, _HEADERS.c.instance_count, _present, _SERIES.c.is_stale)
    .join(_HEADERS, _HEADERS.c.series_id == _SERIES.c.id)
    .where(_SERIES.c.id.in_(bindparam("ids", expanding=True)))
)
_BECOME_STALE = (
    update(_SERIES).where(_SERIES.c.id.in_(bindparam("ids", expanding=True))).values(is_stale=True)
)


class DigestsWanted(Exception):
    """Files are to be hashed before it can be told whether what came is the same."""

    def __init__(self, files: Sequence[FoundFile]) -> None:
        super().__init__()
        self.files = files


class StoreStep:
    """The files of one transaction.

    Parameters
    ----------
    folder : StoreFolder
    directory : DataDirectory
    digests : dict of FoundFile to str
        The checksums of files that were hashed for it; `UNREAD` where that failed.

    Attributes
    ----------
    outcomes : list of StoreOutcome
        Of the batch, in its order.
    placed : list of bytes
        The files that got their names; they are to be removed if the transaction fails.
    restored : list of DeletedInstance
        Whose deletions were taken back; what is in the trash of them can go.
    late : set of int
        The series that are to be arranged later.
    """

    def __init__(
        self, folder: StoreFolder, directory: DataDirectory, digests: Mapping[FoundFile, str]
    ) -> None:
        self.folder = folder
        self.directory = directory
        self.outcomes: list[StoreOutcome] = []
        self.placed: list[bytes] = []
        self.restored: list[DeletedInstance] = []
        self.late: set[int] = set()
        self._batch: Sequence[Stored] = ()
        self._digests = digests
        self._holders: dict[str, Holder] = {}

    def _compare(self, session: Session) -> dict[str, str]:
        """Return the checksums of the instances that are there already, by UID; empty for other sizes."""
        sizes: dict[str, set[int]] = {}
        for one, _ in self._batch:
            sizes.setdefault(one.sop_instance_uid, set()).add(one.file.identity.size)
        self._holders = find_holders(session, sizes)
        found = {}
        unhashed = []
        for uid, holder in self._holders.items():
            if holder.file.identity.size not in sizes[uid]:
                found[uid] = ""
            elif (digest := holder.sha256 or self._digests.get(holder.file)) is not None:
                found[uid] = digest
            else:
                unhashed.append(holder.file)
        if unhashed:
            raise DigestsWanted(unhashed)
        return found

    def write(self, session: Session, batch: Sequence[Stored], on_alert: OnAlert) -> None:
        """Decide about each file, name the new ones, and write their rows.

        Raises
        ------
        DigestsWanted
            Before anything was written.
        OSError
            Of the folder.
        """
        self._batch = batch
        digests = self._compare(session)
        known = find_known(session, {one.series_instance_uid for one, _ in self._batch})
        studies = {uid: row.study_instance_uid for uid, row in known.items()}
        new: dict[str, Incoming] = {}
        self.outcomes, contradicting = [], []
        for one, outcome in self._batch:
            digest = digests.get(one.sop_instance_uid)
            if digest is None:
                study = studies.setdefault(one.series_instance_uid, one.study_instance_uid)
                if study != one.study_instance_uid:
                    self.outcomes.append(_other_study(outcome))
                    continue
                digests[one.sop_instance_uid] = one.sha256
                new[one.sop_instance_uid] = one
            elif digest in (one.sha256, UNREAD):
                outcome = self._duplicate(one, digest, outcome)
            else:
                contradicting.append(one)
                outcome = _conflict(outcome)
            self.outcomes.append(outcome)
        for one in self._place(new):
            contradicting.append(one)
            del digests[one.sop_instance_uid]  # it is not stored, and so stays deleted
        self._quarantine(session, contradicting, on_alert)
        self._forget_deletions(session, {uid: digest for uid, digest in digests.items() if digest})
        if new:
            self._add_rows(session, list(new.values()), known)
            note_change(session, added=len(new))

    def _duplicate(self, one: Incoming, digest: str, outcome: StoreOutcome) -> StoreOutcome:
        """Acknowledge what is there already; only if it is really there, because who sent it may delete it then."""
        holder = self._holders.get(one.sop_instance_uid)
        if holder is None:  # the first one comes with this transaction
            return replace(outcome, state=StoreState.DUPLICATE)
        if holder.is_damaged:
            return _fault(outcome, INTEGRITY_MISMATCH, DAMAGED_MESSAGE)
        try:
            self.directory.check(*holder.file)
        except (Gone, DataDirectoryUnavailable):
            return _fault(outcome, UNREADABLE, UNREADABLE_MESSAGE)
        if digest == UNREAD:
            return _fault(outcome, UNREADABLE, UNREADABLE_MESSAGE)
        return replace(outcome, state=StoreState.DUPLICATE)

    def _place(self, new: dict[str, Incoming]) -> list[Incoming]:
        """Give new files their names; return those whose place holds other bytes, which no row describes yet."""
        folder = self.folder
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
        for number, (one, outcome) in enumerate(self._batch):  # those too that came twice
            if one.sop_instance_uid in refused:
                self.outcomes[number] = _conflict(outcome)
        return other

    def _quarantine(self, session: Session, contradicting: Sequence[Incoming], on_alert: OnAlert) -> None:
        """Keep files that contradict an instance for an administrator, and raise an alert."""
        received = [one for one in contradicting if one.temporary.startswith(INCOMING)]
        if not received:
            return
        self.folder.place(
            (one.temporary, quarantine_path(one.sop_instance_uid, one.sha256)) for one in received
        )
        shown = series_of(session, [one.sop_instance_uid for one in received])
        alert(session, on_alert, SOP_CONFLICT, shown)

    def _forget_deletions(self, session: Session, digests: dict[str, str]) -> None:
        """Take deletions back whose very bytes are there again."""
        deleted = find_deleted_uids(session, digests)
        self.restored = [
            one for one in deleted if one.trash is not None and one.sha256 == digests[one.sop_instance_uid]
        ]
        forget_deletions(session, self.restored)

    def _add_rows(self, session: Session, new: Sequence[Incoming], known: Known) -> None:
        files = [replace(one.file, path=STORE_ROOT + one.file.path) for one in new]
        checksums = {file.path: one.sha256 for file, one in zip(files, new, strict=True)}
        added = add_files(session, files, known, checksums)
        grown = added.counts.keys() - added.whole.keys()
        later = _find_late(session, grown)
        rearrange(session, added.counts.keys() - later, added.whole)
        self.late.update(later)
        write_entries_of_studies(session, added.completed)


def _find_late(session: Session, series_ids: Iterable[int]) -> set[int]:
    """Return the series that are not arranged before no more comes, and note that they are stale."""
    later: set[int] = set()
    noted: set[int] = set()
    for ids in chunks(sorted(series_ids)):
        for series_id, arranged, present, is_stale in session.execute(_GROWTH, {"ids": ids}):
            if SMALL_SERIES < present < 2 * arranged:
                later.add(series_id)
                noted.update([series_id] if is_stale else [])
    for ids in chunks(sorted(later - noted)):
        session.execute(_BECOME_STALE, {"ids": ids})
    return later


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
