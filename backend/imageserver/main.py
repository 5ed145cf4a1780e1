"""Puts the rooms together: ``create_app`` wires, and does nothing else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.orm import Session
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

import imageserver
from imageserver.accounts.keys import load_signing_keys
from imageserver.accounts.passwords import PasswordHasher
from imageserver.api.auditing import record_of_deleted
from imageserver.api.cors import Cors
from imageserver.api.costly_requests import CostlyRequests
from imageserver.api.middleware import (
    AllowedHosts,
    BodyLimit,
    CatchUnexpected,
    HeadAsGet,
    HeaderLimit,
    RequestContext,
)
from imageserver.api.permissions import check_permissions
from imageserver.api.problems import install_problem_handlers
from imageserver.api.request_turns import RequestTurns
from imageserver.api.route_index import RouteIndex
from imageserver.api.routes import routes
from imageserver.api.store_turns import StoreTurns
from imageserver.archive.archive import Archive
from imageserver.archive.deletions import DeletedInstance
from imageserver.audit.models import Kind
from imageserver.audit.record import SERVER, AccessRecorder, Actor, record_alert, record_instances
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.settings import Settings

EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Retry-After",
    "Warning",
    "X-Frame-Number",
    "X-Orientation",
    "X-Overlays",
    "X-Pixel-Spacing",
    "X-Request-ID",
    "X-SOP-Instance-UID",
    "X-Series-Instance-UID",
    "X-Slab-Planes",
    "X-Slice-Count",
    "X-Slice-Index",
    "X-Slice-Position",
    "X-Slice-Stack",
    "X-Study-Instance-UID",
    "X-Window-Center",
    "X-Window-Source",
    "X-Window-Width",
)
PREFLIGHT_SECONDS = 600
# Pixels hardly shrink for the time that it takes, and progress is told by Content-Length.
UNCOMPRESSED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/dicom",
    "application/octet-stream",
    "multipart/byteranges",
    "multipart/related",
)


def create_app(settings: Settings) -> FastAPI:
    """Make the application for these settings; nothing is started before its lifespan begins."""
    app = FastAPI(
        title="Medical Image Server",
        version=imageserver.__version__,
        description="Who the patient is and what the images show. Not a diagnostic device.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.api_docs else None,
        lifespan=_lifespan,
        redirect_slashes=False,  # one address per thing; a redirect would be built from the Host header
    )
    app.state.settings = settings
    app.state.clock = utc_now
    app.state.database = Database(settings.effective_database_url)
    app.state.signing_keys = load_signing_keys(settings.state_dir, settings.signing_keys_file)
    app.state.password_hasher = PasswordHasher()
    app.state.costly_requests = CostlyRequests()
    app.state.store_turns = StoreTurns()
    app.state.access_recorder = AccessRecorder(app.state.database)
    app.state.archive = Archive(settings, app.state.database, _record_alert, _record_purge)
    install_problem_handlers(app)
    _add_middleware(app, settings)
    app.router.routes.extend(routes(with_docs=settings.api_docs))
    check_permissions(app)
    app.router.middleware_stack = RouteIndex(app.router)
    return app


def _record_alert(
    session: Session, code: str, study_instance_uid: str | None, series_instance_uid: str | None
) -> None:
    record_alert(
        session,
        code,
        utc_now(),
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
    )


def _record_purge(session: Session, deleted: Sequence[DeletedInstance]) -> None:
    record_instances(session, Actor(SERVER), Kind.PURGED, utc_now(), map(record_of_deleted, deleted))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.archive.start()
    yield
    app.state.archive.stop()
    app.state.database.dispose()


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    # The last one added is the outermost.
    app.add_middleware(RequestTurns)
    app.add_middleware(BodyLimit, store_bytes=settings.store_request_mib * 1024 * 1024)
    app.add_middleware(CatchUnexpected)
    app.add_middleware(GZipMiddleware, compresslevel=5, exclude_content_types=UNCOMPRESSED)
    app.add_middleware(
        Cors,
        allow_origins=settings.effective_cors_origins,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Range", "Range"],
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_SECONDS,
    )
    app.add_middleware(HeadAsGet)
    app.add_middleware(AllowedHosts, hosts=settings.effective_allowed_hosts)
    app.add_middleware(HeaderLimit)
    app.add_middleware(RequestContext)
