"""Errors as ``application/problem+json`` (RFC 9457): the one table from error class to HTTP status."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from imageserver import errors
from imageserver.api.allowed_methods import allowed_methods
from imageserver.api.basic import CHALLENGE, may_offer_basic
from imageserver.database_errors import describe_database_error, is_database_error
from imageserver.logs import request_id

logger = logging.getLogger(__name__)

DICOMWEB = "/dicomweb/"
STATUS: dict[type[errors.AppError], int] = {
    errors.NotFound: 404,
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.NotAcceptable: 406,
    errors.NotOffered: 405,
    errors.TooSlow: 408,
    errors.UnsupportedMediaType: 415,
    errors.RangeNotSatisfiable: 416,
    errors.TooMany: 429,
    errors.Undecodable: 422,
    errors.PreconditionRequired: 428,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.AppError: 500,
}
# What is otherwise below /dicomweb: PS3.18 8.5 has no 422. There is no representation that the client accepts of what
# nobody can decode (10.4.3.1), and a volume that is none was the wrong thing to ask for.
STATUS_OF_DICOMWEB: dict[type[errors.AppError], int] = {
    errors.Invalid: 400,
    errors.NotAVolume: 400,
    errors.Undecodable: 406,
}

CODES_OF_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "content_too_large",
}


class Problem(BaseModel):
    """A problem document (RFC 9457); some codes carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None = None


class ProblemResponse(JSONResponse):
    """An answer of media type ``application/problem+json``."""

    media_type = "application/problem+json"
    code = errors.AppError.code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, and leave its code where the access log finds it."""
        scope.setdefault("state", {})["code"] = self.code
        await super().__call__(scope, receive, send)


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> ProblemResponse:
    """Build a problem document; its ``type`` follows from the code."""
    content = {
        "type": "/problems/" + code.replace("_", "-"),
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.get(),
        **members,
    }
    response = ProblemResponse(content, status, {"Cache-Control": "no-store", **(headers or {})})
    response.code = code
    return response


def status_of(error: errors.AppError, path: str = "") -> int:
    """Look the status up for the nearest class of the tree that the table names; `path` is that of the request."""
    kinds = type(error).__mro__
    if path.startswith(DICOMWEB):
        found = next((STATUS_OF_DICOMWEB[kind] for kind in kinds if kind in STATUS_OF_DICOMWEB), None)
        if found is not None:
            return found
    return next(STATUS[kind] for kind in kinds if kind in STATUS)


def respond_to(error: errors.AppError, path: str = "") -> ProblemResponse:
    """Turn an error of the tree into its answer; `path` is that of the request."""
    headers = {}
    if isinstance(error, errors.Unauthenticated):
        rejected = isinstance(error, errors.InvalidToken | errors.TokenExpired | errors.SessionEnded)
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if rejected else "Bearer"
    if isinstance(error, errors.InsufficientScope):
        scope = f', scope="{error.scope}"' if error.scope else ""
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope"{scope}'
    if isinstance(error, errors.TooSlow | errors.TooLarge):
        headers["Connection"] = "close"
    if isinstance(error, errors.TooMany | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    return problem_response(
        status_of(error, path), error.code, error.title, error.detail, headers, **error.members
    )


def respond_to_unexpected(error: Exception) -> ProblemResponse:
    """Answer 500 with a fixed text; the trace goes to the log, with the request id that is in the answer."""
    logger.error("unexpected error", exc_info=error)
    return problem_response(
        500, "internal", "Internal error", "Something went wrong on the server. Its log has the details."
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the application answer as a problem document."""
    app.add_exception_handler(errors.AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe problem answers for a route's OpenAPI entry; a program whose token opens nothing is told to wait."""
    if 401 in statuses:
        statuses = tuple(sorted({*statuses, 429}))
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
        }
        for status in statuses
    }


async def _on_app_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, errors.AppError)
    if isinstance(error, errors.Unavailable | errors.StorageFull):
        logger.warning(error.title, extra={"code": error.code, "cause": _cause(error)})
    response = respond_to(error, request.url.path)
    if isinstance(error, errors.NotOffered):
        methods = allowed_methods(request.app, request.scope["path"]).split(", ")
        response.headers["Allow"] = ", ".join(name for name in methods if name != request.method)
    if isinstance(error, errors.Unauthenticated) and may_offer_basic(request):
        response.headers["WWW-Authenticate"] += f", {CHALLENGE}"
    return response


def _cause(error: errors.AppError) -> str | None:
    # Only what a database or the system says about itself: other texts may quote a file or its path.
    cause = error.__cause__
    if cause is not None and is_database_error(cause):
        return describe_database_error(cause)
    if isinstance(cause, OSError):
        return cause.strerror
    return type(cause).__name__ if cause else None


async def _on_invalid_request(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    found = [{"pointer": _pointer(item["loc"]), "detail": item["msg"]} for item in error.errors()]
    names = ", ".join(dict.fromkeys(str(item["loc"][-1]) for item in error.errors()))
    detail = f"Not acceptable: {names}."
    if any(item["type"] == "json_invalid" for item in error.errors()):  # its place is a count of characters
        detail, found = "The body is not JSON.", [{"pointer": "", "detail": "The body is not JSON."}]
    kind = errors.InvalidParameter
    status = status_of(kind(detail), request.url.path)
    return problem_response(status, kind.code, kind.title, detail, errors=found)


async def _on_http_exception(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    code = CODES_OF_STATUS.get(error.status_code, "bad_request" if error.status_code < 500 else "internal")
    if error.status_code == 422:
        code = errors.InvalidParameter.code
    detail = "Nothing is at this address." if error.status_code == 404 else f"{title}."
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed_methods(request.app, request.scope["path"])
    return problem_response(error.status_code, code, title, detail, headers)


def _pointer(location: Sequence[Any]) -> str:
    return "/" + "/".join(str(part) for part in location)
