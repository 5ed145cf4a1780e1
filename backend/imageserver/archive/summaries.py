"""The summary of a series: the arrangement of its slices, its rank and its warnings, made again after each change.

Everything here runs inside a transaction of the caller.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.entries import remove_entries, write_entries
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.patients import summarise_patients, tell_patients_apart
from imageserver.archive.reading import CONFLICT, ReadInstance
from imageserver.archive.search_headers import write_headers
from imageserver.archive.study_entries import (
    RANK_WITHOUT_PIXELS,
    remove_study_entries,
    write_study_entries,
)
from imageserver.database import Base
from imageserver.dicom.frames import FrameDescription
from imageserver.dicom.several_patients import arrange_patients
from imageserver.dicom.stacks import Arrangement

_SERIES = Base.metadata.tables["series"]
ARRANGED_TOGETHER = 50  # series: their arrangements are in memory at the same time
RANK_VOLUME, RANK_OTHER, RANK_DERIVED = 0, 1, 2  # and RANK_WITHOUT_PIXELS
_DERIVED_MODALITIES = ("SEG", "RTDOSE")
SOP_CONFLICT = "sop_instance_uid_conflict"


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
    wanted = sorted(series_ids)
    if not wanted:
        return
    has_conflicts = session.scalar(select(File.id).where(File.state == CONFLICT).limit(1)) is not None
    ranks: dict[int, int] = {}
    studies: set[int] = set()
    for start in range(0, len(wanted), ARRANGED_TOGETHER):
        these = wanted[start : start + ARRANGED_TOGETHER]
        ranks |= _rearrange(session, these, at_hand or {}, studies, has_conflicts=has_conflicts)
    write_entries(session, [series for series, rank in ranks.items() if rank < RANK_WITHOUT_PIXELS])
    remove_entries(session, [series for series, rank in ranks.items() if rank >= RANK_WITHOUT_PIXELS])
    write_study_entries(session, studies)
    write_headers(session, ranks, studies)


def write_entries_of_studies(session: Session, study_ids: Iterable[int]) -> None:
    """Write the entries of studies and of all their series, after something about the studies changed."""
    for ids in chunks(sorted(study_ids)):
        with_pictures = Series.study_id.in_(ids) & (Series.rank < RANK_WITHOUT_PIXELS)
        write_entries(session, session.scalars(select(Series.id).where(with_pictures)))
        write_study_entries(session, ids)


def _rearrange(
    session: Session,
    series_ids: list[int],
    at_hand: Mapping[int, Sequence[ReadInstance]],
    studies: set[int],
    *,
    has_conflicts: bool,
) -> dict[int, int]:
    """Arrange some series and return their ranks; one statement for all, as one for each costs as much again.

    Their studies are added to `studies`.
    """
    columns = (Series.id, Series.study_id, Series.modality)
    arranged: list[dict[str, Any]] = []
    for series in session.execute(
        select(*columns).where(Series.id.in_(series_ids)).order_by(Series.id)
    ).all():
        studies.add(series.study_id)
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
    middle = arrangement.middle
    is_damaged = all(row.refused_code for row in instances)
    return {
        "arrangement": arrangement.as_dict(),
        "middle_sop_instance_uid": middle.sop_instance_uid if middle else None,
        "middle_frame_number": middle.frame_number if middle else None,
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
    for uids in chunks(sop_instance_uids):
        statement = select(File.sop_instance_uid).where(
            File.state == CONFLICT, File.sop_instance_uid.in_(uids)
        )
        found += [uid for uid in session.scalars(statement.distinct()) if uid]
    return found


def _remove_series(session: Session, series_id: int, study_id: int) -> None:
    remove_entries(session, [series_id])
    session.execute(delete(Series).where(Series.id == series_id))
    if session.scalar(select(Series.id).where(Series.study_id == study_id).limit(1)) is None:
        remove_study_entries(session, [study_id])
        session.execute(delete(Study).where(Study.id == study_id))
