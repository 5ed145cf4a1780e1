"""A store on a real disk that is full, beside the database of the same server; needs root, to mount a small one.

``python -m fuzz.full_disk`` mounts 64 MiB in memory, or as ext4 in a file with ``--ext4``, and puts the state and the
store of a real server there, as ``make run`` does. Then:

1. files are stored until the server refuses one, and something else takes the rest of what storing may take;
2. uploads: each must be 507, while logging in, reading and the audit go on;
3. the disk is filled to its last byte: no upload may be acknowledged;
4. the room is given back: uploads must be stored without a restart;
5. the disk is taken away from the running server: uploads are 503, no row goes; it comes back, and they are stored.

At the end every acknowledged instance is retrieved with the same bytes, nothing else is there, and the database is
sound. It prints figures.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import func, select, text

from fuzz.kills import instance
from fuzz.serving import Server, running_server
from fuzz.store_requests import STUDIES, failure_reasons, store
from imageserver.archive.models import File
from imageserver.audit.models import AuditEvent
from imageserver.database import Database

MEBIBYTE = 1024 * 1024
OUT_OF_RESOURCES = 0xA700
RESERVE_MIB = 16
ROWS = 256  # 128 KiB each
CANNOT_MOUNT = 77  # as test programs say "skipped"


class CannotMount(Exception):
    """Nothing can be mounted on the system."""


@dataclass
class Figures:
    """What was seen."""

    stored: dict[str, bytes] = field(default_factory=dict, repr=False)
    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@contextmanager
def small_disk(folder: Path, mebibytes: int, is_ext4: bool) -> Iterator[Path]:
    """Mount a disk of this size; it is gone afterwards."""
    mount, image = folder / "disk", folder / "disk.img"
    mount.mkdir()
    if is_ext4:
        image.write_bytes(b"")
        os.truncate(image, mebibytes * MEBIBYTE)
        _call("mkfs.ext4", "-q", "-m", "0", str(image))
        command = ["mount", "-o", "loop", str(image), str(mount)]
    else:
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "imageserver", str(mount)]
    _call(*command)
    try:
        yield mount
    finally:
        _call("umount", "-l", str(mount))


def _call(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own commands
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMount(f"{command[0]} does not work here") from error


class Trial:
    """One server over one disk."""

    def __init__(self, server: Server, disk: Path, figures: Figures) -> None:
        self.server = server
        self.disk = disk
        self.figures = figures
        self._next = 10_000

    def store(self, phase: str, count: int, expected: set[int]) -> Counter[int]:
        """Store so many new files, and note what became of them."""
        statuses: Counter[int] = Counter()
        for _ in range(count):
            self._next += 1
            content = instance(self._next, ROWS)
            answer = store(self.server, content)
            statuses[answer.status_code] += 1
            if answer.status_code == 200:
                self.figures.stored[f"2.25.{self._next}"] = content
            elif answer.status_code == 507 and not _tells_of_no_room(answer):
                self.fault(f"{phase}: 507 without A700H")
            if answer.status_code not in expected:
                self.fault(f"{phase}: {answer.status_code}")
                break
        self.figures.statuses[phase] = dict(statuses)
        return statuses

    def read(self, phase: str) -> None:
        """Log in anew, and read what was stored; the audit must tell of both."""
        before = self._audited()
        self.server.log_in()
        for path in ("/studies", "/slice", f"{STUDIES}?limit=1", "/auth/me"):
            status = self.server.client.get(path).status_code
            if status != 200:
                self.fault(f"{phase}: {path} is {status}")
        uid = next(iter(self.figures.stored))
        if self._retrieve(uid) != self.figures.stored[uid]:
            self.fault(f"{phase}: another file came back")
        if self._audited() <= before:
            self.fault(f"{phase}: nothing was added to the audit")

    def ballast(self, name: str, leave: int) -> Path:
        """Take all room but so many bytes, as something else on the same disk might."""
        path = self.disk / name
        with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while (free := _free(self.disk)) > leave:
                stream.write(bytes(min(MEBIBYTE, free - leave)))
            os.fsync(stream.fileno())
        return path

    def check(self) -> None:
        """Compare everything at the end."""
        for uid, content in self.figures.stored.items():
            if self._retrieve(uid) != content:
                self.fault("an acknowledged instance is missing or changed")
        found = self.server.client.get("/dicomweb/instances", params={"limit": 1000}).json()
        if {item["00080018"]["Value"][0] for item in found} != self.figures.stored.keys():
            self.fault("other instances are shown than were acknowledged")
        if any(path.is_file() for path in (self.disk / "store" / ".incoming").rglob("*")):
            self.fault("something is left of receiving")
        if self.server.deaths():
            self.fault("a process of the server ended")

    def rows(self) -> int:
        """Count the files of the index."""
        return self._ask(select(func.count()).select_from(File))

    def fault(self, words: str) -> None:
        """Note a fault."""
        self.figures.faults.append(words)

    def _retrieve(self, uid: str) -> bytes:
        answer = self.server.client.get(
            "/dicomweb/wado",
            params={"requestType": "WADO", "objectUID": uid, "contentType": "application/dicom"}
            | {"studyUID": "2.25.1", "seriesUID": f"2.25.{int(uid[5:]) % 5 + 2}"},
        )
        return answer.content if answer.status_code == 200 else b""

    def _audited(self) -> int:
        return self._ask(select(func.count()).select_from(AuditEvent))

    def _ask(self, statement: object) -> int:
        database = Database(f"sqlite:///{self.disk / 'state' / 'imageserver.sqlite3'}")
        try:
            with database.reading() as session:
                return int(session.scalar(statement) or 0)  # type: ignore[call-overload]
        finally:
            database.dispose()


def _tells_of_no_room(answer: httpx.Response) -> bool:
    if answer.headers["Content-Type"] == "application/problem+json":
        return bool(answer.json()["code"] == "storage_full")
    return set(failure_reasons(answer)) == {OUT_OF_RESOURCES}


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def run(
    folder: Path, mebibytes: int = 64, uploads: int = 100, is_ext4: bool = False, is_taken_away: bool = True
) -> Figures:
    """Mount, start a server, and go through all steps."""
    figures = Figures()
    data = folder / "data"
    data.mkdir()
    with small_disk(folder, mebibytes, is_ext4) as disk:
        state, stored = disk / "state", disk / "store"
        with running_server(
            data,
            1,
            8,
            STATE_DIR=str(state),
            STORE_DIR=str(stored),
            STORE_RESERVE_MIB=str(RESERVE_MIB),
            DATABASE_URL="",
        ) as server:
            trial = Trial(server, disk, figures)
            fill(trial, uploads)
            if is_taken_away:
                take_away(trial)
            trial.check()
        database = Database(f"sqlite:///{state / 'imageserver.sqlite3'}")
        with database.reading() as session:
            if (sound := session.scalar(text("PRAGMA integrity_check"))) != "ok":
                figures.faults.append(f"the database: {sound}")
        database.dispose()
    return figures


def fill(trial: Trial, uploads: int) -> None:
    """Fill the disk and give the room back."""
    trial.store("while there is room", 20, {200})
    reserve = RESERVE_MIB * MEBIBYTE
    first = trial.ballast("ballast", reserve + 3 * MEBIBYTE)
    trial.store("until it is full", 60, {200, 507})
    first_rest = trial.ballast("ballast-2", reserve + ROWS)  # less than any of the files
    trial.store("full", uploads, {507})
    trial.read("full")
    last = trial.ballast("ballast-3", 0)
    trial.store("not a byte left", uploads, {503, 507})
    for path in (last, first_rest, first):
        path.unlink()
    trial.read("room again")
    trial.store("room again", uploads, {200})


def take_away(trial: Trial) -> None:
    """Take the folder of the store away, as an unmounted disk is, and bring it back."""
    stored, away = trial.disk / "store", trial.disk / "away"
    rows = trial.rows()
    stored.rename(away)
    stored.mkdir()
    trial.store("disk away", 10, {503})
    until = time.monotonic() + 60
    while trial.server.client.get("/readyz").json()["index"] != "unavailable":
        if time.monotonic() > until:
            trial.fault("the index does not notice that the disk is away")
            break
        time.sleep(0.2)
    trial.store("disk away for long", 10, {503})
    if trial.rows() != rows:
        trial.fault(f"{rows - trial.rows()} rows went with the disk")
    _call("rm", "-r", str(stored))
    away.rename(stored)
    while trial.server.client.get("/readyz").json()["index"] != "ready" and time.monotonic() < until + 60:
        time.sleep(0.2)
    trial.store("disk back", 5, {200})


def main() -> int:
    """Run as a command; 1 where something was wrong, 77 where nothing can be mounted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=64)
    parser.add_argument("--uploads", type=int, default=100)
    parser.add_argument("--ext4", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = run(Path(folder), arguments.mib, arguments.uploads, arguments.ext4)
        except CannotMount as error:
            print(f"skipped: {error}", file=sys.stderr)
            return CANNOT_MOUNT
    print(len(figures.stored), "stored;", figures)
    return 1 if figures.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
