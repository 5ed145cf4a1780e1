"""Instances that were deleted: hidden at once, kept for a while, restored or purged. docs/decisions/0079.

A file of the store goes to its trash. A file of the data directory, which is never changed, is hidden: every file
there with that SOP Instance UID, until it is restored.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.digests import DigestOf
from imageserver.archive.files import STORE_ROOT, DataDirectory, FoundFile
from imageserver.archive.models import Deletion, File, Instance, Series, Study
from imageserver.archive.moving import known_files
from imageserver.archive.reading import SKIPPED, ReadFile
from imageserver.archive.store_folder import TRASH
from imageserver.archive.storing import path_digest, remove_files
from imageserver.database import Base
from imageserver.errors import DataDirectoryUnavailable, Gone

DELETED = "deleted"
DELETED_REASON = "An administrator deleted this instance; the file stays where it is, and is hidden."

_DELETIONS = Base.metadata.tables["deletions"]
# Of a table, and made once: every store asks it.
_OF_INSTANCES = (
    select(_DELETIONS)
    .where(_DELETIONS.c.sop_instance_uid.in_(bindparam("uids", expanding=True)))
    .order_by(_DELETIONS.c.id)
)


class DeletedInstance(NamedTuple):
    """An instance that can be restored.

    Attributes
    ----------
    deletion_id : int
    study_instance_uid, series_instance_uid, sop_instance_uid : str
    path : bytes
        Where its file was in the index.
    trash : bytes or None
        Its name in the trash; None where the file lies in the data directory.
    size : int
    sha256 : str or None
    deleted_at : int
        In seconds since 1970.
    deleted_by : str
        The account.
    """

    deletion_id: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    path: bytes
    trash: bytes | None
    size: int
    sha256: str | None
    deleted_at: int
    deleted_by: str

    @property
    def store_path(self) -> bytes:
        """Where the file was in the store."""
        return self.path.removeprefix(STORE_ROOT)

    @property
    def trash_path(self) -> bytes:
        """Where the file is in the store now."""
        assert self.trash is not None
        return TRASH + b"/" + self.trash


class Wanted(NamedTuple):
    """What is meant: a study, or a series or an instance of it."""

    study_instance_uid: str | None
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None


def delete_instances(
    session: Session, wanted: Wanted, now: int, username: str
) -> tuple[list[DeletedInstance], set[int]]:
    """Take instances out of the index and note where their files are.

    Parameters
    ----------
    session : Session
        Of a transaction that holds the index.
    wanted : Wanted
        What is to go.
    now : int
        In seconds since 1970.
    username : str
        Who deletes.

    Returns
    -------
    list of DeletedInstance
        Empty where there is nothing of that name.
    set of int
        The series that lost instances; `rearrange` has to follow.
    """
    columns = (
        Study.study_instance_uid, Series.series_instance_uid, Instance.sop_instance_uid, File.path, File.size,
        File.sha256,
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(Series, Series.study_id == Study.id)
        .join(Instance, Instance.series_id == Series.id)
        .join(File, File.instance_id == Instance.id)
        .where(Study.study_instance_uid == wanted.study_instance_uid)
        .order_by(Instance.id)
    )
    if wanted.series_instance_uid is not None:
        statement = statement.where(Series.series_instance_uid == wanted.series_instance_uid)
    if wanted.sop_instance_uid is not None:
        statement = statement.where(Instance.sop_instance_uid == wanted.sop_instance_uid)
    rows = [
        {
            **row._asdict(),
            "trash": _trash_name(row.path, now),
            "deleted_at": now,
            "deleted_by": username,
        }
        for row in session.execute(statement)
    ]
    if not rows:
        return [], set()
    ids = session.scalars(insert(Deletion).returning(Deletion.id, sort_by_parameter_order=True), rows).all()
    deleted = [_deleted(deletion_id, row) for deletion_id, row in zip(ids, rows, strict=True)]
    series, _ = remove_files(session, [row["path"] for row in rows])
    return deleted, series


def _trash_name(path: bytes, now: int) -> str | None:
    if not path.startswith(STORE_ROOT):
        return None
    # The end is by chance: one path may be deleted twice in a second.
    return f"{now}-{path_digest(path)[:48]}-{secrets.token_hex(8)}"


def _deleted(deletion_id: int, row: dict[str, Any]) -> DeletedInstance:
    trash = row["trash"]
    return DeletedInstance(
        deletion_id, row["study_instance_uid"], row["series_instance_uid"], row["sop_instance_uid"], row["path"],
        None if trash is None else trash.encode(), row["size"], row["sha256"], row["deleted_at"], row["deleted_by"],
    )  # fmt: skip


def find_deleted(
    session: Session,
    wanted: Wanted | None = None,
    *,
    deletion_ids: Sequence[int] | None = None,
    before: int | None = None,
) -> list[DeletedInstance]:
    """List what can be restored, the oldest first.

    Parameters
    ----------
    session : Session
        For reading.
    wanted : Wanted, optional
        Only what belongs to it.
    deletion_ids : sequence of int, optional
        Only these.
    before : int, optional
        Only what was deleted at this moment, in seconds since 1970, or earlier.
    """
    statement = select(Deletion).order_by(Deletion.id)
    if wanted is not None:
        for name, value in wanted._asdict().items():
            if value is not None:
                statement = statement.where(getattr(Deletion, name) == value)
    if deletion_ids is not None:
        statement = statement.where(Deletion.id.in_(deletion_ids))
    if before is not None:
        statement = statement.where(Deletion.deleted_at <= before)
    return [_of_row(row) for row in session.scalars(statement)]


def find_deleted_uids(session: Session, sop_instance_uids: Iterable[str]) -> list[DeletedInstance]:
    """List the deletions of these instances."""
    found: list[DeletedInstance] = []
    for uids in chunks(sorted(set(sop_instance_uids))):
        rows = session.execute(_OF_INSTANCES, {"uids": uids})
        found += [_deleted(row["id"], dict(row)) for row in rows.mappings()]
    return found


def _of_row(row: Deletion) -> DeletedInstance:
    columns = {column.key: getattr(row, column.key) for column in Deletion.__mapper__.column_attrs}
    return _deleted(row.id, columns)


def forget_deletions(session: Session, deletions: Iterable[DeletedInstance]) -> None:
    """Remove the notes of deletions: they were restored or purged."""
    for ids in chunks([deleted.deletion_id for deleted in deletions]):
        session.execute(delete(Deletion).where(Deletion.id.in_(ids)))


def keep_hidden(session: Session, deletions: Iterable[DeletedInstance]) -> None:
    """Note of instances that are purged which files of the data directory stay hidden.

    The note of a file of the store hides copies in the data directory, too. Without one they would come back when
    they are read again.
    """
    noted = {one.sop_instance_uid: one for one in deletions if one.trash is not None}
    rows: dict[str, dict[str, Any]] = {}
    for uids in chunks(sorted(noted)):
        has_note = select(Deletion.sop_instance_uid).where(
            Deletion.sop_instance_uid.in_(uids), Deletion.trash.is_(None)
        )
        hidden = (
            select(File.sop_instance_uid, File.path, File.size, File.sha256)
            .where(File.sop_instance_uid.in_(uids), File.code == DELETED)
            .where(File.sop_instance_uid.not_in(has_note))
        )
        for row in session.execute(hidden.order_by(File.id)):
            note = {**noted[str(row[0])]._asdict(), **row._asdict(), "trash": None}
            del note["deletion_id"]
            rows.setdefault(str(row[0]), note)  # one hides all files of the UID
    if rows:
        session.execute(insert(Deletion), list(rows.values()))


def show_again(session: Session, deletions: Iterable[DeletedInstance]) -> None:
    """Remove the rows of hidden files, so that the next look reads them."""
    for uids in chunks([deleted.sop_instance_uid for deleted in deletions if deleted.trash is None]):
        session.execute(delete(File).where(File.sop_instance_uid.in_(uids), File.code == DELETED))


def hide_deleted(
    session: Session, files: Sequence[ReadFile], directory: DataDirectory, digest_of: DigestOf
) -> list[ReadFile]:
    """Take the instance from files whose SOP Instance UID was deleted.

    Files of the store that a deletion has still to move to the trash are left out. What was stored afterwards at the
    same path is not meant: it has a row, which the deleted file has not, or other bytes where the index was made anew.
    """
    uids = [file.declared_uid for file in files if file.declared_uid is not None]
    deleted = find_deleted_uids(session, uids)
    hidden = {one.sop_instance_uid for one in deleted}
    noted = [one for one in deleted if one.trash is not None]
    stored_anew = {file.path for file in known_files(session, [one.path for one in noted])}
    moving = [one for one in noted if one.path not in stored_anew]
    return [
        file
        if file.declared_uid not in hidden or file.path.startswith(STORE_ROOT)
        else replace(file, state=SKIPPED, code=DELETED, reason=DELETED_REASON, instance=None)
        for file in files
        if not any(_is_moving(file, one, directory, digest_of) for one in moving if one.path == file.path)
    ]


def _is_moving(
    file: ReadFile, deleted: DeletedInstance, directory: DataDirectory, digest_of: DigestOf
) -> bool:
    """Tell whether a file is the one that was deleted, rather than one that was stored at its path afterwards."""
    if file.identity.size != deleted.size:
        return False
    if deleted.sha256 is None or directory.store is None:  # nothing else tells the two apart
        return directory.store is None or not directory.store.is_readable(deleted.trash_path)
    try:
        return digest_of(FoundFile(file.path, file.identity)) == deleted.sha256
    except (Gone, DataDirectoryUnavailable):
        return True  # the next look tells
