"""`imageserver audit`, run as a person would."""

import json
from datetime import UTC, datetime

import pytest

from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import Actor, record_event
from imageserver.database import Database
from tests.commands.conftest import Run

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def filled(database: Database) -> None:
    with database.writing() as session:
        actor = Actor("ada", "id", "session", "request", "192.0.2.7")
        record_event(session, actor, Kind.LOGIN, Outcome.SUCCESS, NOW)
        record_event(session, Actor("bob"), Kind.LOGIN, Outcome.FAILURE, NOW, reason="wrong_password")


@pytest.mark.usefixtures("filled")
class TestAudit:
    def test_lines_for_people(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("audit") == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines == [
            "2026-11-22 12:00:00Z  ada  login  success  client_address=192.0.2.7 request_id=request",
            "2026-11-22 12:00:00Z  bob  login  failure  reason=wrong_password",
            lines[2],
        ]
        assert (
            "(command line)  audit_read  success" in lines[2]
        )  # reading is recorded first, so it is seen too

    def test_lines_for_programs(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("audit", "--json", "--user", "ADA") == 0
        row = json.loads(capsys.readouterr().out)
        assert (row["username"], row["kind"], row["time"]) == ("ada", "login", NOW.isoformat())

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [
            (["--kind", "login"], 2),
            (["--outcome", "failure"], 1),
            (["--since", "2026-11-22T12:00"], 3),
            (["--until", "2026-11-22"], 0),
            (["--until", "2026-11-22T14:00:00.000001+02:00"], 2),
            (["--limit", "1"], 1),
            (["--limit", "0"], 3),
            (["--series", "1.2"], 0),
        ],
    )
    def test_filters(
        self, run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], count: int
    ) -> None:
        assert run("audit", *arguments) == 0
        assert len(capsys.readouterr().out.splitlines()) == count

    def test_reading_is_recorded(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        run("audit")
        run("audit", "--kind", "audit_read")
        assert len(capsys.readouterr().out.splitlines()) == 3 + 2

    @pytest.mark.parametrize(
        "arguments", [["--since", "yesterday"], ["--kind", "x"], ["--limit", "x"], ["--limit", "-1"]]
    )
    def test_malformed_arguments(self, run: Run, arguments: list[str]) -> None:
        assert run("audit", *arguments) == 2
