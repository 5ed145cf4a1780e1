"""``GET /healthz`` (the process lives) and ``GET /readyz`` (it can answer, and be logged in to)."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session

from imageserver.accounts.users import find_user
from imageserver.api.dependencies import ArchiveDep, DatabaseDep, SettingsDep
from imageserver.archive.managed_store import StoreFolderState
from imageserver.database import Database
from imageserver.errors import Unavailable
from imageserver.migrations import is_migrated
from imageserver.settings import Settings

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether requests can be answered; ``database`` and ``admin_account`` decide about the status code."""

    status: Literal["ready", "not_ready"]
    database: Literal["ok", "unavailable", "not_migrated"]
    admin_account: Literal["ok", "not_made", "not_configured", "unknown"]
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
def get_readiness(settings: SettingsDep, database: DatabaseDep, archive: ArchiveDep) -> JSONResponse:
    """Tell whether the database is reachable and migrated, and has the account of the settings.

    Beside it how index, data directory and store are.
    """
    state, account = _database_state(settings, database)
    is_ready = state == "ok" and account in ("ok", "not_configured")
    body: dict[str, Any] = {
        "status": "ready" if is_ready else "not_ready",
        "database": state,
        "admin_account": account,
        "index": archive.catalogue.status().state if state == "ok" else "unknown",
        "data_directory": "ok" if archive.directory.is_listable() else "unavailable",
        "store": archive.store.state(),
    }
    return JSONResponse(body, 200 if is_ready else 503, {"Cache-Control": "no-store"})


def _database_state(settings: Settings, database: Database) -> tuple[str, str]:
    try:
        with database.reading() as session:
            if is_migrated(session.connection()):
                return "ok", _account_state(settings, session)
            return "not_migrated", "unknown"
    except Unavailable:
        return "unavailable", "unknown"


def _account_state(settings: Settings, session: Session) -> str:
    """Say whether who waits for readiness can log in as the account that the start makes; none is ever removed."""
    if not settings.admin_username:
        return "not_configured"
    return "ok" if find_user(session, settings.admin_username) else "not_made"
