"""``GET /index/problems``: the files of the data directory that are not shown, and why."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from imageserver.accounts.models import Role
from imageserver.api.auditing import AccessAuditDep
from imageserver.api.authentication import CurrentUser
from imageserver.api.conditions import NO_STORE, NOT_MODIFIED, matches_etag, not_modified
from imageserver.api.dependencies import ArchiveDep, DatabaseDep
from imageserver.api.index_state import Index, describe_index, index_etag
from imageserver.api.problems import problem_responses
from imageserver.archive import problems
from imageserver.audit.models import Kind

router = APIRouter(tags=["index"])
Code = Annotated[str, StringConstraints(pattern="^[a-z_]{1,40}$")]
Sort = Annotated[str, StringConstraints(pattern=f"^-?({'|'.join(problems.SORTABLE)})$")]


class FileProblem(BaseModel):
    """A file that is not shown."""

    path: str | None = Field(
        description="Relative to the data directory; null for who does not administrate."
    )
    code: str
    reason: str = Field(description="What is wrong with this file, as a sentence.")
    size: int | None = Field(description="In bytes; null where the file could not be looked at.")
    modified: AwareDatetime | None
    read_at: AwareDatetime | None = Field(description="When the index took note of it.")
    sop_instance_uid: str | None
    series_instance_uid: str | None = Field(description="The series in which a damaged image has its place.")


class ProblemCount(BaseModel):
    """How many files have a code."""

    code: str
    meaning: str
    count: int


class FileProblems(BaseModel):
    """One page of the files that are not shown."""

    problems: list[FileProblem]
    total: int = Field(description="Files with the codes that were asked for, on all pages.")
    counts: list[ProblemCount] = Field(
        description="All files that are not shown; the most frequent code first."
    )
    index: Index


class ProblemQuery(BaseModel):
    """A parameter that is not listed here is refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1000, description="Most files to return.")] = 100
    offset: Annotated[int, Field(ge=0, le=2**31, description="Files to leave out in front.")] = 0
    sort: Annotated[Sort, Field(description="`-` in front: descending.")] = "path"
    code: Annotated[list[Code], Field(max_length=50, description="One of these; repeat the parameter.")] = []


@router.get(
    "/index/problems",
    response_model=FileProblems,
    responses={**NOT_MODIFIED, **problem_responses(401, 422, 503, 507)},
)
def list_file_problems(
    request: Request,
    archive: ArchiveDep,
    database: DatabaseDep,
    user: CurrentUser,
    audit: AccessAuditDep,
    asked: Annotated[ProblemQuery, Query()],
) -> Response:
    """List the files that are not shown, with the reason of each. Send `If-None-Match` to poll."""
    is_admin = user.role == Role.ADMIN
    status = archive.catalogue.status()
    etag = index_etag(status, asked, is_admin)
    if matches_etag(request, etag):
        return not_modified(etag, NO_STORE)
    audit.record_list(Kind.FILE_PROBLEMS, [])
    counts = archive.catalogue.problem_counts()
    with database.reading() as session:
        found = problems.find_problems(session, asked.limit, asked.offset, asked.code, asked.sort)
    body = {
        "problems": [_problem(problem, with_path=is_admin) for problem in found],
        "total": sum(count for code, count in counts.items() if code in asked.code or not asked.code),
        "counts": [
            {"code": code, "meaning": problems.MEANINGS.get(code, code), "count": count}
            for code, count in counts.items()
        ],
        "index": describe_index(status),
    }
    return JSONResponse(body, headers={**NO_STORE, "ETag": etag})


def _problem(problem: problems.Problem, *, with_path: bool) -> dict[str, Any]:
    modified = None if problem.mtime_ns is None else problem.mtime_ns / 1e9
    return {
        "path": problem.path.decode("utf-8", "backslashreplace") if with_path else None,
        "code": problem.code,
        "reason": problem.reason,
        "size": problem.size,
        "modified": _iso_time(modified),
        "read_at": _iso_time(problem.read_at),
        "sop_instance_uid": problem.sop_instance_uid,
        "series_instance_uid": problem.series_instance_uid,
    }


def _iso_time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):  # a file system keeps times that no calendar has
        return None
