"""``/auth/tokens``: the tokens that a user gives to programs. Only the user, signed in, manages them."""

from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from imageserver.accounts import login, program_tokens
from imageserver.accounts.callers import SignedInUser
from imageserver.accounts.models import ProgramToken, TokenEnd
from imageserver.api.auditing import actor_of
from imageserver.api.auth import refuse_attempt
from imageserver.api.authentication import AuthenticatedFirst, SessionUser
from imageserver.api.client_address import network_of
from imageserver.api.dependencies import DatabaseDep, Now, ReadingSession, WritingSession
from imageserver.api.new_password import get_hasher
from imageserver.api.origins import check_origin, forbid_storing
from imageserver.api.problems import problem_responses
from imageserver.api.program_token_models import MadeToken, TokenId, TokenList, TokenToMake, describe_token
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import record_event

router = APIRouter(
    prefix="/auth/tokens",
    tags=["accounts"],
    route_class=AuthenticatedFirst,
    dependencies=[Depends(check_origin), Depends(forbid_storing)],
)


@router.get("", responses=problem_responses(400, 401, 403, 503))
def list_tokens(user: SessionUser, session: ReadingSession, now: Now) -> TokenList:
    """List the tokens of who asks, the newest first: expired ones too, revoked ones not."""
    tokens = program_tokens.list_tokens(session, user.user_id)
    return TokenList(tokens=[describe_token(token, now) for token in tokens])


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 413, 422, 429, 503, 507))
def make_token(
    request: Request, body: TokenToMake, user: SessionUser, database: DatabaseDep, now: Now
) -> MadeToken:
    """Make a token; its secret is in this answer and nowhere else.

    It asks for the password: whoever found a session open must not leave with a key that lasts a year.
    """
    name = program_tokens.check_name(body.name)
    program_tokens.check_expiry(body.expires, now)
    with database.reading() as session:
        program_tokens.check_room(session, user.user_id)
    verdict = login.check_password(
        database, get_hasher(request), user.username, body.current_password, network_of(request), now
    )
    with database.writing() as session:
        made = None
        if login.confirm(session, verdict) is not None:
            made = program_tokens.make_token(session, user.user_id, name, body.rights, body.expires, now)
            _record(session, request, user, Kind.TOKEN_MADE, made.token, now)
        else:
            actor, reason = actor_of(request, user), verdict.reason
            record_event(session, actor, Kind.TOKEN_MADE, Outcome.FAILURE, now, reason=reason)
    if made is None:
        refuse_attempt(verdict)
    return MadeToken(**describe_token(made.token, now).model_dump(), secret=made.secret)


@router.delete("/{token_id}", status_code=204, responses=problem_responses(400, 401, 403, 404, 422, 503, 507))
def revoke_token(
    request: Request, token_id: TokenId, user: SessionUser, session: WritingSession, now: Now
) -> Response:
    """Revoke a token of who asks: it opens nothing from this moment on. Again is as good as once."""
    token = program_tokens.revoke_token(session, token_id, TokenEnd.REVOKED, now, user_id=user.user_id)
    if token.revoked == now:
        _record(session, request, user, Kind.TOKEN_REVOKED, token, now)
    return Response(status_code=204)


def _record(
    session: Session, request: Request, user: SignedInUser, kind: Kind, token: ProgramToken, now: Now
) -> None:
    actor = replace(actor_of(request, user), token_id=token.id, token_name=token.name)
    record_event(session, actor, kind, Outcome.SUCCESS, now)
