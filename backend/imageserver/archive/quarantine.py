"""Files that were sent under the SOP Instance UID of an instance with other bytes, for an administrator to settle.

The first one stays; each later one lies here (docs/decisions/0078). It takes the place only when that is free: the
instance was deleted first, and can be restored for a while, so that nothing is lost on the way.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.orm import Session

from imageserver.archive.holders import find_holders
from imageserver.archive.incoming import Incoming
from imageserver.archive.reading import INDEXED, ReadFile, read_file
from imageserver.archive.store_folder import QUARANTINE, StoreFolder, instance_path, store_errors
from imageserver.archive.store_index import StoreIndex
from imageserver.archive.store_outcomes import StoreOutcome, StoreState
from imageserver.errors import Gone, InstanceNotFound, StoreUnavailable


class NotReleased(InstanceNotFound):
    """The file cannot become the instance; the message says why."""


class QuarantinedFile(NamedTuple):
    """One file in the quarantine.

    Attributes
    ----------
    name : str
        Of the file, by which commands name it.
    study_instance_uid, series_instance_uid, sop_instance_uid : str or None
        As the file says; None where it cannot be read.
    size : int
        In bytes.
    received_at : float
        When it came, in seconds since 1970.
    is_contradicting : bool
        Whether another file still has its UID; otherwise it can be released.
    """

    name: str
    study_instance_uid: str | None
    series_instance_uid: str | None
    sop_instance_uid: str | None
    size: int
    received_at: float
    is_contradicting: bool


# Called with the transaction, and what is settled in it.
RecordSettled = Callable[[Session, QuarantinedFile], None]


class Quarantine:
    """The quarantine of a store.

    Parameters
    ----------
    folder : StoreFolder
        Opened.
    index : StoreIndex
    """

    def __init__(self, folder: StoreFolder, index: StoreIndex) -> None:
        self.folder = folder
        self.index = index

    def find(self) -> list[QuarantinedFile]:
        """List what there is, by name; the files of one instance stand together."""
        read = [file for name in self.folder.names(QUARANTINE) if (file := self._read(name)) is not None]
        uids = [file.instance.sop_instance_uid for file in read if file.instance is not None]
        with self.index.database.reading() as session:
            held = find_holders(session, uids).keys()
        return [_describe(file, held) for file in read]

    def _read(self, name: bytes) -> ReadFile | None:
        found = self.folder.found(QUARANTINE + b"/" + name)
        try:
            return None if found is None else read_file(self.folder.files, found)
        except Gone:  # settled meanwhile
            return None

    def release(self, one: QuarantinedFile, record: RecordSettled) -> None:
        """Make a file the instance that it says it is.

        Raises
        ------
        NotReleased
            If another instance has its UID, or another study its series, or the file is damaged.
        StoreUnavailable, DatabaseUnavailable, StorageFull
        """
        path = _path(one)
        file = self._read(os.fsencode(one.name))
        if file is None or file.state != INDEXED or file.instance is None:
            raise NotReleased("The file is not in the quarantine any more, or is damaged.")
        instance = file.instance
        target = instance_path(instance.series["series_instance_uid"], instance.sop_instance_uid)
        incoming = Incoming(path, replace(file, path=target), self.folder.digest(path))
        known = StoreOutcome(StoreState.STORED, sop_instance_uid=instance.sop_instance_uid)

        def write(session: Session, outcomes: Sequence[StoreOutcome]) -> None:
            if outcomes[0].state is StoreState.REFUSED:
                raise NotReleased(outcomes[0].message or "Another file has this SOP Instance UID.")
            record(session, one)

        with store_errors():
            self.folder.make_durable(path)
            self.index.add([(incoming, known)], write)
        self.folder.discard([path])

    def remove(self, one: QuarantinedFile, record: RecordSettled) -> None:
        """Remove a file for good.

        Raises
        ------
        DatabaseUnavailable, StorageFull, StoreUnavailable
        """
        with self.index.database.writing() as session:
            record(session, one)
        self.folder.discard([_path(one)])
        if self.folder.found(_path(one)) is not None:
            raise StoreUnavailable("The file cannot be removed just now.")


def _describe(file: ReadFile, held: Collection[str]) -> QuarantinedFile:
    name = os.fsdecode(file.path.removeprefix(QUARANTINE + b"/"))
    size, received_at = file.identity.size, file.identity.mtime_ns / 1e9
    if file.instance is None:
        return QuarantinedFile(name, None, None, None, size, received_at, is_contradicting=False)
    uids = (
        str(file.instance.study["study_instance_uid"]),
        str(file.instance.series["series_instance_uid"]),
        file.instance.sop_instance_uid,
    )
    return QuarantinedFile(name, *uids, size, received_at, is_contradicting=uids[2] in held)


def _path(one: QuarantinedFile) -> bytes:
    return QUARANTINE + b"/" + os.fsencode(one.name)


def count_quarantined(store: Path | None) -> int:
    """Count what waits for an administrator; without opening the store, which would make its folders."""
    if store is None:
        return 0
    try:
        return len(StoreFolder(store).names(QUARANTINE))
    except OSError:
        return 0
