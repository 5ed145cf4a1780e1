"""T49: what the disk has changed is found, told, and never shown as good."""

import hashlib
import os
import random

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.archive.files import DataDirectory
from imageserver.archive.models import Instance
from imageserver.archive.scrubbing import Scrubber
from imageserver.archive.volumes import get_volume
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.archive.kept_index import DAY, Kept, files, flip
from tests.builders import image, uid, volume
from tests.folders import Folder


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


def test_a_file_that_changes_meanwhile_is_left_to_the_next_look(
    database: Database, folder: Folder, kept: Kept
) -> None:
    path = folder.write("file", image())
    kept.look()
    path.write_bytes(b"other")
    assert kept.scrub() == 0
    assert files(database)[b"file"].sha256 is None


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
    assert archive.keeper.look_and_wait(60)
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
