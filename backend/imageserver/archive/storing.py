"""Writing to the index: rows of files, instances, series and studies as files come and go.

Everything here runs inside a transaction of the caller. Series that changed are to be summarised again
(`summaries.rearrange`).
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.models import (
    File,
    Instance,
    Series,
    Study,
    StudyEntry,
    StudyPrefix,
    StudyWord,
    VolumeEntry,
    VolumePrefix,
    VolumeWord,
)
from imageserver.archive.reading import CONFLICT, ReadFile, ReadInstance
from imageserver.archive.reading_rules import reading_stamp
from imageserver.archive.stored_metadata import add_metadata
from imageserver.database import Base

_INSTANCES, _FILES = Base.metadata.tables["instances"], Base.metadata.tables["files"]
_STUDIES, _SERIES = Base.metadata.tables["studies"], Base.metadata.tables["series"]

# What files before these may not have said, or was not read then.
_OF_STUDY = ("study_date", "study_time", "study_description", "accession_number")
_OF_SERIES = ("series_description", "series_number", "series_date", "series_time")

# Of tables, not classes, and made once: to make a statement takes longer than to ask it.
_KNOWN_STUDIES = select(
    _STUDIES.c.id.label("study_id"), _STUDIES.c.study_instance_uid, *(_STUDIES.c[name] for name in _OF_STUDY)
).where(_STUDIES.c.study_instance_uid.in_(bindparam("uids", expanding=True)))
_KNOWN_SERIES = (
    select(
        _SERIES.c.id.label("series_id"), _SERIES.c.series_instance_uid, *(_SERIES.c[name] for name in _OF_SERIES),
        _STUDIES.c.id.label("study_id"), _STUDIES.c.study_instance_uid, *(_STUDIES.c[name] for name in _OF_STUDY),
    )
    .join(_STUDIES, _SERIES.c.study_id == _STUDIES.c.id)
    .where(_SERIES.c.series_instance_uid.in_(bindparam("uids", expanding=True)))
)  # fmt: skip
_ADD_STUDIES = insert(_STUDIES).returning(_STUDIES.c.study_instance_uid, _STUDIES.c.id)
_ADD_SERIES = insert(_SERIES).returning(_SERIES.c.series_instance_uid, _SERIES.c.id)
_ADD_INSTANCES = insert(_INSTANCES).returning(_INSTANCES.c.sop_instance_uid, _INSTANCES.c.id)
_ADD_FILES = insert(_FILES)

Known = Mapping[str, Row[Any]]  # series that are there, with their studies, by Series Instance UID


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
    completed : set of int
        The studies that now say what they did not.
    """

    counts: Counter[int]
    whole: dict[int, list[ReadInstance]]
    completed: set[int]


def find_known(session: Session, series_instance_uids: Iterable[str]) -> Known:
    """Look up series and their studies."""
    found: dict[str, Row[Any]] = {}
    for uids in chunks(sorted(series_instance_uids)):
        found.update({row.series_instance_uid: row for row in session.execute(_KNOWN_SERIES, {"uids": uids})})
    return found


def add_files(
    session: Session,
    files: Sequence[ReadFile],
    known: Known | None = None,
    checksums: Mapping[bytes, str] | None = None,
) -> Added:
    """Add the rows of files that were read.

    Parameters
    ----------
    session : Session
        To write in.
    files : sequence of ReadFile
        Their paths are in no row.
    known : Known, optional
        What `find_known` says of their series in this transaction, if that was asked before.
    checksums : mapping of bytes to str, optional
        The SHA-256 of files, by path, where it is known.
    """
    instances = [file.instance for file in files if file.instance is not None]
    if known is None:
        known = find_known(session, {one.series["series_instance_uid"] for one in instances})
    series_ids, new, completed = _ensure_series(session, instances, known)
    rows = [_instance_row(one, series_ids[one.series["series_instance_uid"]]) for one in instances]
    instance_ids: dict[str, int] = {}
    if rows:
        instance_ids = {row.sop_instance_uid: row.id for row in session.execute(_ADD_INSTANCES, rows)}
    made = [
        (instance_ids[one.sop_instance_uid], row["series_id"], one.metadata)
        for one, row in zip(instances, rows, strict=True)
        if one.metadata is not None
    ]
    add_metadata(session, made)
    stamp, digests = reading_stamp(), checksums or {}
    session.execute(
        _ADD_FILES, [_file_row(file, instance_ids, stamp, digests.get(file.path)) for file in files]
    )
    contested = series_of(session, [file.declared_uid for file in files if file.state == CONFLICT])
    whole: dict[int, list[ReadInstance]] = {series_ids[uid]: [] for uid in new}
    for row, instance in zip(rows, instances, strict=True):
        if row["series_id"] in whole:
            whole[row["series_id"]].append(instance)
    counts = Counter({**dict.fromkeys(contested, 0), **Counter(row["series_id"] for row in rows)})
    return Added(counts, whole, completed)


