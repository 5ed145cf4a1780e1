"""T47: a second file with a known UID and other bytes is told to the audit, once."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.archive.archive import Archive
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.builders import image, uid
from tests.folders import Folder


def test_t47_the_conflict_is_a_security_alert(
    app: FastAPI, client: TestClient, database: Database, folder: Folder
) -> None:
    archive: Archive = app.state.archive

    def alerts() -> list[tuple[str | None, str | None]]:
        archive.keeper.look_and_wait(60)
        with database.reading() as session:
            columns = select(AuditEvent.reason, AuditEvent.series_instance_uid)
            rows = session.execute(columns.where(AuditEvent.kind == "security_alert").order_by(AuditEvent.id))
            return [(row[0], row[1]) for row in rows]

    folder.write("first", image())
    folder.write("same", image())
    assert alerts() == []
    folder.write("second", image(PatientID="OTHER"))
    found = [("sop_instance_uid_conflict", uid("series"))]
    assert alerts() == found
    folder.write("another", image(instance=2))
    assert alerts() == found
