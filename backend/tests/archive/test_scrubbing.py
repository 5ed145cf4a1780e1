"""T49: what the disk has changed is found, told, and never shown as good."""

import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import Indexer, Outcome
from imageserver.archive.lease import Lease
from imageserver.archive.models import File, Instance, InstanceMetadata
from imageserver.archive.scrubbing import Scrubber
from imageserver.archive.volumes import get_volume
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.builders import image, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]
DAY = 86_400


class Kept:
    """An index that this process keeps, with a scrubber whose clock the test turns."""

    def __init__(self, database: Database, directory: DataDirectory) -> None:
        self.lease = Lease(database)
        assert self.lease.take()
        self.indexer = Indexer(database, directory, self.lease)
        self.now = 1_000_000.0
        self.damage: list[tuple[str | None, str | None]] = []
        self.scrubber = Scrubber(
            database,
            directory,
            self.lease,
            interval=DAY,
            on_alert=lambda _session, _code, *uids: self.damage.append(uids),
            clock=lambda: self.now,
        )

    def look(self) -> Outcome:
        return self.indexer.look()

    def scrub(self, *, days: float = 1) -> int:
        """One pass; how many files were looked at."""
        self.now += days * DAY
        count = 0
        while done := self.scrubber.step():
            count += done
        return count


@pytest.fixture
def kept(database: Database, directory: DataDirectory) -> Kept:
    return Kept(database, directory)


