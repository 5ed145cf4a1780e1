"""Files that carry a SOP Instance UID which another file has already.

The same bytes are the same instance. Other bytes are a conflict: the first file keeps the UID. The later one is shown
under a derived UID where it is evidently another picture (another place or instance number), else it is left out. Both
are reported. Files without any UID are known by their content, and never meet here with other bytes.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.digests import DigestOf
from imageserver.archive.files import FileIdentity, FoundFile
from imageserver.archive.models import File, Instance
from imageserver.archive.reading import CONFLICT, DUPLICATE, ReadFile, with_uid
from imageserver.dicom.frames import FrameDescription
from imageserver.dicom.identifiers import derived_uid
from imageserver.errors import Gone

_SAME_UID = "Another file has the same SOP Instance UID"


class Holder(NamedTuple):
    """The file that has a SOP Instance UID, and the first frame that was read from it."""

    file: FoundFile
    first_frame: FrameDescription | dict[str, Any] | None


def find_holders(session: Session, files: Sequence[ReadFile], changed: Set[bytes]) -> dict[str, Holder]:
    """Look up which instances of these files the index has already from other files than the changed ones."""
    columns = (File.path, File.size, File.mtime_ns, File.inode, Instance.sop_instance_uid, Instance.frames)
    statement = select(*columns).join(Instance, File.instance_id == Instance.id)
    holders: dict[str, Holder] = {}
    for uids in chunks(list({file.declared_uid for file in files if file.declared_uid})):
        for row in session.execute(statement.where(File.sop_instance_uid.in_(uids))):
            if row.path not in changed:
                found = FoundFile(row.path, FileIdentity(*row[1:4]))
                holders[row.sop_instance_uid] = Holder(found, next(iter(row.frames), None))
    return holders


def settle_duplicates(
    digest_of: DigestOf, files: Iterable[ReadFile], holders: dict[str, Holder]
) -> list[ReadFile]:
    """Decide for each file whether it is an instance of its own.

    `holders` knows the instances of the index; it is extended by those of `files`, so that the first one wins.
    """
    settled = []
    for file in sorted(files, key=_is_damaged):  # of a damaged and a whole file the whole one is shown
        if file.instance is None:
            settled.append(file)
            continue
        own = Holder(FoundFile(file.path, file.identity), next(iter(file.instance.frames), None))
        holder = holders.setdefault(file.instance.sop_instance_uid, own)
        settled.append(file if holder is own else _settle(digest_of, file, own, holder, holders))
    return settled


def _is_damaged(file: ReadFile) -> bool:
    return file.instance is not None and file.instance.refused_code is not None


def _settle(
    digest_of: DigestOf, file: ReadFile, own: Holder, holder: Holder, holders: dict[str, Holder]
) -> ReadFile:
    assert file.instance is not None
    try:
        digest = digest_of(own.file)
        is_same = own.file.identity.size == holder.file.identity.size and digest == digest_of(holder.file)
    except Gone:  # the next look at the folder will tell
        return replace(file, state=CONFLICT, code=CONFLICT, reason=f"{_SAME_UID}.", instance=None)
    if is_same:
        return replace(
            file, state=DUPLICATE, code=DUPLICATE, reason="The same file is there twice.", instance=None
        )
    if _place(own.first_frame) == _place(holder.first_frame):
        return replace(
            file, state=CONFLICT, code=CONFLICT, reason=f"{_SAME_UID} and another content.", instance=None
        )
    uid = derived_uid(file.instance.sop_instance_uid, digest)
    if uid in holders:
        return replace(
            file, state=DUPLICATE, code=DUPLICATE, reason="The same file is there twice.", instance=None
        )
    holders[uid] = own
    instance = with_uid(file.instance, uid)
    warning = {
        "code": "derived_sop_instance_uid",
        "message": "Several images have one SOP Instance UID; this one got a UID of its own here.",
        "sop_instance_uids": [],
    }
    return replace(file, instance=replace(instance, warnings=[*instance.warnings, warning]))


def _place(frame: FrameDescription | dict[str, Any] | None) -> tuple[Any, ...]:
    if frame is None:
        return ()
    if isinstance(frame, dict):  # from the index, where positions are JSON lists
        return tuple(frame.get("position") or ()), frame.get("instance_number")
    return tuple(frame.position or ()), frame.instance_number
