"""Storing instances: from chunks of bytes, wherever they come from, to instances that every question finds.

A `StoreRun` receives instances one after the other into files of their own, checks each to its end, and has it on the
disk. Nothing is visible before `commit`, which gives the files their names and writes the index, in transactions of
many instances. The order of the steps: docs/decisions/0077; duplicates: docs/decisions/0078.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from imageserver.archive.files import FoundFile
from imageserver.archive.incoming import Incoming, Record
from imageserver.archive.reading import INDEXED, ReadFile, read_file
from imageserver.archive.store_folder import StoreFolder, instance_path, is_full, store_errors
from imageserver.archive.store_index import StoreIndex
from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState
from imageserver.dicom.identifiers import is_address
from imageserver.errors import AppError, Gone, StorageFull, StoreUnavailable, TooLarge

logger = logging.getLogger(__name__)

BATCH_INSTANCES = 400
# Of one run: what is known of each is held in memory until the answer, and others wait while it is written.
MOST_INSTANCES = 10_000
MOST_KEPT = 100_000  # pieces: frames of compressed pixel data come one by one
SYNCING_THREADS = 4
_UNCOUNTED = "The instance was not stored, because an earlier one met a fault of the server."


def record_nothing(_session: Session, _outcomes: Sequence[StoreOutcome]) -> None:
    """Pass over the outcomes, where nothing records them."""


@dataclass
class _Received:
    """One object as it came: either with an outcome already, or with a file that waits for `commit`."""

    outcome: StoreOutcome
    incoming: Incoming | None = None
    synced: Future[None] | None = None


class StoreRun:
    """Instances that are stored together; a context manager that leaves nothing behind.

    Parameters
    ----------
    folder : StoreFolder
        Open.
    index : StoreIndex
    file_bytes : int
        Most bytes of one object.
    """

    def __init__(self, folder: StoreFolder, index: StoreIndex, file_bytes: int) -> None:
        self._folder = folder
        self._index = index
        self._file_bytes = file_bytes
        self._received: list[_Received] = []
        self._kept: list[bytes] = []
        self._syncing = ThreadPoolExecutor(SYNCING_THREADS, thread_name_prefix="sync")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._syncing.shutdown()
        self._folder.discard(self._kept)
        self._folder.discard(one.incoming.temporary for one in self._received if one.incoming is not None)

    def receive(self, chunks: Iterable[bytes], study_instance_uid: str | None = None) -> None:
        """Take one object: a file as in PS3.10.

        Parameters
        ----------
        chunks : iterable of bytes
            The object. It is read to its end, also where it is refused; what it raises is passed on.
        study_instance_uid : str, optional
            The study that it has to belong to.

        Raises
        ------
        TooLarge
            If it has more bytes than are taken, or is one of too many; then nothing of the run can be stored.
        """
        self._check_count()
        rest = iter(chunks)
        try:
            received = self._receive(rest, study_instance_uid)
        except OSError as error:
            received = _Received(_fault(StoreOutcome(StoreState.REFUSED), error))
            for _ in rest:
                pass
        self._received.append(received)

    def refuse(
        self,
        reason: FailureReason,
        code: str,
        message: str,
        sop_class_uid: str | None = None,
        sop_instance_uid: str | None = None,
    ) -> None:
        """Note that something came that is no instance.

        Raises
        ------
        TooLarge
            If it is one of too many.
        """
        self._check_count()
        known = StoreOutcome(StoreState.REFUSED, sop_class_uid, sop_instance_uid)
        self._received.append(_Received(_refused(known, reason, code, message)))

    def keep(self, chunks: Iterable[bytes]) -> tuple[int, Callable[[], Iterator[bytes]]]:
        """Keep bytes on the disk until the run ends, for an object that is put together of them.

        Returns
        -------
        int
            How many.
        callable
            Returns them in chunks.

        Raises
        ------
        TooLarge
            If there are more than an object may have, or too many pieces.
        StoreFull, StoreUnavailable
        """
        if len(self._kept) >= MOST_KEPT:
            raise TooLarge(f"A request may have at most {MOST_KEPT} parts with bulk data.")
        size = 0
        with store_errors(), self._folder.new_file() as (path, descriptor):
            for chunk in chunks:
                size += len(chunk)
                self._check_size(size)
                self._folder.write(descriptor, chunk)
        self._kept.append(path)
        return size, lambda: self._folder.read(path)

    def _check_count(self) -> None:
        if len(self._received) >= MOST_INSTANCES:
            raise TooLarge(f"A request may have at most {MOST_INSTANCES} instances.")

    def _check_size(self, size: int) -> None:
        if size > self._file_bytes:
            raise TooLarge(f"A file may have at most {self._file_bytes} bytes here.")

    def _receive(self, chunks: Iterable[bytes], study_instance_uid: str | None) -> _Received:
        digest, size = hashlib.sha256(), 0
        with self._folder.new_file() as (path, descriptor):
            for chunk in chunks:
                size += len(chunk)
                self._check_size(size)
                digest.update(chunk)
                self._folder.write(descriptor, chunk)
            found = self._folder.found(path)
            assert found is not None
            file, outcome = self._examine(found, study_instance_uid)
            if file is None:
                self._folder.discard([path])
                return _Received(outcome)
            synced = self._syncing.submit(self._folder.make_durable, path)
            return _Received(outcome, Incoming(path, file, digest.hexdigest()), synced)

    def _examine(
        self, found: FoundFile, study_instance_uid: str | None
    ) -> tuple[ReadFile | None, StoreOutcome]:
        """Read a file that was received to its end; None where it is refused."""
        try:
            file = read_file(self._folder.files, found)
        except Gone:
            raise OSError("the file that was just written has changed") from None
        except (AppError, OSError):
            raise
        except Exception as error:  # one file must never keep the others out
            logger.error("unexpected error while reading a file", extra={"error": type(error).__name__})
            return None, _refused(
                StoreOutcome(StoreState.REFUSED),
                FailureReason.CANNOT_UNDERSTAND,
                "malformed",
                "The file cannot be read.",
            )
        instance = file.instance
        known = StoreOutcome(StoreState.STORED)
        if instance is not None:
            known = replace(
                known,
                sop_class_uid=instance.sop_class_uid if is_address(instance.sop_class_uid or "") else None,
                sop_instance_uid=instance.sop_instance_uid if instance.has_uid else None,
                study_instance_uid=instance.study["study_instance_uid"],
                series_instance_uid=instance.series["series_instance_uid"],
            )
        if file.state != INDEXED or instance is None:
            return None, _refused(
                known, FailureReason.CANNOT_UNDERSTAND, file.code or "malformed", file.reason or ""
            )
        if missing := _missing(file):
            return None, _refused(known, FailureReason.CANNOT_UNDERSTAND, "missing_uid", missing)
        if not all(is_address(text or "") for text in (instance.sop_class_uid, instance.transfer_syntax_uid)):
            # They go into the heads of answers, where any other text would break the whole of a study.
            message = "The SOP Class or the Transfer Syntax UID is none."
            return None, _refused(known, FailureReason.CANNOT_UNDERSTAND, "malformed_uid", message)
        if instance.has_other_class:
            message = "The file meta information names another SOP class than the data set."
            return None, _refused(known, FailureReason.DOES_NOT_MATCH_SOP_CLASS, "other_sop_class", message)
        if study_instance_uid not in (None, known.study_instance_uid):
            message = "The Study Instance UID is not the one of the address."
            return None, _refused(known, FailureReason.OTHER_STUDY, "other_study", message)
        path = instance_path(known.series_instance_uid or "", instance.sop_instance_uid)
        return replace(file, path=path), known

    def commit(self, record: Record = record_nothing) -> list[StoreOutcome]:
        """Make everything that was received durable and visible.

        Parameters
        ----------
        record : callable
            Called in each transaction with the outcomes that it is about; refused ones come with the first.

        Returns
        -------
        list of StoreOutcome
            In the order in which the objects were received.

        Raises
        ------
        DatabaseUnavailable, DataDirectoryUnavailable, StoreUnavailable, StorageFull
            If nothing could be stored for a reason that concerns no single instance.
        """
        self._wait_for_disk()
        waiting = [number for number, one in enumerate(self._received) if one.incoming is not None]
        refused = [one.outcome for one in self._received if one.incoming is None]
        if not waiting and refused:
            with self._index.database.writing() as session:
                record(session, refused)
        failure: AppError | None = None
        for start in range(0, len(waiting), BATCH_INSTANCES):
            numbers = waiting[start : start + BATCH_INSTANCES]
            try:
                if failure is None:
                    also, refused = refused, []
                    self._commit(numbers, record, also)
                    continue
            except (AppError, SQLAlchemyError, OSError) as error:
                failure = _as_failure(error)
                if start == 0:
                    raise failure from error
            for number in numbers:
                self._received[number].outcome = _after(failure, self._received[number].outcome)
        return [one.outcome for one in self._received]

    def _commit(self, numbers: Sequence[int], record: Record, refused: Sequence[StoreOutcome]) -> None:
        batch = [
            (one.incoming, one.outcome) for one in map(self._received.__getitem__, numbers) if one.incoming
        ]
        made = self._index.add(batch, lambda session, outcomes: record(session, [*refused, *outcomes]))
        for number, outcome in zip(numbers, made, strict=True):
            self._received[number].outcome = outcome

    def _wait_for_disk(self) -> None:
        """Refuse what the disk did not take: after an error of fsync nobody knows what is there."""
        for one in self._received:
            if one.synced is None:
                continue
            try:
                one.synced.result()
            except OSError as error:
                assert one.incoming is not None
                self._folder.discard([one.incoming.temporary])
                one.outcome, one.incoming = _fault(one.outcome, error), None


def _missing(file: ReadFile) -> str | None:
    instance = file.instance
    assert instance is not None
    if not instance.has_uid or not instance.sop_class_uid:
        return "The file does not name its SOP Class and SOP Instance UID."
    if any(warning["code"] == "derived_uid" for warning in instance.warnings):
        return "The file does not name its Study and Series Instance UID."
    return None


def _refused(known: StoreOutcome, reason: FailureReason, code: str, message: str) -> StoreOutcome:
    return replace(known, state=StoreState.REFUSED, failure_reason=reason, code=code, message=message)


def _fault(known: StoreOutcome, error: OSError) -> StoreOutcome:
    if is_full(error):
        return _refused(
            known, FailureReason.OUT_OF_RESOURCES, "storage_full", "There is no room left in the store."
        )
    message = "The store cannot be written just now."
    return _refused(known, FailureReason.PROCESSING_FAILURE, "store_unavailable", message)


def _as_failure(error: Exception) -> AppError:
    if isinstance(error, AppError):
        return error
    if isinstance(error, OSError):
        try:
            with store_errors():
                raise error
        except AppError as failure:
            return failure
    return StoreUnavailable("The index cannot be written just now.")


def _after(failure: AppError, known: StoreOutcome) -> StoreOutcome:
    is_full_now = isinstance(failure, StorageFull)
    reason = FailureReason.OUT_OF_RESOURCES if is_full_now else FailureReason.PROCESSING_FAILURE
    return _refused(known, reason, failure.code, _UNCOUNTED)
