"""``/auth/…``: logging in and out, the session, the password."""

from dataclasses import replace
from typing import Annotated, Literal, NoReturn

from fastapi import APIRouter, Depends, Form, Request, Response

from imageserver.accounts import login, sessions, users
from imageserver.accounts.callers import Program, SignedInUser
from imageserver.accounts.login import Verdict
from imageserver.accounts.models import EndReason, Role
from imageserver.accounts.tokens import issue_access_token
from imageserver.api.auditing import actor_of
from imageserver.api.auth_models import (
    AccessToken,
    LoginForm,
    Me,
    PasswordChange,
    RefreshedToken,
    SessionTimes,
    TokenTimes,
)
from imageserver.api.authentication import (
    AuthenticatedFirst,
    ClaimsToEnd,
    CurrentUser,
    SessionUser,
    get_signing_keys,
    session_limits,
)
from imageserver.api.client_address import network_of
from imageserver.api.dependencies import DatabaseDep, Now, SettingsDep
from imageserver.api.new_password import check_choice, get_hasher
from imageserver.api.origins import check_origin, forbid_storing, require_origin
from imageserver.api.problems import problem_responses
from imageserver.api.session_cookie import delete_cookie, has_cookie, read_cookie, renew_cookie, set_cookie
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import Actor, record_event
from imageserver.errors import InvalidCredentials, NotAuthenticated, SessionEnded, TooManyAttempts

router = APIRouter(
    prefix="/auth",
    tags=["accounts"],
    route_class=AuthenticatedFirst,
    dependencies=[Depends(check_origin), Depends(forbid_storing)],
)


@router.post("/token", responses=problem_responses(400, 401, 403, 413, 422, 429, 503, 507))
def log_in(
    request: Request,
    response: Response,
    form: Annotated[LoginForm, Form()],
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
) -> AccessToken:
    """Check user name and password; give an access token, and a browser its session cookie."""
    verdict = login.check_password(
        database, get_hasher(request), form.username, form.password, network_of(request), now
    )
    old_cookie = read_cookie(request)
    with database.writing() as session:
        started = login.log_in(session, verdict, session_limits(settings), now)
        if started and old_cookie and (replaced := sessions.name_session(session, cookie=old_cookie)):
            sessions.end_session(session, replaced.session_id, replaced.user_id, EndReason.REPLACED, now)
        actor = _actor_of_attempt(request, verdict, started.id if started else None)
        outcome = Outcome.SUCCESS if started else Outcome.FAILURE
        record_event(session, actor, Kind.LOGIN, outcome, now, reason=None if started else verdict.reason)
    if started is None or verdict.user_id is None:
        refuse_attempt(verdict)
    set_cookie(request, response, started.cookie)
    token, expires_in = issue_access_token(
        get_signing_keys(request), verdict.user_id, started.id, started.expires, now
    )
    return AccessToken(access_token=token, expires_in=expires_in)


@router.post("/refresh", responses=problem_responses(400, 401, 403, 413, 503, 507))
def refresh(
    request: Request, response: Response, database: DatabaseDep, settings: SettingsDep, now: Now
) -> RefreshedToken:
    """Give the next access token to a page that has the session cookie."""
    if not has_cookie(request):
        raise NotAuthenticated("Log in first: the request carries no session cookie.")
    require_origin(request)
    cookie = read_cookie(request)
    with database.reading() as session:
        user = sessions.find_by_cookie(session, cookie, session_limits(settings), now) if cookie else None
    if user is None or cookie is None:
        raise SessionEnded("The session has ended; log in again.")
    sessions.touch_if_due(database, user, now)
    renew_cookie(request, response, cookie)
    request.state.username = user.username
    token, expires_in = issue_access_token(
        get_signing_keys(request), user.user_id, user.session_id, user.expires, now
    )
    return RefreshedToken(
        access_token=token, expires_in=expires_in, username=user.username, session_id=user.session_id
    )


