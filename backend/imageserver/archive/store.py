"""Storing instances: from chunks of bytes, wherever they come from, to instances that every question finds.

A `StoreRun` receives instances one after the other into files of their own. While the next one comes, other threads
check each to its end and have it on the disk. Nothing is visible before `commit`, which gives the files their names and
writes the index, in transactions of many instances. The order of the steps: docs/decisions/0077; duplicates:
docs/decisions/0078.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, replace
from threading import Lock, Semaphore
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
from imageserver.dicom.limits import DEFAULT_LIMITS, MEBIBYTE, Limits
from imageserver.errors import AppError, Gone, StorageFull, StoreUnavailable, TooLarge

logger = logging.getLogger(__name__)

BATCH_INSTANCES = 400
# Of one run: what is known of each is held in memory until the answer, and others wait while it is written.
MOST_INSTANCES = 10_000
MOST_KEPT = 100_000  # pieces: frames of compressed pixel data come one by one
EXAMINED_AT_ONCE = 8  # of one run: received, and being checked and synced while the next one comes
# A deflated data set is in memory as a whole: of small ones many at once, of those up to the real limit one.
_SMALL = 16 * MEBIBYTE
_SMALL_LIMITS = replace(DEFAULT_LIMITS, inflated_floor=_SMALL, inflated_ceiling=_SMALL)
_TOO_LARGE = "too_large_inflated"
_INFLATING = Lock()
_UNCOUNTED = "The instance was not stored, because an earlier one met a fault of the server."


def record_nothing(_session: Session, _outcomes: Sequence[StoreOutcome]) -> None:
    """Pass over the outcomes, where nothing records them."""


_Unread = tuple[bytes, str, str | None]  # path, SHA-256, and the study that it has to belong to


@dataclass
class _Received:
    """One object as it came: either with an outcome already, or with a file that waits for `commit`.

    `unread` is one that inflates to much, and is checked only then.
    """

    outcome: StoreOutcome
    incoming: Incoming | None = None
    unread: _Unread | None = None


class StoreRun:
    """Instances that are stored together; a context manager that leaves nothing behind.

    Parameters
    ----------
    folder : StoreFolder
        Open.
    index : StoreIndex
    file_bytes : int
        Most bytes of one object.
    threads : Executor
        Of all runs together; they check what was received.
    """

    def __init__(self, folder: StoreFolder, index: StoreIndex, file_bytes: int, threads: Executor) -> None:
        self._folder = folder
        self._index = index
        self._file_bytes = file_bytes
        self._threads = threads
        self._examining = Semaphore(EXAMINED_AT_ONCE)
        self._received: list[Future[_Received]] = []
        self._kept: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wait(self._received)
        self._folder.discard(self._kept)
        done = [one.result() for one in self._received if one.exception() is None]
        self._folder.discard(one.incoming.temporary for one in done if one.incoming is not None)
        self._folder.discard(one.unread[0] for one in done if one.unread is not None)

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
            path, sha256 = self._receive(rest)
        except OSError as error:
            self._note(_Received(_fault(StoreOutcome(StoreState.REFUSED), error)))
            for _ in rest:
                pass
            return
        self._examining.acquire()
        finished = self._threads.submit(self._finish, (path, sha256, study_instance_uid))
        finished.add_done_callback(lambda _: self._examining.release())
        self._received.append(finished)

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
        self._note(_Received(_refused(known, reason, code, message)))

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

    def _note(self, received: _Received) -> None:
        self._received.append(_done(received))

    def _receive(self, chunks: Iterable[bytes]) -> tuple[bytes, str]:
        """Write one object down; return its path and its SHA-256."""
        digest, size = hashlib.sha256(), 0
        with self._folder.new_file() as (path, descriptor):
            for chunk in chunks:
                size += len(chunk)
                self._check_size(size)
                digest.update(chunk)
                self._folder.write(descriptor, chunk)
        return path, digest.hexdigest()

    def _finish(self, unread: _Unread, limits: Limits = _SMALL_LIMITS) -> _Received:
        """Check a file that was received, in a thread of its own, and have it on the disk; else remove it."""
        path, sha256, study_instance_uid = unread
        outcome = StoreOutcome(StoreState.REFUSED)
        try:
            with self._folder.opened(path) as (found, descriptor):
                file, outcome = self._examine(found, study_instance_uid, limits)
                if outcome.code == _TOO_LARGE and limits is _SMALL_LIMITS:
                    return _Received(outcome, unread=unread)
                if file is not None:
                    self._folder.sync(descriptor)
                    return _Received(outcome, Incoming(path, file, sha256))
        except OSError as error:  # also of fsync: nobody knows then what is on the disk
            outcome = _fault(outcome, error)
        except BaseException:
            self._folder.discard([path])
            raise
        self._folder.discard([path])
        return _Received(outcome)

    def _examine(
        self, found: FoundFile, study_instance_uid: str | None, limits: Limits
    ) -> tuple[ReadFile | None, StoreOutcome]:
        """Read a file that was received to its end; None where it is refused."""
        try:
            file = read_file(self._folder.files, found, limits)
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
            Called in each transaction with the outcomes that it is about; refused ones come with the first,
            and those of a later batch that fails in one of their own.

        Returns
        -------
        list of StoreOutcome
            In the order in which the objects were received.

        Raises
        ------
        DatabaseUnavailable, DataDirectoryUnavailable, StoreUnavailable, StorageFull
            If nothing could be stored for a reason that concerns no single instance.
        """
        self._finish_large()
        received = [one.result() for one in self._received]
        waiting = [number for number, one in enumerate(received) if one.incoming is not None]
        refused = [one.outcome for one in received if one.incoming is None]
        if not waiting and refused:
            with self._index.database.writing() as session:
                record(session, refused)
        failure: AppError | None = None
        for start in range(0, len(waiting), BATCH_INSTANCES):
            numbers = waiting[start : start + BATCH_INSTANCES]
            try:
                if failure is None:
                    also, refused = refused, []
                    self._commit([received[number] for number in numbers], record, also)
                    continue
            except (AppError, SQLAlchemyError, OSError) as error:
                failure = _as_failure(error)
                if start == 0:
                    raise failure from error
            for number in numbers:
                received[number].outcome = _after(failure, received[number].outcome)
                refused.append(received[number].outcome)
        if failure is not None and refused:
            self._record_late(record, refused)
        return [one.outcome for one in received]

    def _finish_large(self) -> None:
        """Check what inflates to much, in this thread: so it keeps no other request from being checked."""
        for number, one in enumerate(self._received):
            if (unread := one.result().unread) is not None:
                with _INFLATING:
                    self._received[number] = _done(self._finish(unread, DEFAULT_LIMITS))

    def _record_late(self, record: Record, refused: Sequence[StoreOutcome]) -> None:
        """Record what was refused after the first batch, as far as that goes: the database may be what failed."""
        try:
            with self._index.database.writing() as session:
                record(session, refused)
        except (AppError, SQLAlchemyError) as error:
            logger.warning("refused instances not recorded", extra={"error": type(error).__name__})

    def _commit(self, received: Sequence[_Received], record: Record, refused: Sequence[StoreOutcome]) -> None:
        batch = [(one.incoming, one.outcome) for one in received if one.incoming]
        made = self._index.add(batch, lambda session, outcomes: record(session, [*refused, *outcomes]))
        for one, outcome in zip(received, made, strict=True):
            one.outcome = outcome


def _done(received: _Received) -> Future[_Received]:
    done: Future[_Received] = Future()
    done.set_result(received)
    return done


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
