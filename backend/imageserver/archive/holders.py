"""Which files hold the instances that are stored again."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from imageserver.archive.checksums import INTEGRITY_MISMATCH
from imageserver.archive.chunks import chunks
from imageserver.archive.files import STORE_ROOT, FileIdentity, FoundFile
from imageserver.archive.models import File
from imageserver.database import Base

_FILES, _INSTANCES = Base.metadata.tables["files"], Base.metadata.tables["instances"]
_COLUMNS = (
    _INSTANCES.c.sop_instance_uid,
    *(_FILES.c[name] for name in ("path", "size", "mtime_ns", "inode", "sha256", "code")),
)
# Of tables, and made once: to make a statement takes longer than to ask it.
_HOLDERS = (
    select(*_COLUMNS)
    .join(_FILES, _FILES.c.instance_id == _INSTANCES.c.id)
    .where(_INSTANCES.c.sop_instance_uid.in_(bindparam("uids", expanding=True)))
)


class Holder(NamedTuple):
    """The file that has a SOP Instance UID; the checksum is None where it has not been taken."""

    file: FoundFile
    sha256: str | None
    is_damaged: bool


def find_holders(session: Session, sop_instance_uids: Iterable[str]) -> dict[str, Holder]:
    """Look up the files of instances by their UIDs."""
    found: dict[str, Holder] = {}
    for uids in chunks(sorted(set(sop_instance_uids))):
        for row in session.execute(_HOLDERS, {"uids": uids}):
            file = FoundFile(row[1], FileIdentity(*row[2:5]))
            found[row[0]] = Holder(file, row[5], row[6] == INTEGRITY_MISMATCH)
    return found


def has_stored_files(session: Session) -> bool:
    """Tell whether the index has files of the store."""
    is_stored = File.path.between(STORE_ROOT, STORE_ROOT + b"\xff")
    return session.scalars(select(File.id).where(is_stored).limit(1)).first() is not None
