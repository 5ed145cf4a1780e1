"""The files whose content is to be looked at: those of an interval ago, then those whose metadata are missing."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, or_, select

from imageserver.archive.files import FileIdentity
from imageserver.archive.lease import Lease
from imageserver.archive.models import INDEX_STATE_ID, File, IndexState, InstanceMetadata
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.database import Database

BATCH_FILES = 50
_READY = "ready"


class Due(NamedTuple):
    """A file whose turn it is."""

    file_id: int
    instance_id: int | None
    path: bytes
    identity: FileIdentity
    sha256: str | None
    lacks_metadata: bool


class DueFiles:
    """Finds the files whose turn it is, for the process that keeps the index.

    Parameters
    ----------
    interval : float
        Seconds after which a file is looked at again.
    """

    def __init__(self, database: Database, lease: Lease, interval: float) -> None:
        self._database = database
        self._lease = lease
        self._interval = interval
        self._complete_generation = -1  # of the index, when no metadata were missing

    def find(self, now: int) -> list[Due]:
        """Return the files whose turn it is, at most one batch, the longest waiting first.

        None are while the index is being built, or when another process keeps it.
        """
        with self._database.reading() as session:
            state = session.get(IndexState, INDEX_STATE_ID)
            if state is None or state.lease_owner != self._lease.owner or state.state != _READY:
                return []
            # Of a clock that was set back: what lies in the future would never be due.
            is_due = (File.scrubbed <= now - max(self._interval, 1)) | (File.scrubbed > now)
            statement = _indexed().where(File.sop_instance_uid.is_not(None), is_due)
            rows = session.execute(statement.order_by(File.scrubbed, File.id).limit(BATCH_FILES)).all()
            if not rows and state.generation != self._complete_generation:
                rows = session.execute(_indexed().where(_lacks_metadata()).limit(BATCH_FILES)).all()
                if not rows:
                    self._complete_generation = state.generation
        stamp = metadata_stamp()
        return [Due(row[0], row[1], row[2], FileIdentity(*row[3:6]), row[6], row[7] != stamp) for row in rows]


def _indexed() -> Select[*tuple[Any, ...]]:
    identity = (File.size, File.mtime_ns, File.inode)
    return select(
        File.id, File.instance_id, File.path, *identity, File.sha256, InstanceMetadata.made_by
    ).outerjoin(InstanceMetadata, InstanceMetadata.instance_id == File.instance_id)


def _lacks_metadata() -> ColumnElement[bool]:
    missing = or_(InstanceMetadata.made_by.is_(None), InstanceMetadata.made_by != metadata_stamp())
    return File.instance_id.is_not(None) & missing
