"""Writing to the index: rows of files, instances, series and studies as files come and go.

Everything here runs inside a transaction of the caller. Series that changed are to be summarised again
(`summaries.rearrange`).
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.models import File, Instance, Series, Study, VolumeEntry, VolumePrefix, VolumeWord
from imageserver.archive.reading import CONFLICT, ReadFile, ReadInstance
from imageserver.archive.reading_rules import reading_stamp
from imageserver.database import Base

_INSTANCES, _FILES = Base.metadata.tables["instances"], Base.metadata.tables["files"]


def remove_files(session: Session, paths: Iterable[bytes]) -> tuple[set[int], bool]:
    """Remove the rows of paths and the instances that were read from them.

    Returns
    -------
    set of int
        The series that lost an instance or a conflict; `rearrange` has to follow.
    bool
        Whether other files have the same SOP Instance UIDs: their rows are removed too, so that the next look reads
        them again and one of them takes the place.
    """
    series: set[int] = set()
    has_successors = False
    for digests in chunks([path_digest(path) for path in paths]):
        removed = session.execute(_identified().where(File.path_digest.in_(digests))).all()
        files = {row.id for row in removed}
        instances = {row.instance_id for row in removed if row.instance_id is not None}
        series |= series_of(session, [row.sop_instance_uid for row in removed if row.instance_id is None])
        freed = [row.sop_instance_uid for row in removed if row.instance_id is not None]
        for uids in chunks(freed):
            for row in session.execute(_identified().where(File.sop_instance_uid.in_(uids))):
                has_successors = has_successors or row.id not in files
                files.add(row.id)
                instances.update([row.instance_id] if row.instance_id is not None else [])
        series |= _delete(session, files, instances)
    return series, has_successors


def series_of(session: Session, sop_instance_uids: Iterable[str | None]) -> set[int]:
    """Return the series in which files with these SOP Instance UIDs are shown."""
    series: set[int] = set()
    for uids in chunks([uid for uid in sop_instance_uids if uid]):
        statement = select(Instance.series_id).join(File, File.instance_id == Instance.id)
        series.update(session.scalars(statement.where(File.sop_instance_uid.in_(uids)).distinct()))
    return series


def _identified() -> Select[int, int | None, str | None]:
    return select(File.id, File.instance_id, File.sop_instance_uid)


def _delete(session: Session, files: set[int], instances: set[int]) -> set[int]:
    series: set[int] = set()
    for ids in chunks(sorted(files)):
        session.execute(delete(File).where(File.id.in_(ids)))
    for ids in chunks(sorted(instances)):
        series.update(session.scalars(select(Instance.series_id).where(Instance.id.in_(ids)).distinct()))
        session.execute(delete(Instance).where(Instance.id.in_(ids)))
    return series


class Added(NamedTuple):
    """What files brought to series.

    Attributes
    ----------
    counts : Counter of int
        How many instances each gained; 0 for a mere conflict.
    whole : dict of int to list of ReadInstance
        All instances of those that are new.
    """

    counts: Counter[int]
    whole: dict[int, list[ReadInstance]]


def add_files(session: Session, files: Sequence[ReadFile]) -> Added:
    """Add the rows of files that were read."""
    instances = [file.instance for file in files if file.instance is not None]
    series_ids, new = _ensure_series(session, instances)
    rows = [_instance_row(one, series_ids[one.series["series_instance_uid"]]) for one in instances]
    instance_ids: dict[str, int] = {}
    if rows:
        # Into tables, not classes: the latter costs half as much again.
        added = session.execute(
            insert(_INSTANCES).returning(_INSTANCES.c.sop_instance_uid, _INSTANCES.c.id), rows
        )
        instance_ids = {row.sop_instance_uid: row.id for row in added}
    stamp = reading_stamp()
    session.execute(insert(_FILES), [_file_row(file, instance_ids, stamp) for file in files])
    contested = series_of(session, [file.declared_uid for file in files if file.state == CONFLICT])
    whole: dict[int, list[ReadInstance]] = {series_ids[uid]: [] for uid in new}
    for row, instance in zip(rows, instances, strict=True):
        if row["series_id"] in whole:
            whole[row["series_id"]].append(instance)
    counts = Counter({**dict.fromkeys(contested, 0), **Counter(row["series_id"] for row in rows)})
    return Added(counts, whole)


def _ensure_series(session: Session, instances: Sequence[ReadInstance]) -> tuple[dict[str, int], list[str]]:
    """Return the ids of the series by UID, and which series are new; studies are added as well."""
    studies = {i.study["study_instance_uid"]: i.study for i in instances}
    study_ids = _ids(session, Study.study_instance_uid, Study.id, studies)
    known = set(study_ids)
    new_studies = [study for uid, study in studies.items() if uid not in known]
    if new_studies:
        added = session.execute(insert(Study).returning(Study.study_instance_uid, Study.id), new_studies)
        study_ids.update({row.study_instance_uid: row.id for row in added})
    _complete_studies(session, [study for uid, study in studies.items() if uid in known])
    series = {i.series["series_instance_uid"]: (i.series, i.study) for i in instances}
    series_ids = _ids(session, Series.series_instance_uid, Series.id, series)
    new_series = [
        {**values, "study_id": study_ids[study["study_instance_uid"]], "study_moment": _moment(study)}
        for uid, (values, study) in series.items()
        if uid not in series_ids
    ]
    if new_series:
        added = session.execute(insert(Series).returning(Series.series_instance_uid, Series.id), new_series)
        series_ids.update({row.series_instance_uid: row.id for row in added})
    return series_ids, [values["series_instance_uid"] for values in new_series]


def _complete_studies(session: Session, studies: Iterable[dict[str, Any]]) -> None:
    """Give studies the accession number that files before these did not have, or that was not read then."""
    for study in studies:
        if study["accession_number"]:
            is_same = Study.study_instance_uid == study["study_instance_uid"]
            session.execute(
                update(Study)
                .where(is_same, Study.accession_number.is_(None))
                .values(accession_number=study["accession_number"])
            )


def _ids(session: Session, uid: Any, identifier: Any, wanted: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for uids in chunks(list(wanted)):
        found.update(
            {row[0]: row[1] for row in session.execute(select(uid, identifier).where(uid.in_(uids)))}
        )
    return found


def _moment(study: dict[str, Any]) -> str:
    return (study["study_date"] or "") + (study["study_time"] or "")


def _instance_row(instance: ReadInstance, series_id: int) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "sop_instance_uid": instance.sop_instance_uid,
        "sop_class_uid": instance.sop_class_uid,
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "frames": [frame.as_dict() for frame in instance.frames],
        "patient": instance.patient,
        "warnings": instance.warnings,
        "refused_code": instance.refused_code,
        "refused_reason": instance.refused_reason,
    }


def _file_row(file: ReadFile, instance_ids: dict[str, int], stamp: str) -> dict[str, Any]:
    return {
        "path": file.path,
        "path_digest": path_digest(file.path),
        **file.identity._asdict(),
        "state": file.state,
        "read_at": int(time.time()),
        "code": file.code,
        "reason": file.reason,
        "sop_instance_uid": file.declared_uid,
        "read_by": stamp,
        "instance_id": instance_ids[file.instance.sop_instance_uid] if file.instance else None,
    }


def forget_everything(session: Session) -> None:
    """Empty the index."""
    for table in (VolumePrefix, VolumeWord, VolumeEntry, File, Instance, Series, Study):
        session.execute(delete(table))


def path_digest(path: bytes) -> str:
    """The key of a path in the index."""
    return hashlib.sha256(path).hexdigest()
