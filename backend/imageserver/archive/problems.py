"""The files of the data directory that are not shown, and why."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from imageserver.archive.models import File, Instance, Series
from imageserver.archive.reading import CONFLICT, REFUSED, SKIPPED

# Every code that a file can have; docs/problems.md has the same table, and tests compare both with the source.
MEANINGS: dict[str, str] = {
    "not_dicom": "The file is not DICOM.",
    "empty": "The file is empty, or holds no data set.",
    "executable_preamble": "The file begins like a program, a page or an archive; nobody needs that.",
    "malformed": "The structure of the data set makes no sense.",
    "truncated": "The file ends too early.",
    "no_transfer_syntax": "The file does not say how it is encoded, and it cannot be found out.",
    "wrong_transfer_syntax": "The pixel data is encoded otherwise than the file says.",
    "truncated_pixel_data": "The pixel data has fewer bytes or fragments than its description asks for.",
    "no_pixel_data": "The file describes an image, but has no pixel data.",
    "bad_image": "The description of the pixels is incomplete or contradicts itself.",
    "too_large_image": "A frame is larger than the server accepts.",
    "too_many_frames": "The object has more frames than the server accepts.",
    "too_many_elements": "The data set has more elements than any real object.",
    "too_deep": "Sequences are nested more deeply than in any real object.",
    "value_too_long": "A value is longer than any real one.",
    "too_slow": "Reading the header takes too long.",
    "too_large_inflated": "The deflated data set grows beyond all measure.",
    "bad_deflate": "The deflated data set is damaged.",
    "conflict": "Another file has the same SOP Instance UID and another content; that one is shown.",
    "integrity_mismatch": "The content has changed although size and time have not: damaged on the disk.",
    "unreadable": "The file or folder cannot be read; the rights may be missing.",
    "symbolic_link": "Symbolic links are not followed.",
    "not_a_file": "Only regular files are read.",
    "deleted": "An administrator deleted the instance; its file in the data directory is hidden.",
    "dicomdir": "A DICOMDIR lists files; the folder itself is read.",
}

SORTABLE = {
    "path": File.path,
    "code": File.code,
    "size": File.size,
    "modified": File.mtime_ns,
    "read_at": File.read_at,
}


class Problem(NamedTuple):
    """One file that is not shown.

    Attributes
    ----------
    path : bytes
        Relative to the data directory. It may carry a patient's name.
    size : int or None
        In bytes; None where the file could not be looked at.
    mtime_ns : int or None
        When it was changed, in nanoseconds since 1970.
    read_at : int or None
        When the index took note of it, in seconds since 1970; None where a former version did.
    series_instance_uid : str or None
        The series in which the file has its place, although it cannot be shown.
    """

    path: bytes
    code: str
    reason: str
    size: int | None
    mtime_ns: int | None
    read_at: int | None
    sop_instance_uid: str | None
    series_instance_uid: str | None


def count_problems(session: Session) -> dict[str, int]:
    """Count the files by code, the most frequent one first."""
    statement = select(File.code, func.count()).where(_is_problem()).group_by(File.code)
    counts = {code or "": count for code, count in session.execute(statement)}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def find_problems(
    session: Session, limit: int | None = None, offset: int = 0, codes: Sequence[str] = (), sort: str = "path"
) -> list[Problem]:
    """Return the files with these codes, or with any; all or one page.

    `sort` is one of `SORTABLE`, with `-` in front for descending.
    """
    column = SORTABLE[sort.removeprefix("-")]
    order = [term.desc() if sort.startswith("-") else term.asc() for term in (column, File.id)]
    statement = (
        select(
            File.path,
            File.code,
            File.reason,
            File.size,
            File.mtime_ns,
            File.read_at,
            File.sop_instance_uid,
            Series.series_instance_uid,
        )
        .outerjoin(Instance, File.instance_id == Instance.id)
        .outerjoin(Series, Instance.series_id == Series.id)
        .where(_is_problem(), *([File.code.in_(codes)] if codes else []))
        .order_by(*order)
    )
    return [_problem(*row) for row in session.execute(statement.limit(limit).offset(offset))]


def _is_problem() -> ColumnElement[bool]:
    return File.state.in_((REFUSED, CONFLICT, SKIPPED))


def _problem(
    path: bytes,
    code: str | None,
    reason: str | None,
    size: int,
    mtime_ns: int,
    read_at: int,
    sop_instance_uid: str | None,
    series_instance_uid: str | None,
) -> Problem:
    is_known = size >= 0
    return Problem(
        path,
        code or "",
        reason or "",
        size if is_known else None,
        mtime_ns if is_known else None,
        read_at or None,
        sop_instance_uid,
        series_instance_uid,
    )