@router.post("/logout", status_code=204, responses=problem_responses(400, 403, 413, 422, 503, 507))
def log_out(
    request: Request,
    response: Response,
    database: DatabaseDep,
    claims: ClaimsToEnd,
    settings: SettingsDep,
    now: Now,
    everywhere: Literal["true", "false"] = "false",
) -> None:
    """End the session of the token, else of the cookie, on the server; with ``everywhere`` all of that user.

    The token may have run out. A session whose own time is over can only end itself.
    Answers 204 however often it is called, and only after the end is durable.
    """
    cookie = read_cookie(request)
    if claims is None and cookie is not None:
        require_origin(request)
    with database.writing() as session:
        by_cookie = sessions.name_session(session, cookie=cookie) if cookie else None
        named = sessions.name_session(session, session_id=claims.session_id) if claims else by_cookie
        if named is not None and not named.is_ended:
            limits = session_limits(settings)
            is_current = sessions.find_by_id(session, named.session_id, limits, now) is not None
            is_everywhere = everywhere == "true" and is_current
            if is_everywhere:
                sessions.end_all_sessions(session, named.user_id, EndReason.LOGOUT_EVERYWHERE, now)
            else:
                sessions.end_session(session, named.session_id, named.user_id, EndReason.LOGOUT, now)
            reason = "everywhere" if is_everywhere else None
            record_event(session, actor_of(request, named), Kind.LOGOUT, Outcome.SUCCESS, now, reason=reason)
        # Another tab may have logged somebody else in: the cookie of a session that goes on stays.
        is_others = cookie is not None and sessions.is_going_on(session, cookie)
    if cookie is not None and not is_others:
        delete_cookie(request, response)
    response.headers["Clear-Site-Data"] = '"cache"'  # pictures that the browser kept


@router.post(
    "/password", status_code=204, responses=problem_responses(400, 401, 403, 413, 422, 429, 503, 507)
)
def change_password(
    request: Request,
    response: Response,
    body: PasswordChange,
    user: SessionUser,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
) -> None:
    """Replace the password of who asks, and end all other sessions of that account. Its tokens for programs stay.

    The cookie of this session gets another secret: a copy of it ends as the other sessions do.
    """
    old_cookie = read_cookie(request)
    new_password = check_choice(settings, request, user.username, body.new_password)
    hasher = get_hasher(request)
    verdict = login.check_password(
        database, hasher, user.username, body.current_password, network_of(request), now
    )
    is_right = verdict.reason is login.Reason.RIGHT
    if is_right:
        with hasher.slot():
            new_hash = hasher.hash(new_password)
    with database.writing() as session:
        account = login.confirm(session, verdict)
        named = sessions.name_session(session, cookie=old_cookie) if old_cookie else None
        if account is not None:
            new_cookie = sessions.replace_cookie(session, user.session_id)
            reason, keep = EndReason.PASSWORD_CHANGED, user.session_id
            users.change_password(session, account, new_hash, reason, now, keep=keep)
        outcome = Outcome.SUCCESS if account else Outcome.FAILURE
        failure = None if account else verdict.reason
        record_event(session, actor_of(request, user), Kind.PASSWORD_CHANGED, outcome, now, reason=failure)
    if account is None:
        refuse_attempt(verdict)
    if named is not None and named.session_id == user.session_id:  # it may be another tab's by now
        set_cookie(request, response, new_cookie)


@router.get("/me", responses=problem_responses(400, 401, 503))
def get_me(user: CurrentUser, settings: SettingsDep) -> Me:
    """Tell who is logged in, or whose token a program has, and until when at the latest."""
    session, token = None, None
    if isinstance(user, SignedInUser):
        idle = int(session_limits(settings).idle.total_seconds())
        session = SessionTimes(
            id=user.session_id, started=user.started, expires=user.expires, idle_seconds=idle
        )
    if isinstance(user, Program):
        token = TokenTimes(
            id=user.token_id,
            name=user.token_name,
            rights=user.rights,
            created=user.created,
            expires=user.expires,
        )
    return Me(username=user.username, role=Role(user.role), session=session, token=token)


def _actor_of_attempt(request: Request, verdict: Verdict, session_id: str | None) -> Actor:
    # What was typed as a name is kept only where it is one: it may be a password in the wrong field.
    actor = actor_of(request)
    return replace(
        actor, username=verdict.username or actor.username, user_id=verdict.user_id, session_id=session_id
    )


def refuse_attempt(verdict: Verdict) -> NoReturn:
    """Say why a password opened nothing, as far as the client may know."""
    if verdict.wait_seconds:
        raise TooManyAttempts(
            f"Too many failed tries. Wait {verdict.wait_seconds} s, then the right password works.",
            retry_after=verdict.wait_seconds,
        )
    raise InvalidCredentials("User name or password is wrong.")
