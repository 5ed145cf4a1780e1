"""The metadata that the index keeps of every instance: written when a file is indexed, read without opening it."""

import zlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, insert, select, text
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.made_metadata import BASE_BYTES, Metadata, pack, unpack
from imageserver.archive.models import Instance, InstanceMetadata
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.database import Base

_METADATA, _BASES = Base.metadata.tables["instance_metadata"], Base.metadata.tables["metadata_bases"]
_ADD = insert(_METADATA)
_BASES_OF = select(_BASES.c.series_id, _BASES.c.content).where(
    _BASES.c.series_id.in_(bindparam("ids", expanding=True))
)
_ADD_BASE = text(
    "INSERT INTO metadata_bases (series_id, content) VALUES (:series_id, :content) ON CONFLICT (series_id) DO NOTHING"
)


def read_metadata(session: Session, instance_ids: Sequence[int]) -> dict[int, Metadata]:
    """Return the metadata of instances, as far as the present rules made them.

    Parameters
    ----------
    session : Session
        To read in.
    instance_ids : sequence of int
        `Instance.id`; the caller bounds how many are in memory at once.

    Returns
    -------
    dict of int to Metadata
        Of instances that are missing here nothing is kept yet, which is so while an upgrade reads the files again.
    """
    found: dict[int, Metadata] = {}
    bases: dict[int, bytes] = {}
    for ids in chunks(list(instance_ids)):
        rows = session.execute(
            select(
                InstanceMetadata.instance_id,
                Instance.series_id,
                InstanceMetadata.content,
                InstanceMetadata.findings,
            )
            .join(Instance, Instance.id == InstanceMetadata.instance_id)
            .where(InstanceMetadata.instance_id.in_(ids), InstanceMetadata.made_by == metadata_stamp())
        ).all()
        bases |= read_bases(session, {row.series_id for row in rows} - bases.keys())
        for row in rows:
            content = unpack(row.content, bases.get(row.series_id, b""))
            found[row.instance_id] = Metadata(content, tuple(row.findings))
    return found


def add_metadata(session: Session, made: Sequence[tuple[int, int, Metadata]]) -> None:
    """Keep the metadata of instances that have none yet.

    Parameters
    ----------
    session : Session
        To write in.
    made : sequence of (int, int, Metadata)
        `Instance.id`, `Series.id`, and what is kept.
    """
    bases = _bases_for(session, made)
    stamp = metadata_stamp()
    rows = [
        {
            "instance_id": instance_id,
            "made_by": stamp,
            "content": pack(metadata.content, bases[series_id]),
            "findings": list(metadata.findings),
        }
        for instance_id, series_id, metadata in made
    ]
    if rows:
        session.execute(_ADD, rows)


def read_bases(session: Session | Connection, series_ids: Iterable[int]) -> dict[int, bytes]:
    """Return what the metadata of series are compressed against, by series."""
    found: dict[int, bytes] = {}
    for ids in chunks(sorted(series_ids)):
        rows = session.execute(_BASES_OF, {"ids": ids})
        found.update({row.series_id: zlib.decompress(row.content) for row in rows})
    return found


def _bases_for(session: Session, made: Sequence[tuple[int, int, Metadata]]) -> dict[int, bytes]:
    """Return the bases of series; the first instance of a series that has none makes it."""
    firsts: dict[int, bytes] = {}
    for _, series_id, metadata in made:
        firsts.setdefault(series_id, metadata.content)
    bases = read_bases(session, firsts)
    new = sorted(firsts.keys() - bases.keys())
    if new:
        contents = [{"series_id": key, "content": zlib.compress(firsts[key][:BASE_BYTES])} for key in new]
        session.connection().execute(_ADD_BASE, contents)
        bases |= read_bases(session, new)  # another process may have been first
    return bases