def flip(path: Path, at: int) -> None:
    """Change one bit on the disk as a fault does: size and time stay."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def files(database: Database) -> dict[bytes, File]:
    with database.reading() as session:
        return {file.path: file for file in session.scalars(select(File))}


def test_a_pass_takes_the_checksum_of_every_file_that_is_shown(
    database: Database, folder: Folder, kept: Kept
) -> None:
    paths = folder.write_all(volume(3))
    folder.write("junk", b"junk")
    folder.write("copy", paths[0].read_bytes())
    kept.look()
    assert kept.scrub() == 4
    found = files(database)
    assert found[b"junk"].sha256 is None
    assert found[b"copy"].sha256 == found[b"slice0000"].sha256
    assert found[b"slice0002"].sha256 == hashlib.sha256(paths[2].read_bytes()).hexdigest()
    assert found[b"slice0002"].scrubbed == kept.now


def test_a_file_is_looked_at_once_per_interval(folder: Folder, kept: Kept) -> None:
    folder.write_all(volume(2))
    kept.look()
    assert [kept.scrub(), kept.scrub(days=0.5), kept.scrub(days=0.5)] == [2, 0, 2]


def test_a_clock_that_was_set_back_stops_no_scrub(folder: Folder, kept: Kept) -> None:
    folder.write_all(volume(2))
    kept.look()
    assert [kept.scrub(days=100), kept.scrub(days=-100)] == [2, 2]


def test_metadata_are_made_in_passing(
    database: Database, folder: Folder, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(volume(3))
    kept.look()
    kept.scrub()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(InstanceMetadata)) == 3
    monkeypatch.setattr("imageserver.archive.reading_rules.METADATA_VERSION", 10_000)
    folder.write("later", image(instance=9))
    kept.look()
    assert kept.scrub(days=0) == 4  # the new one, then those whose metadata former rules made
    assert kept.scrub(days=0) == 0
    with database.reading() as session:
        stamps = session.scalars(select(InstanceMetadata.made_by)).all()
    assert len(stamps) == 4
    assert all(stamp.startswith("10000-") for stamp in stamps)


def test_t49_a_hundred_flipped_bytes_are_found_in_one_pass(
    database: Database, folder: Folder, kept: Kept
) -> None:
    chosen = random.Random(49)
    paths = folder.write_all(volume(110))
    kept.look()
    kept.scrub()
    damaged = chosen.sample(paths, 100)
    for path in damaged:
        flip(path, chosen.randrange(path.stat().st_size))
    assert not kept.look().has_changed  # the identity says nothing
    kept.scrub()
    marked = {path for path, file in files(database).items() if file.code == "integrity_mismatch"}
    assert marked == {os.fsencode(path.name) for path in damaged}
    assert kept.damage == [(uid("study of", "series"), uid("series"))] * 100
    with database.reading() as session:
        refused = session.scalars(
            select(Instance.refused_code).where(Instance.refused_code.is_not(None))
        ).all()
        found = get_volume(session, uid("series"))
    assert refused == ["integrity_mismatch"] * 100
    assert found is not None
    assert found.summary.slice_count == 110  # none is taken for its neighbour
    (warning,) = (entry for entry in found.warnings if entry["code"] == "refused_integrity_mismatch")
    assert len(warning["sop_instance_uids"]) == 100
    kept.scrub()
    assert len(kept.damage) == 100  # told once


def test_a_file_whose_content_is_back_is_shown_again(database: Database, folder: Folder, kept: Kept) -> None:
    path = folder.write("file", image())
    kept.look()
    kept.scrub()
    flip(path, 500)
    kept.scrub()
    kept.look()
    assert files(database)[b"file"].code == "integrity_mismatch"
    flip(path, 500)
    kept.scrub()
    kept.look()
    assert (files(database)[b"file"].state, files(database)[b"file"].code) == ("indexed", None)


def test_a_replaced_file_is_shown_again(database: Database, folder: Folder, kept: Kept) -> None:
    path = folder.write("file", image())
    kept.look()
    kept.scrub()
    flip(path, 500)
    kept.scrub()
    folder.write("file", image(), age=60)
    kept.look()
    assert (files(database)[b"file"].state, files(database)[b"file"].sha256) == ("indexed", None)
    assert kept.scrub() == 1
    assert kept.damage == [(uid("study of", "series"), uid("series"))]


def test_only_who_keeps_the_index_scrubs(
    database: Database, directory: DataDirectory, folder: Folder, kept: Kept
) -> None:
    folder.write_all(volume(2))
    kept.look()
    other = Lease(database)
    assert not other.take()
    assert Scrubber(database, directory, other, interval=DAY).step() == 0
    other.take(by_force=True)
    assert kept.scrub() == 0
    assert Scrubber(database, directory, other, interval=DAY).step() == 2


def test_a_file_that_changes_meanwhile_is_left_to_the_next_look(
    database: Database, folder: Folder, kept: Kept
) -> None:
    path = folder.write("file", image())
    kept.look()
    path.write_bytes(b"other")
    assert kept.scrub() == 0
    assert files(database)[b"file"].sha256 is None


def test_nothing_is_scrubbed_while_the_folder_is_read(database: Database, folder: Folder, kept: Kept) -> None:
    folder.write("file", image())
    folder.write("growing", image(instance=2), age=0)
    assert kept.look().is_settling
    assert kept.scrub() == 0


def test_a_damaged_copy_does_not_hide_the_good_one(database: Database, folder: Folder, kept: Kept) -> None:
    folder.write("a", image())
    copy = folder.write("b", image())
    kept.look()
    kept.scrub()
    flip(copy, 500)
    kept.scrub()
    assert files(database)[b"b"].code == "integrity_mismatch"
    assert files(database)[b"a"].state == "indexed"
    with database.reading() as session:
        assert session.scalars(select(Instance.refused_code)).all() == [None]


def test_in_the_background_while_nothing_else_works(
    database: Database, directory: DataDirectory, folder: Folder, kept: Kept
) -> None:
    folder.write_all(volume(2))
    kept.look()
    questions = iter([True, True])
    scrubber = Scrubber(database, directory, kept.lease, interval=DAY, is_busy=lambda: next(questions, False))
    assert scrubber.step(is_gentle=True) == 2
    assert next(questions, None) is None  # it waited for as long as something was busy


def test_t49_over_http_a_damaged_file_is_410_and_alerted(
    app: FastAPI, signed_in: TestClient, database: Database, folder: Folder
) -> None:
    path = folder.write("file", image())
    archive = app.state.archive
    scrubber: Scrubber = archive._scrubber
    scrubber.stop(5)  # the test says when
    scrubber._stop.clear()
    assert archive.keeper.look_and_wait(10)
    good = signed_in.get("/slice")
    assert good.status_code == 200
    assert scrubber.step() == 1
    flip(path, path.stat().st_size - 5)
    scrubber.clock = lambda: files(database)[b"file"].scrubbed + 8 * DAY
    assert scrubber.step() == 1
    for headers in ({}, {"If-None-Match": good.headers["ETag"]}):
        answer = signed_in.get("/slice", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (410, "integrity_mismatch")
    with database.reading() as session:
        alert = session.scalars(select(AuditEvent).where(AuditEvent.kind == "security_alert")).one()
    report = signed_in.get("/index/problems").json()
    assert report["total"] == 1
    assert "integrity_mismatch" in str(report)
    assert (alert.reason, alert.series_instance_uid) == ("integrity_mismatch", uid("series"))