def _ensure_series(
    session: Session, instances: Sequence[ReadInstance], known: Known
) -> tuple[dict[str, int], list[str], set[int]]:
    """Return the ids of the series by UID, which series are new, and which studies were completed."""
    # Instances that say the same share it (`common_values.py`), so that this is done once for nearly all of them.
    said = {(id(i.study), id(i.series)): (i.study, i.series) for i in instances}.values()
    studies = _together((study for study, _ in said), "study_instance_uid", _OF_STUDY)
    study_rows = {row.study_instance_uid: row for row in known.values()}
    for uids in chunks(sorted(studies.keys() - study_rows.keys())):
        for row in session.execute(_KNOWN_STUDIES, {"uids": uids}):
            study_rows[row.study_instance_uid] = row
    study_ids = {uid: row.study_id for uid, row in study_rows.items()}
    completed = _complete(session, _STUDIES, _OF_STUDY, study_ids, study_rows, studies)
    if new_studies := [values for uid, values in studies.items() if uid not in study_ids]:
        study_ids.update({row[0]: row[1] for row in session.execute(_ADD_STUDIES, new_studies)})
    given = (
        {**series, "study_id": study_ids[study["study_instance_uid"]], "study_moment": _moment(study)}
        for study, series in said
    )
    wanted = _together(given, "series_instance_uid", _OF_SERIES)
    series_ids = {uid: row.series_id for uid, row in known.items()}
    _complete(session, _SERIES, _OF_SERIES, series_ids, known, wanted)
    new = [uid for uid in wanted if uid not in known]
    if new:
        added = session.execute(_ADD_SERIES, [wanted[uid] for uid in new])
        series_ids.update({row[0]: row[1] for row in added})
    return series_ids, new, completed


def _together(given: Iterable[dict[str, Any]], uid: str, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what files say, by UID: of several the first says it, as far as it says anything."""
    wanted: dict[str, dict[str, Any]] = {}
    for values in given:
        before = wanted.setdefault(values[uid], values)
        if missing := {c: values[c] for c in columns if before[c] is None and values[c] is not None}:
            wanted[values[uid]] = {**before, **missing}
    return wanted


def _complete(
    session: Session,
    table: Table,
    columns: Sequence[str],
    ids: Mapping[str, int],
    known: Known,
    said: Mapping[str, dict[str, Any]],
) -> set[int]:
    """Let rows say what they did not, and files do now; return the ids of these rows. All is given by UID."""
    completed = set()
    for uid in known.keys() & said.keys():
        row, values = known[uid], said[uid]
        missing = {c: values[c] for c in columns if getattr(row, c) is None and values[c] is not None}
        if missing:
            session.execute(update(table).where(table.c.id == ids[uid]).values(missing))
            completed.add(ids[uid])
    return completed


def _moment(study: dict[str, Any]) -> str:
    return (study["study_date"] or "") + (study["study_time"] or "")


def _instance_row(instance: ReadInstance, series_id: int) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "sop_instance_uid": instance.sop_instance_uid,
        "sop_class_uid": instance.sop_class_uid,
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "instance_number": instance.instance_number,
        "frames": [frame.as_dict() for frame in instance.frames],
        "patient": instance.patient,
        "warnings": instance.warnings,
        "refused_code": instance.refused_code,
        "refused_reason": instance.refused_reason,
    }


def _file_row(file: ReadFile, instance_ids: dict[str, int], stamp: str, sha256: str | None) -> dict[str, Any]:
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
        "sha256": sha256,
        "instance_id": instance_ids[file.instance.sop_instance_uid] if file.instance else None,
    }


def forget_everything(session: Session) -> None:
    """Empty the index."""
    lists = (VolumePrefix, VolumeWord, VolumeEntry, StudyPrefix, StudyWord, StudyEntry)
    for table in (*lists, File, Instance, Series, Study):
        session.execute(delete(table))


def path_digest(path: bytes) -> str:
    """The key of a path in the index."""
    return hashlib.sha256(path).hexdigest()
