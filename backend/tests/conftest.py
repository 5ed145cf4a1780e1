"""Fixtures for all tests: settings in a temporary folder, a migrated and empty database, the application.

The database is a temporary SQLite file, or the PostgreSQL server that IMAGESERVER_TEST_DATABASE_URL names. There a
database with a random name is created and dropped again, so that nothing that is there already is touched.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, text

import imageserver.accounts.passwords
import imageserver.archive.commit_groups
import imageserver.archive.pictures
import imageserver.archive.volume_reading
import imageserver.audit.record
import imageserver.database
from imageserver.accounts.models import Role, User
from imageserver.accounts.passwords import HashPolicy, PasswordHasher
from imageserver.accounts.users import create_user
from imageserver.clock import utc_now
from imageserver.database import Base, Database
from imageserver.main import create_app
from imageserver.migrations import migrate
from imageserver.settings import Settings
from tests.folders import Folder

PASSWORD = "a horse that is correct"
CHEAPEST_HASH = HashPolicy(memory_kib=8, time_cost=1)  # tests/accounts/test_passwords.py checks the real one

AddUser = Callable[..., User]

# The same examples in every run, so that a change is not refused for what another one did. How long they take says
# more about a busy machine than about the code.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# For an hour of free time, with new examples: `python -m pytest tests/dicom --hypothesis-profile=thorough`.
hypothesis.settings.register_profile(
    "thorough", deadline=None, derandomize=False, max_examples=1000, print_blob=True
)
hypothesis.settings.register_profile(
    "longer", deadline=None, derandomize=False, max_examples=100, print_blob=True
)
hypothesis.settings.load_profile("suite")

SERVER_URL = os.environ.get("IMAGESERVER_TEST_DATABASE_URL", "")
PREPARE_SQLITE_CONNECTION = imageserver.database._prepare_sqlite_connection
DATABASE_FIXTURES = frozenset({"migrated_url", "unmigrated_url"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what may depend on which database it is: `-m database` leaves out the rest."""
    for item in items:
        has_database = not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        if has_database and item.get_closest_marker("any_database") is None:
            item.add_marker("database")


@pytest.fixture(scope="session", autouse=True)
def _patience() -> None:
    """On a machine that is busy with other tests everything may take longer than any user would wait for it."""
    imageserver.database.CONNECT_SECONDS = 60
    imageserver.database.STATEMENT_SECONDS = 60
    imageserver.database.POOL_WAIT_SECONDS = 60
    imageserver.database.TURN_SECONDS = 60
    imageserver.audit.record.WAIT_SECONDS = 60
    imageserver.archive.commit_groups.WAIT_SECONDS = 60
    imageserver.accounts.passwords.WAIT_SECONDS = 60
    imageserver.archive.pictures.WAIT_SECONDS = 60
    imageserver.archive.volume_reading._WAIT_SECONDS = 60


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> None:
    """A test's database need not survive a power cut; tests/test_database.py looks at what a server's does."""

    def prepare(connection: Any, record: Any) -> None:
        PREPARE_SQLITE_CONNECTION(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    imageserver.database._prepare_sqlite_connection = prepare


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    for name in [name for name in os.environ if name.startswith("IMAGESERVER_")]:
        del os.environ[name]


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Folder of a test, gone afterwards: those of all tests are more than the memory disk of a container holds."""
    yield tmp_path
    try:
        shutil.rmtree(tmp_path, ignore_errors=True)
    except RecursionError:  # a thousand folders in one another
        subprocess.run(["rm", "-rf", "--", tmp_path], check=False)


@contextmanager
def _new_database(folder: Path) -> Iterator[str]:
    """Address of a database without tables, gone afterwards."""
    if not SERVER_URL:
        yield f"sqlite:///{folder / 'new.sqlite3'}"
        return
    name = f"imageserver_test_{secrets.token_hex(6)}"
    server = create_engine(SERVER_URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield make_url(SERVER_URL).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture
def unmigrated_url(tmp_path: Path) -> Iterator[str]:
    """Address of a database that nothing has migrated yet."""
    with _new_database(tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a database that the real migrations have built, once for all tests."""
    with _new_database(tmp_path_factory.mktemp("database")) as url:
        database = Database(url)
        migrate(database)
        database.dispose()
        yield url


@pytest.fixture(scope="session")
def empty_tables(migrated_url: str) -> Iterator[Callable[[], None]]:
    """Function that empties all tables of the server's database, in one round trip."""
    database = Database(migrated_url)
    statements = "; ".join(f'DELETE FROM "{table.name}"' for table in reversed(Base.metadata.sorted_tables))

    def empty() -> None:
        with database.writing() as session:
            session.connection().exec_driver_sql(statements)

    yield empty
    database.dispose()


@pytest.fixture
def database_url(migrated_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Address of a migrated database without rows, for one test."""
    if SERVER_URL:
        request.getfixturevalue("empty_tables")()
        return migrated_url
    copy = tmp_path / "test.sqlite3"
    shutil.copy(make_url(migrated_url).database or "", copy)
    return f"sqlite:///{copy}"


@pytest.fixture(scope="session")
def default_settings(_no_settings_from_outside: None) -> Settings:
    """Settings that nobody has set; to read them from the environment costs more than many a test."""
    return Settings()


@pytest.fixture
def settings(default_settings: Settings, database_url: str, tmp_path: Path) -> Settings:
    """Settings with an empty data directory and a state directory of their own."""
    data_dir, state_dir = tmp_path / "data", tmp_path / "state"
    data_dir.mkdir()
    state_dir.mkdir(mode=0o700)
    own: dict[str, Any] = {"data_dir": data_dir, "state_dir": state_dir, "database_url": database_url}
    own["store_reserve_mib"] = 0  # temporary folders lie on small disks, that of a container in memory
    return default_settings.model_copy(update=own)


@pytest.fixture
def folder(settings: Settings) -> Folder:
    """The data directory, to put files in."""
    return Folder(settings.data_dir)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the test."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    """The application, not yet started; its password hashes cost next to nothing."""
    app = create_app(settings)
    app.state.password_hasher = PasswordHasher(CHEAPEST_HASH)
    database: Database = app.state.database
    yield app
    database.dispose()  # as the application does when it stops, which not every test lets it begin


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the started application; unexpected errors answer 500 as in production."""
    with TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def add_user(database: Database) -> AddUser:
    """Function that adds an account: ``add_user("ada")``; the password is PASSWORD."""
    hasher = PasswordHasher(CHEAPEST_HASH)

    def add(username: str, role: Role = Role.READER, password: str = PASSWORD) -> User:
        with database.writing() as session:
            return create_user(session, username, hasher.hash(password), role, utc_now())

    return add


@pytest.fixture
def signed_in(app: FastAPI, client: TestClient, add_user: AddUser) -> TestClient:
    """A client whose requests carry the access token of the user `ada`."""
    add_user("ada")
    portal = client.portal  # one event loop, as in production
    client = TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
    client.portal = portal
    answer = client.post("/auth/token", data={"username": "ada", "password": PASSWORD})
    client.cookies.clear()  # a program, not a browser
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client
