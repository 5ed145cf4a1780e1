"""Writing to the index: rows of files, instances and series, and the arrangement of a series after each change.

Everything here runs inside a transaction of the caller and flushes, never commits.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from imageserver.archive.entries import remove_entries, write_entries
from imageserver.archive.models import File, Instance, Series, Study, VolumeEntry, VolumePrefix, VolumeWord
from imageserver.archive.patients import summarise_patients, tell_patients_apart
from imageserver.archive.reading import CONFLICT, ReadFile, ReadInstance
from imageserver.archive.reading_rules import reading_stamp
from imageserver.database import Base
from imageserver.dicom.frames import FrameDescription
from imageserver.dicom.several_patients import arrange_patients
from imageserver.dicom.stacks import Arrangement

_SERIES, _INSTANCES, _FILES = (Base.metadata.tables[name] for name in ("series", "instances", "files"))
CHUNK = 500  # values in one IN (…)
ARRANGED_TOGETHER = 50  # series: their arrangements are in memory at the same time
RANK_VOLUME, RANK_OTHER, RANK_DERIVED, RANK_WITHOUT_PIXELS = 0, 1, 2, 3
_DERIVED_MODALITIES = ("SEG", "RTDOSE")
SOP_CONFLICT = "sop_instance_uid_conflict"


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
    for digests in _chunks([path_digest(path) for path in paths]):
        removed = session.execute(_identified().where(File.path_digest.in_(digests))).all()
        files = {row.id for row in removed}
        instances = {row.instance_id for row in removed if row.instance_id is not None}
        series |= series_of(session, [row.sop_instance_uid for row in removed if row.instance_id is None])
        freed = [row.sop_instance_uid for row in removed if row.instance_id is not None]
        for uids in _chunks(freed):
            for row in session.execute(_identified().where(File.sop_instance_uid.in_(uids))):
                has_successors = has_successors or row.id not in files
                files.add(row.id)
                instances.update([row.instance_id] if row.instance_id is not None else [])
        series |= _delete(session, files, instances)
    return series, has_successors


def series_of(session: Session, sop_instance_uids: Iterable[str | None]) -> set[int]:
    """Return the series in which files with these SOP Instance UIDs are shown."""
    series: set[int] = set()
    for uids in _chunks([uid for uid in sop_instance_uids if uid]):
        statement = select(Instance.series_id).join(File, File.instance_id == Instance.id)
        series.update(session.scalars(statement.where(File.sop_instance_uid.in_(uids)).distinct()))
    return series


def _identified() -> Select[int, int | None, str | None]:
    return select(File.id, File.instance_id, File.sop_instance_uid)


def _delete(session: Session, files: set[int], instances: set[int]) -> set[int]:
    series: set[int] = set()
    for ids in _chunks(sorted(files)):
        session.execute(delete(File).where(File.id.in_(ids)))
    for ids in _chunks(sorted(instances)):
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
    for uids in _chunks(list(wanted)):
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


def rearrange(
    session: Session, series_ids: Iterable[int], at_hand: Mapping[int, Sequence[ReadInstance]] | None = None
) -> None:
    """Make the arrangement and the summary of series again; a series without instances is removed.

    Parameters
    ----------
    session : Session
        In which everything is read and written.
    series_ids : iterable of int
        Which ones.
    at_hand : mapping of int to sequence of ReadInstance, optional
        All instances of series that need not be read from the database.
    """
    has_conflicts = session.scalar(select(File.id).where(File.state == CONFLICT).limit(1)) is not None
    ranks: dict[int, int] = {}
    wanted = sorted(series_ids)
    for start in range(0, len(wanted), ARRANGED_TOGETHER):
        these = wanted[start : start + ARRANGED_TOGETHER]
        ranks |= _rearrange(session, these, at_hand or {}, has_conflicts=has_conflicts)
    write_entries(session, [series for series, rank in ranks.items() if rank < RANK_WITHOUT_PIXELS])
    remove_entries(session, [series for series, rank in ranks.items() if rank >= RANK_WITHOUT_PIXELS])


def _rearrange(
    session: Session,
    series_ids: list[int],
    at_hand: Mapping[int, Sequence[ReadInstance]],
    *,
    has_conflicts: bool,
) -> dict[int, int]:
    """Arrange some series and return their ranks; one statement for all, as one for each costs as much again."""
    columns = (Series.id, Series.study_id, Series.modality)
    arranged: list[dict[str, Any]] = []
    for series in session.execute(
        select(*columns).where(Series.id.in_(series_ids)).order_by(Series.id)
    ).all():
        instances = at_hand.get(series.id) or _instances_of(session, series.id)
        if not instances:
            _remove_series(session, series.id, series.study_id)
            continue
        uids = [row.sop_instance_uid for row in instances] if has_conflicts else []
        summary = _summary(series.modality, instances, _conflicts(session, uids))
        arranged.append({"at": series.id, **summary})
    if arranged:
        session.connection().execute(update(_SERIES).where(_SERIES.c.id == bindparam("at")), arranged)
    return {row["at"]: row["rank"] for row in arranged}


def _instances_of(session: Session, series_id: int) -> Sequence[Any]:
    columns = (
        Instance.sop_instance_uid,
        Instance.frames,
        Instance.patient,
        Instance.warnings,
        Instance.refused_code,
        Instance.refused_reason,
    )
    return session.execute(select(*columns).where(Instance.series_id == series_id)).all()


def _summary(modality: str | None, instances: Sequence[Any], conflicts: list[str]) -> dict[str, Any]:
    frames = _frames_of_patients(instances)
    arrangement = arrange_patients(frames)
    is_damaged = all(row.refused_code for row in instances)
    return {
        "arrangement": arrangement.as_dict(),
        "verdict": arrangement.verdict.value,
        "slice_count": sum(map(len, frames)),
        "rank": RANK_DERIVED if is_damaged and any(frames) else _rank(modality, arrangement),
        "patient": summarise_patients(row.patient for row in instances),
        "warnings": _collect_warnings(instances, conflicts),
        "is_stale": False,
    }


def _frames_of_patients(instances: Sequence[Any]) -> list[list[FrameDescription]]:
    """Return the frames of each patient; nearly always there is one."""
    numbers = tell_patients_apart([row.patient for row in instances])
    frames: list[list[FrameDescription]] = [[] for _ in range(max(numbers) + 1)]
    for number, row in zip(numbers, instances, strict=True):
        frames[number].extend(
            frame if isinstance(frame, FrameDescription) else FrameDescription.from_dict(frame)
            for frame in row.frames
        )
    return frames


def _rank(modality: str | None, arrangement: Arrangement) -> int:
    if arrangement.middle is None:
        return RANK_WITHOUT_PIXELS
    if modality in _DERIVED_MODALITIES:
        return RANK_DERIVED
    return RANK_VOLUME if arrangement.verdict.is_volume else RANK_OTHER


def _collect_warnings(instances: Sequence[Any], conflicts: list[str]) -> list[dict[str, Any]]:
    """Put what was noticed in single files together: one entry per code and sentence, with all its instances."""
    collected: dict[tuple[str, str], list[str]] = {}
    for row in instances:
        for warning in row.warnings:
            collected.setdefault((warning["code"], warning["message"]), []).append(row.sop_instance_uid)
        if row.refused_code:
            key = ("refused_" + row.refused_code, f"Cannot be shown: {row.refused_reason}")
            collected.setdefault(key, []).append(row.sop_instance_uid)
    if conflicts:
        sentence = "Other files have the same SOP Instance UID and another content; they are left out."
        collected[(SOP_CONFLICT, sentence)] = conflicts
    return [
        {"code": code, "message": message, "sop_instance_uids": sorted(uids)}
        for (code, message), uids in sorted(collected.items())
    ]


def _conflicts(session: Session, sop_instance_uids: list[str]) -> list[str]:
    found: list[str] = []
    for uids in _chunks(sop_instance_uids):
        statement = select(File.sop_instance_uid).where(
            File.state == CONFLICT, File.sop_instance_uid.in_(uids)
        )
        found += [uid for uid in session.scalars(statement.distinct()) if uid]
    return found


def _remove_series(session: Session, series_id: int, study_id: int) -> None:
    remove_entries(session, [series_id])
    session.execute(delete(Series).where(Series.id == series_id))
    if session.scalar(select(Series.id).where(Series.study_id == study_id).limit(1)) is None:
        session.execute(delete(Study).where(Study.id == study_id))


def forget_everything(session: Session) -> None:
    """Empty the index."""
    for table in (VolumePrefix, VolumeWord, VolumeEntry, File, Instance, Series, Study):
        session.execute(delete(table))


def path_digest(path: bytes) -> str:
    """The key of a path in the index."""
    return hashlib.sha256(path).hexdigest()


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
