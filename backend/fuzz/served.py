"""The whole application over a folder and a database of its own, as a program that is logged in sees it."""

import os
import secrets
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from httpx import Response
from sqlalchemy import create_engine, make_url, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette names another client library by now
    from fastapi.testclient import TestClient
from fuzz.campaign import Fault
from imageserver.accounts.models import Role
from imageserver.accounts.passwords import HashPolicy, PasswordHasher
from imageserver.accounts.users import create_user
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.main import create_app
from imageserver.migrations import migrate
from imageserver.settings import Settings

_USERNAME = "fuzz"
_PASSWORD = "a horse that is correct"  # noqa: S105 - of an account that lives as long as the run
_AGE_SECONDS = 3600  # fresh files are waited for
_LOOK_SECONDS = 120
_PAGE = 100


class Served:
    """A running application, its data directory, and its store where it has one."""

    def __init__(self, client: TestClient, folder: Path, store: Path | None = None) -> None:
        self.client = client
        self.folder = folder
        self.store = store

    def log_in(self) -> None:
        """Get a token: a run may take longer than one lasts."""
        form = {"username": _USERNAME, "password": _PASSWORD}
        answer = self.client.post("/auth/token", data=form)
        self.client.cookies.clear()
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def write(self, name: str, content: bytes) -> Path:
        """Put a file into the data directory that seems to be an hour old."""
        path = self.folder / name
        path.write_bytes(content)
        moment = time.time() - _AGE_SECONDS
        os.utime(path, (moment, moment))
        return path

    def look(self) -> None:
        """Bring the index up to date; that it cannot is a fault."""
        archive = self.client.app.state.archive  # type: ignore[attr-defined]
        if not archive.keeper.look_and_wait(_LOOK_SECONDS):
            raise Fault("the index was not brought up to date in time")
        archive.catalogue.forget()
        state = self.get("/volumes", limit="1").json()["index"]["state"]
        if state != "ready":
            raise Fault(f"the index is {state} after a look")

    def get(self, path: str, **query: str) -> Response:
        """Ask; a 5xx is a fault."""
        answer: Response = self.client.get(path, params=query)
        if answer.status_code >= 500:
            raise Fault(f"{answer.status_code} of {path.split('/')[1]}")
        return answer

    def ask_everything(self) -> Counter[str]:
        """Ask for the list, and for each series all that there is to ask for; return the statuses by call."""
        found: Counter[str] = Counter()
        offset, total = 0, 1
        while offset < total:
            page = self.get("/volumes", limit=str(_PAGE), offset=str(offset)).json()
            offset, total = offset + _PAGE, page["total"]
            for volume in page["volumes"]:
                self._ask_series(volume["series_instance_uid"], found)
        return found

    def _ask_series(self, uid: str, found: Counter[str]) -> None:
        for path, query in (
            (f"/volumes/{uid}", {}),
            ("/patient", {"series": uid}),
            ("/slice", {"series": uid}),
            ("/slice", {"series": uid, "index": "0", "format": "jpeg", "center": "1e300", "width": "1e-300"}),
        ):
            found[f"{self.get(path, **query).status_code} /{path.split('/')[1]}"] += 1


@contextmanager
def serve(folder: Path, *, with_store: bool = False) -> Iterator[Served]:
    """Start the application on an empty data directory below `folder`, on request with a store beside it.

    The database is an SQLite file there, or a new one on the server that IMAGESERVER_TEST_DATABASE_URL names, which is
    dropped again.
    """
    data, state = folder / "data", folder / "state"
    data.mkdir()
    state.mkdir(mode=0o700)
    with database_url(folder) as url:
        database = Database(url)
        migrate(database)
        hasher = PasswordHasher(HashPolicy(memory_kib=8, time_cost=1))
        with database.writing() as session:
            create_user(session, _USERNAME, hasher.hash(_PASSWORD), Role.READER, utc_now())
        database.dispose()
        store = folder / "store" if with_store else None
        app = create_app(
            Settings(data_dir=data, state_dir=state, store_dir=store, store_reserve_mib=0, database_url=url)
        )
        app.state.password_hasher = hasher
        with TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False) as client:
            served = Served(client, data, store)
            served.log_in()
            yield served
        app.state.database.dispose()


@contextmanager
def database_url(folder: Path) -> Iterator[str]:
    """Yield the address of a database without tables, which is gone afterwards."""
    server_url = os.environ.pop("IMAGESERVER_TEST_DATABASE_URL", "")
    if not server_url:
        yield f"sqlite:///{folder / 'fuzz.sqlite3'}"
        return
    name = f"imageserver_fuzz_{secrets.token_hex(6)}"
    server = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()
