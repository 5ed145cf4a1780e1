"""``/auth/setup``: the first account, and whether it still has to be made."""

from fastapi import APIRouter, Depends, Request

from imageserver.accounts import setup
from imageserver.accounts.models import Role
from imageserver.accounts.usernames import check_username
from imageserver.api.auditing import actor_of
from imageserver.api.auth_models import Account, FirstAccount, Status
from imageserver.api.authentication import AuthenticatedFirst
from imageserver.api.dependencies import DatabaseDep, Now, ReadingSession, SettingsDep
from imageserver.api.new_password import check_choice, get_hasher
from imageserver.api.origins import check_origin, forbid_storing
from imageserver.api.problems import problem_responses
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import record_event
from imageserver.errors import InvalidCredentials

router = APIRouter(
    prefix="/auth",
    tags=["accounts"],
    route_class=AuthenticatedFirst,
    dependencies=[Depends(check_origin), Depends(forbid_storing)],
)


@router.get("/status", responses=problem_responses(400, 503))
def get_status(session: ReadingSession, settings: SettingsDep) -> Status:
    """Tell whether the first account still has to be made, and how long a password must be."""
    return Status(
        setup_required=setup.is_setup_required(session), min_password_length=settings.min_password_length
    )


@router.post("/setup", status_code=201, responses=problem_responses(400, 401, 403, 409, 413, 422, 503, 507))
def set_up(
    request: Request, body: FirstAccount, database: DatabaseDep, settings: SettingsDep, now: Now
) -> Account:
    """Make the first account, an administrator, with the one-time code from the server's log."""
    actor = actor_of(request)
    try:
        with database.reading() as session:
            setup.check_setup_code(session, body.code, now)
    except InvalidCredentials:
        with database.writing() as session:
            record_event(session, actor, Kind.SETUP, Outcome.FAILURE, now, reason="wrong_code")
        raise
    username = check_username(body.username)
    password = check_choice(settings, request, username, body.password)
    hasher = get_hasher(request)
    with hasher.slot():
        password_hash = hasher.hash(password)
    with database.writing() as session:
        user = setup.create_first_user(session, body.code, username, password_hash, now)
        record_event(session, actor, Kind.SETUP, Outcome.SUCCESS, now, subject_username=user.username)
    return Account(username=user.username, role=Role(user.role))
