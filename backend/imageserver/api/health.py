"""``GET /healthz`` (the process lives) and ``GET /readyz`` (it can answer: database reachable and migrated)."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from imageserver.api.dependencies import ArchiveDep, DatabaseDep
from imageserver.archive.managed_store import StoreFolderState
from imageserver.database import Database
from imageserver.errors import Unavailable
from imageserver.migrations import is_migrated

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether requests can be answered; only ``database`` decides about the status code."""

    status: Literal["ready", "not_ready"]
    database: Literal["ok", "unavailable", "not_migrated"]
    index: Literal["building", "ready", "unavailable", "unknown"]
    data_directory: Literal["ok", "unavailable"]
    store: StoreFolderState


@router.get("/healthz")
async def get_liveness(response: Response) -> Liveness:
    """Tell that the process lives; asks nothing of anybody else."""
    # A page of a refused origin may see that something answers, and say so instead of "unreachable".
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return Liveness()


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def get_readiness(database: DatabaseDep, archive: ArchiveDep) -> JSONResponse:
    """Tell whether the database is reachable and migrated; beside it how index, data directory and store are."""
    state = _database_state(database)
    body: dict[str, Any] = {
        "status": "ready" if state == "ok" else "not_ready",
        "database": state,
        "index": archive.catalogue.status().state if state == "ok" else "unknown",
        "data_directory": "ok" if archive.directory.is_listable() else "unavailable",
        "store": archive.store.state(),
    }
    return JSONResponse(body, 200 if state == "ok" else 503, {"Cache-Control": "no-store"})


def _database_state(database: Database) -> str:
    try:
        with database.reading() as session:
            return "ok" if is_migrated(session.connection()) else "not_migrated"
    except Unavailable:
        return "unavailable"
