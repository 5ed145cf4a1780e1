"""Every operation of the OpenAPI document, with made-up parameters: no answer may break the document.

All checks of schemathesis run: no failure of the server, only documented statuses, media types, headers and bodies,
malformed values refused, nothing answered without authentication. Few examples, always the same ones; with
`--hypothesis-profile=longer` a hundred per operation, with `thorough` a thousand, others each time.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from imageserver.accounts.models import User
from imageserver.accounts.sessions import start_session
from imageserver.accounts.tokens import issue_access_token
from imageserver.api.authentication import session_limits
from imageserver.clock import utc_now
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import image, uid, volume
from tests.conftest import AddUser
from tests.folders import Folder

IS_THOROUGH = settings.get_current_profile_name() != "suite"
EXAMPLES = settings.default.max_examples if IS_THOROUGH else 10
# Values that the document allows and the server refuses, because OpenAPI cannot say it; only the check that allowed
# values are accepted is left out there.
BEYOND_OPENAPI = {
    "POST /auth/password": "common passwords are refused",
    "POST /auth/tokens": "the password is one's own, and the time lies ahead",
    "POST /auth/setup": "common passwords are refused",
    "GET /volumes": "the first day is not later than the last",
    "GET /studies": "the first day is not later than the last",
    "GET /slice": "center and width belong together",
    "GET /reslice": "center and width belong together; of index and position one is named",
    "GET /measurements": "of study and series one is named",
    "GET /measurements.csv": "of study and series one is named",
    "GET /dicomweb/wado": "requestType is WADO, and parameters exclude each other (PS3.18, 9.1.2)",
    "POST /dicomweb/studies": "the body is what its type says",
    "POST /dicomweb/studies/{study_instance_uid}": "the body is what its type says",
    "PUT /measurements/{measurement_id}": "each kind has its points and values; a precondition is demanded",
    "DELETE /measurements/{measurement_id}": "a precondition is demanded",
}
# Their parameters are lists in one text (PS3.18, 8.3.5).
LISTS_IN_TEXT = ("/rendered", "/renderedmpr", "/thumbnail", "/dicomweb/studies", "/series", "/instances")
# They name attributes by keywords and tags (PS3.18, 8.3.4), which only the dictionary knows.
SEARCHES = ("/dicomweb/studies", "/series", "/instances")
# What there is, by the names of parameters: chance never finds a UID.
THERE = {
    "study_instance_uid": uid("study of", "series"),
    "series_instance_uid": uid("series"),
    "sop_instance_uid": uid("series", 1),
    "frame_list": "1",
    "study": uid("study of", "series"),
    "series": uid("series"),
}


@schemathesis.serializer("multipart/related", "application/dicom")
def as_bytes(_context: Any, value: Any) -> bytes:
    """Send what the document calls binary as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not IS_THOROUGH,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(name="settings")
def with_store(settings: Settings) -> Settings:
    """With a store, so that requests to store are read."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Address of the application, served on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def schema(address: str, folder: Folder, index: Index) -> Any:
    """The document of an application with a volume, a series without pictures, and junk."""
    folder.write_all(volume(3))
    folder.write("report", image(series="report", Modality="SR", PixelData=None, Rows=None))
    folder.write("junk", b"junk")
    index()
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


@pytest.fixture
def user(add_user: AddUser) -> User:
    """Who asks in the tests that are signed in."""
    return add_user("ada")


def fresh_token(app: FastAPI, user: User) -> str:
    """A token of a session of its own: some of the operations end the session that they are called with."""
    now = utc_now()
    with app.state.database.writing() as session:
        started = start_session(session, user, "test", session_limits(app.state.settings), now)
    return issue_access_token(app.state.signing_keys, user.id, started.id, started.expires, now)[0]


Check = Callable[[schemathesis.Case, list[Any]], object]


def only_of_what_is_there(operation: Any) -> bool:
    """Whether an operation names something that there may be."""
    return any(parameter.name in THERE for parameter in operation.iter_parameters())


def for_each_case(schema: Any, check: Check, is_wanted: Callable[[Any], bool] = lambda _: True) -> set[str]:
    """Call `check` with the cases of every wanted operation; returns the operations."""
    operations = set()
    failures = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if not is_wanted(operation):
            continue
        is_beyond = operation.label in BEYOND_OPENAPI or operation.path.endswith(LISTS_IN_TEXT + SEARCHES)
        excluded = [positive_data_acceptance] if is_beyond else []
        try:
            few(given(case=operation.as_strategy())(partial_check(check, excluded)))()
        except Exception as failure:  # all of them are told
            failures.append(failure)
        operations.add(operation.label)
    if failures:
        raise ExceptionGroup("answers that the document does not tell", failures)
    return operations


def partial_check(check: Check, excluded: list[Any]) -> Callable[[schemathesis.Case], None]:
    def run(case: schemathesis.Case) -> None:
        check(case, excluded)

    return run


@pytest.mark.any_database
def test_anonymous(schema: Any) -> None:
    operations = for_each_case(
        schema, lambda case, excluded: case.call_and_validate(excluded_checks=excluded)
    )
    assert {"GET /slice", "GET /patient", "GET /volumes", "POST /auth/token"} <= operations


def test_signed_in(schema: Any, app: FastAPI, user: User) -> None:
    def check(case: schemathesis.Case, excluded: list[Any]) -> None:
        authorization = {"Authorization": f"Bearer {fresh_token(app, user)}"}
        case.call_and_validate(headers=authorization, excluded_checks=excluded)

    for_each_case(schema, check)


def test_what_is_there(schema: Any, app: FastAPI, user: User) -> None:
    """With addresses of what there is, so that more than refusals is compared with the document."""
    found = set()

    def check(case: schemathesis.Case, _excluded: list[Any]) -> None:
        assert case.meta is not None
        if not case.meta.generation.mode.is_positive:
            return  # what is wrong about it may be what would be replaced
        for values in (case.path_parameters, case.query):
            for name in (values or {}).keys() & THERE.keys():
                values[name] = THERE[name]
        authorization = {"Authorization": f"Bearer {fresh_token(app, user)}"}
        # An address of pixels may be of former ones: 410 (RFC 9110, 15.5.11).
        without = [positive_data_acceptance]
        answer = case.call_and_validate(headers=authorization, excluded_checks=without)
        if answer.status_code == 200:
            found.add(case.operation.label)

    for_each_case(schema, check, only_of_what_is_there)
    assert found >= {"GET /studies/{study_instance_uid}", "GET /volumes/{series_instance_uid}"}
