"""The metadata of a whole series as one JSON array, put together from what the index keeps, without parsing it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.addresses import InstanceAddress
from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.made_metadata import Metadata, make_metadata
from imageserver.archive.metadata import Source, keep_metadata
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.archive.stored_metadata import read_metadata
from imageserver.database import Database
from imageserver.dicom.dicom_json import BULK_DATA
from imageserver.errors import AppError, IntegrityMismatch

AT_ONCE = 64  # instances whose metadata are in memory at the same time
EMPTY = Metadata(b"{}")
GONE = Metadata(b"{}")  # of a file that is no more, or another one by now

_BULK_DATA = f'"BulkDataURI":"{BULK_DATA}'.encode()
_ADDRESS_TAGS = ("0020000D", "0020000E", "00080018")


class MetadataList(NamedTuple):
    """The instances of a series whose metadata are wanted.

    Attributes
    ----------
    study_instance_uid, series_instance_uid : str
    tag : str
        Entity tag; another one whenever the metadata are.
    instance_ids : tuple of int
    """

    study_instance_uid: str
    series_instance_uid: str
    tag: str
    instance_ids: tuple[int, ...]


def list_metadata(
    session: Session, study_instance_uid: str, series_instance_uid: str, sop_instance_uid: str | None = None
) -> MetadataList | None:
    """List the instances of a series, or one of them; None where there are none under this address.

    Raises
    ------
    IntegrityMismatch
        If the content of the file of the one differs from its checksum.
    """
    statement = (
        select(
            Instance.id,
            Instance.sop_instance_uid,
            File.size,
            File.mtime_ns,
            File.inode,
            Instance.refused_code,
        )
        .join(File, File.instance_id == Instance.id)
        .join(Series, Instance.series_id == Series.id)
        .join(Study, Series.study_id == Study.id)
        .where(
            Series.series_instance_uid == series_instance_uid, Study.study_instance_uid == study_instance_uid
        )
        .order_by(Instance.id)
    )
    if sop_instance_uid is not None:
        statement = statement.where(Instance.sop_instance_uid == sop_instance_uid)
    rows = session.execute(statement).all()
    if not rows:
        return None
    if sop_instance_uid is not None and rows[0].refused_code == INTEGRITY_MISMATCH:
        raise IntegrityMismatch(MISMATCH_REASON)
    digest = hashlib.sha256(repr((metadata_stamp(), sop_instance_uid)).encode())
    for row in rows:
        digest.update(repr(tuple(row[1:])).encode())
    tag = f'"{digest.hexdigest()[:32]}"'
    return MetadataList(study_instance_uid, series_instance_uid, tag, tuple(row[0] for row in rows))


def list_study_metadata(session: Session, study_instance_uid: str) -> list[MetadataList]:
    """List the instances of all series of a study, series by series."""
    statement = (
        select(Series.series_instance_uid)
        .join(Study, Series.study_id == Study.id)
        .where(Study.study_instance_uid == study_instance_uid)
        .order_by(Series.id)
    )
    found = [list_metadata(session, study_instance_uid, uid) for uid in session.scalars(statement).all()]
    return [one for one in found if one is not None]


def read_documents(
    database: Database,
    directory: DataDirectory,
    wanted: MetadataList,
    root: str = "",
    missed: list[str] | None = None,
) -> Iterator[list[tuple[InstanceAddress, bytes]]]:
    """Yield the metadata of instances in JSON with their addresses, some at a time.

    What the index does not keep yet is made from the files, and kept. Of a file that is gone, or whose content is not
    the one that was indexed, only the UIDs are told: frames say what has become of it.

    Parameters
    ----------
    database : Database
        With the index.
    directory : DataDirectory
        For what the index does not have yet.
    wanted : MetadataList
        Of which instances.
    root : str
        Address of the service, with a slash at its end; each ``BulkDataURI`` begins with it.
    missed : list of str, optional
        Gets the series in which instances are missing by now, or of which only the UIDs are told for want of a file.
    """
    for start in range(0, len(wanted.instance_ids), AT_ONCE):
        ids = wanted.instance_ids[start : start + AT_ONCE]
        documents = []
        found = _metadata_of(database, directory, wanted, ids)
        if missed is not None and (len(found) < len(ids) or any(one is GONE for _, one in found)):
            missed.append(wanted.series_instance_uid)
        for sop_instance_uid, metadata in found:
            address = InstanceAddress(wanted.study_instance_uid, wanted.series_instance_uid, sop_instance_uid)
            documents.append((address, under_address(metadata.content, address, f"{root}{address.path}/")))
        yield documents


def write_metadata(
    database: Database,
    directory: DataDirectory,
    wanted: MetadataList | Iterable[MetadataList],
    root: str = "",
    missed: list[str] | None = None,
) -> Iterator[bytes]:
    """Yield the JSON array of the metadata, in pieces of some instances each; parameters as `read_documents`."""
    separator = b"["
    for one in [wanted] if isinstance(wanted, MetadataList) else wanted:
        for documents in read_documents(database, directory, one, root, missed):
            if documents:
                yield separator + b",".join(content for _, content in documents)
                separator = b","
    yield b"]" if separator == b"," else b"[]"


def under_address(content: bytes, address: InstanceAddress, bulk_data_prefix: str = "") -> bytes:
    """Give metadata the UIDs of its address, and its bulk data theirs.

    Nearly all files say themselves what their address is; only where they do not, the document is parsed.

    Parameters
    ----------
    content : bytes
        As `Metadata.content`.
    address : InstanceAddress
        Under which it is told.
    bulk_data_prefix : str
        Put in front of each relative ``BulkDataURI``.
    """
    uids = dict(
        zip(
            _ADDRESS_TAGS,
            (address.study_instance_uid, address.series_instance_uid, address.sop_instance_uid),
            strict=True,
        )
    )
    said = (f'"{tag}":{{"vr":"UI","Value":["{uid}"]}}'.encode() for tag, uid in uids.items())
    if not all(element in content for element in said):
        dataset = {**json.loads(content), **{t: {"vr": "UI", "Value": [uid]} for t, uid in uids.items()}}
        ordered = dict(sorted(dataset.items()))
        content = json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    if not bulk_data_prefix:
        return content
    # No value can look like this: inside of a string a quotation mark has a backslash in front.
    return content.replace(_BULK_DATA, f'"BulkDataURI":"{bulk_data_prefix}{BULK_DATA}'.encode())


def _metadata_of(
    database: Database, directory: DataDirectory, wanted: MetadataList, ids: Sequence[int]
) -> list[tuple[str, Metadata]]:
    # While a long answer is sent, an instance may be removed and its number given to one of another patient.
    in_series = (
        Series.series_instance_uid == wanted.series_instance_uid,
        Study.study_instance_uid == wanted.study_instance_uid,
    )
    statement = (
        select(
            Instance.id,
            Instance.sop_instance_uid,
            Instance.refused_code,
            File.path,
            File.size,
            File.mtime_ns,
            File.inode,
        )
        .join(File, File.instance_id == Instance.id)
        .join(Series, Instance.series_id == Series.id)
        .join(Study, Series.study_id == Study.id)
        .where(Instance.id.in_(ids), *in_series)
        .order_by(Instance.id)
    )
    with database.reading() as session:
        rows = session.execute(statement).all()
        kept = read_metadata(session, [row.id for row in rows])
    found: list[tuple[str, Metadata]] = []
    made: list[tuple[Source, Metadata]] = []
    for row in rows:
        if row.refused_code == INTEGRITY_MISMATCH:  # what it said may be another patient's by now
            found.append((row.sop_instance_uid, EMPTY))
            continue
        if row.id in kept:
            found.append((row.sop_instance_uid, kept[row.id]))
            continue
        source = Source(row.id, row.path, FileIdentity(row.size, row.mtime_ns, row.inode))
        metadata = _make(directory, source)
        if metadata is not None:
            made.append((source, metadata))
        found.append((row.sop_instance_uid, metadata or GONE))
    if made:
        with database.writing() as session:
            for source, metadata in made:
                keep_metadata(session, source, metadata)
    return found


def _make(directory: DataDirectory, source: Source) -> Metadata | None:
    try:
        with directory.open(source.path, source.identity) as stream:
            return make_metadata(stream)
    except AppError:  # gone, or another file by now: the index follows
        return None
