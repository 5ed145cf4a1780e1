"""Measurements in the database: versions, repetitions, many at once."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from imageserver.accounts.models import User
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.errors import InvalidParameter, MeasurementChanged, MeasurementNotFound, TooManyMeasurements
from imageserver.measurements import measurements
from imageserver.measurements.content import Content, ImagePlace, MeasurementKind, Plane
from imageserver.measurements.measurements import (
    change_measurement,
    create_measurement,
    delete_measurement,
    find_measurements,
    get_measurement,
)
from tests.conftest import AddUser

PLACE = ImagePlace("1.2", "1.2.3", "1.2.3.4", 1, Plane.ACQUIRED)
FIRST = Content(PLACE, MeasurementKind.LENGTH, "first", [[0.0, 0.0], [3.0, 4.0]], {"length_mm": 5.0})
SECOND = replace(FIRST, label="second")
ID = str(uuid.uuid4())
NOW = utc_now()


def anywhere(_place: ImagePlace) -> None:
    """Let every image exist."""


def nowhere(_place: ImagePlace) -> None:
    pytest.fail("only a new measurement needs its image")


@pytest.fixture
def user(add_user: AddUser) -> str:
    return add_user("ada").id


@pytest.fixture
def first(database: Database, user: str) -> str:
    """Create the first measurement; its version."""
    with database.writing() as session:
        return create_measurement(session, user, ID, FIRST, NOW, anywhere).measurement.version


class TestCreate:
    @pytest.mark.usefixtures("first")
    def test_it_is_found_in_its_study_and_in_its_series(self, database: Database, user: str) -> None:
        with database.reading() as session:
            assert [one.id for one in find_measurements(session, user, study_instance_uid="1.2")] == [ID]
            assert [one.id for one in find_measurements(session, user, series_instance_uid="1.2.3")] == [ID]
            assert find_measurements(session, user, series_instance_uid="1.2.4") == []

    @pytest.mark.usefixtures("first")
    def test_the_same_again_changes_nothing(self, database: Database, user: str) -> None:
        with database.writing() as session:
            saved = create_measurement(session, user, ID, FIRST, NOW + timedelta(hours=1), nowhere)
            assert (saved.is_new, saved.is_changed, saved.measurement.updated) == (False, False, NOW)

    def test_another_content_is_told_what_is_there(self, database: Database, user: str, first: str) -> None:
        with database.writing() as session, pytest.raises(MeasurementChanged) as error:
            create_measurement(session, user, ID, SECOND, NOW, nowhere)
        assert error.value.members["measurement"]["version"] == first

    def test_there_are_not_endlessly_many(
        self, database: Database, user: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(measurements, "MAX_PER_STUDY", 2)
        with database.writing() as session:
            for _ in range(2):
                create_measurement(session, user, str(uuid.uuid4()), FIRST, NOW, anywhere)
            with pytest.raises(TooManyMeasurements):
                create_measurement(session, user, str(uuid.uuid4()), FIRST, NOW, anywhere)
            elsewhere = replace(FIRST, place=replace(PLACE, study_instance_uid="1.9"))
            create_measurement(session, user, str(uuid.uuid4()), elsewhere, NOW, anywhere)


class TestChange:
    def test_by_who_knows_the_version(self, database: Database, user: str, first: str) -> None:
        later = NOW + timedelta(minutes=1)
        with database.writing() as session:
            saved = change_measurement(session, user, ID, SECOND, first, later)
            assert (saved.measurement.label, saved.is_new, saved.is_changed) == ("second", False, True)
            assert (saved.measurement.created, saved.measurement.updated) == (NOW, later)

    def test_not_by_who_knows_an_older_one(self, database: Database, user: str, first: str) -> None:
        with database.writing() as session:
            change_measurement(session, user, ID, SECOND, first, NOW)
        with database.writing() as session, pytest.raises(MeasurementChanged) as error:
            change_measurement(session, user, ID, replace(FIRST, label="third"), first, NOW)
        assert error.value.members["measurement"]["label"] == "second"

    def test_the_same_request_twice_succeeds_twice(self, database: Database, user: str, first: str) -> None:
        for is_changed in (True, False):
            with database.writing() as session:
                assert change_measurement(session, user, ID, SECOND, first, NOW).is_changed is is_changed

    def test_one_that_is_gone(self, database: Database, user: str) -> None:
        with database.writing() as session, pytest.raises(MeasurementChanged) as error:
            change_measurement(session, user, ID, SECOND, "x", NOW)
        assert error.value.members == {"measurement": None}

    @pytest.mark.parametrize(
        "moved",
        [
            replace(SECOND, place=replace(PLACE, frame_number=2)),
            replace(SECOND, kind=MeasurementKind.ARROW, values={}),
        ],
    )
    def test_it_stays_on_its_image(self, database: Database, user: str, first: str, moved: Content) -> None:
        with database.writing() as session, pytest.raises(InvalidParameter):
            change_measurement(session, user, ID, moved, first, NOW)


class TestDelete:
    def test_by_who_knows_the_version(self, database: Database, user: str, first: str) -> None:
        with database.writing() as session:
            deleted = delete_measurement(session, user, ID, first)
            assert deleted is not None
            assert deleted.id == ID
            assert find_measurements(session, user, study_instance_uid="1.2") == []

    @pytest.mark.usefixtures("first")
    def test_not_by_who_knows_another(self, database: Database, user: str) -> None:
        with database.writing() as session, pytest.raises(MeasurementChanged):
            delete_measurement(session, user, ID, "another")

    def test_what_is_not_there(self, database: Database, user: str) -> None:
        with database.writing() as session:
            assert delete_measurement(session, user, ID, "x") is None

    @pytest.mark.usefixtures("first")
    def test_with_its_account(self, database: Database, user: str) -> None:
        with database.writing() as session:
            session.execute(delete(User).where(User.id == user))
        with database.reading() as session:
            assert find_measurements(session, user, study_instance_uid="1.2") == []


class TestUsers:
    def test_identifiers_of_two_never_meet(
        self, database: Database, user: str, add_user: AddUser, first: str
    ) -> None:
        other = add_user("bert").id
        with database.writing() as session:
            with pytest.raises(MeasurementNotFound):
                get_measurement(session, other, ID)
            with pytest.raises(MeasurementChanged):
                change_measurement(session, other, ID, SECOND, first, NOW)
            assert delete_measurement(session, other, ID, first) is None
            assert create_measurement(session, other, ID, SECOND, NOW, anywhere).is_new
            assert get_measurement(session, user, ID).label == "first"


class TestAtOnce:
    def run(self, one: Callable[[int], bool]) -> int:
        """Run the same in eight threads; how many succeeded."""
        barrier, succeeded = threading.Barrier(8), []

        def attempt(number: int) -> None:
            barrier.wait()
            succeeded.append(one(number))

        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(succeeded) == 8
        return sum(succeeded)

    def test_of_many_changes_of_one_version_one_wins(self, database: Database, user: str, first: str) -> None:
        def change(number: int) -> bool:
            try:
                with database.writing() as session:
                    content = replace(FIRST, label=f"of {number}")
                    return change_measurement(session, user, ID, content, first, NOW).is_changed
            except MeasurementChanged:
                return False

        assert self.run(change) == 1

    def test_of_many_equal_creations_one_is_new(self, database: Database, user: str) -> None:
        def create(_number: int) -> bool:
            with database.writing() as session:
                return create_measurement(session, user, ID, FIRST, NOW, anywhere).is_new

        assert self.run(create) == 1
