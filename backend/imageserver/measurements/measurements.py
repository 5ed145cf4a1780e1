"""Finding, saving and deleting the measurements of one user; every function works in the caller's transaction.

A measurement is only changed by who has seen its present version. A request that came twice changes nothing: what is
already there as it should be is a success.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from imageserver.errors import InvalidParameter, MeasurementChanged, MeasurementNotFound, TooManyMeasurements
from imageserver.measurements.content import Content, ImagePlace, Plane, check_content
from imageserver.measurements.models import Measurement

MAX_PER_STUDY = 2_000
ANY_VERSION = "*"


class Saved(NamedTuple):
    """A measurement as it is now, whether it is new, and whether anything of it had to be written."""

    measurement: Measurement
    is_new: bool
    is_changed: bool


def find_measurements(
    session: Session,
    user_id: str,
    *,
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
) -> list[Measurement]:
    """Return what a user measured in a study or in a series, the oldest first."""
    rows = select(Measurement).where(Measurement.user_id == user_id)
    if study_instance_uid is not None:
        rows = rows.where(Measurement.study_instance_uid == study_instance_uid)
    if series_instance_uid is not None:
        rows = rows.where(Measurement.series_instance_uid == series_instance_uid)
    return list(session.scalars(rows.order_by(Measurement.created, Measurement.id)))


def get_measurement(session: Session, user_id: str, measurement_id: str) -> Measurement:
    """Return one measurement of a user.

    Raises
    ------
    MeasurementNotFound
        If this user has none by this identifier; somebody else may.
    """
    found = session.scalar(select(Measurement).where(*_key(user_id, measurement_id)))
    if found is None:
        raise MeasurementNotFound("There is no measurement by this identifier.")
    return found


def create_measurement(
    session: Session,
    user_id: str,
    measurement_id: str,
    content: Content,
    now: datetime,
    check_place: Callable[[ImagePlace], None],
) -> Saved:
    """Add a measurement; one that is there already with the same content is returned.

    `check_place` raises where the image does not exist; it is called only for a measurement that is new.

    Raises
    ------
    MeasurementChanged
        If there is one by this identifier that says something else.
    InvalidParameter
        If the content is not what its kind demands.
    TooManyMeasurements
        If the user has too many in this study.
    """
    check_content(content)
    present = session.scalar(_one(user_id, measurement_id))
    if present is None:
        check_place(content.place)
        _check_number(session, user_id, content.place.study_instance_uid)
        if _insert(session, user_id, measurement_id, content, now):
            return Saved(get_measurement(session, user_id, measurement_id), is_new=True, is_changed=True)
        present = get_measurement(session, user_id, measurement_id)  # another request was quicker
    if present.version != content.version():
        raise changed(present)
    return Saved(present, is_new=False, is_changed=False)


def change_measurement(
    session: Session, user_id: str, measurement_id: str, content: Content, version: str, now: datetime
) -> Saved:
    """Change a measurement whose present version the caller knows.

    Raises
    ------
    MeasurementChanged
        If it has another version by now, or is gone.
    InvalidParameter
        If the content is not what its kind demands, or the measurement would move to another image.
    """
    check_content(content)
    present = session.scalar(_one(user_id, measurement_id))
    if present is None:
        raise changed(None)
    if present.version == content.version():
        return Saved(present, is_new=False, is_changed=False)
    if version not in (present.version, ANY_VERSION):
        raise changed(present)
    if (content.place, content.kind) != (place_of(present), present.kind):
        raise InvalidParameter("The kind of a measurement and the image that it lies on cannot change.")
    _update(session, present, content, now)
    session.refresh(present)
    return Saved(present, is_new=False, is_changed=True)


def delete_measurement(
    session: Session, user_id: str, measurement_id: str, version: str
) -> Measurement | None:
    """Delete a measurement whose present version the caller knows; return what it was, None where there was none.

    Raises
    ------
    MeasurementChanged
        If it has another version by now.
    """
    present = session.scalar(_one(user_id, measurement_id))
    if present is None:
        return None
    if version not in (present.version, ANY_VERSION):
        raise changed(present)
    session.expunge(present)
    session.execute(delete(Measurement).where(*_key(user_id, measurement_id)))
    return present


def place_of(measurement: Measurement) -> ImagePlace:
    """Return the image that a measurement lies on."""
    return ImagePlace(
        measurement.study_instance_uid,
        measurement.series_instance_uid,
        measurement.sop_instance_uid,
        measurement.frame_number,
        Plane(measurement.plane),
    )


def describe(measurement: Measurement) -> dict[str, Any]:
    """Write a measurement as JSON can; times are ISO 8601 in UTC."""
    return {
        "id": measurement.id,
        "version": measurement.version,
        "kind": measurement.kind,
        "label": measurement.label,
        **asdict(place_of(measurement)),
        "points": measurement.points,
        "values": measurement.measured,
        "created": measurement.created.isoformat(),
        "updated": measurement.updated.isoformat(),
    }


def changed(present: Measurement | None) -> MeasurementChanged:
    """Make the error for who does not know the present version; it carries that one."""
    if present is None:
        return MeasurementChanged("The measurement was deleted meanwhile.", measurement=None)
    return MeasurementChanged("The measurement was changed meanwhile.", measurement=describe(present))


def _key(user_id: str, measurement_id: str) -> tuple[Any, Any]:
    return Measurement.user_id == user_id, Measurement.id == measurement_id


def _one(user_id: str, measurement_id: str) -> Select[Measurement]:
    # Locked on PostgreSQL, so that of two changes at once the second sees the first. SQLite's writers are alone.
    return select(Measurement).where(*_key(user_id, measurement_id)).with_for_update()


def _check_number(session: Session, user_id: str, study_instance_uid: str) -> None:
    # A bound against pages that went wrong; requests at the same moment may pass it by a few.
    in_study = (Measurement.user_id == user_id, Measurement.study_instance_uid == study_instance_uid)
    if (session.scalar(select(func.count()).select_from(Measurement).where(*in_study)) or 0) >= MAX_PER_STUDY:
        raise TooManyMeasurements(
            f"A user has at most {MAX_PER_STUDY} measurements in a study; delete some first."
        )


def _insert(session: Session, user_id: str, measurement_id: str, content: Content, now: datetime) -> bool:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    row = {"user_id": user_id, "id": measurement_id, "created": now, "updated": now, **_columns(content)}
    inserting = insert(Measurement).values(row).on_conflict_do_nothing().returning(Measurement.id)
    return session.scalar(inserting) is not None


def _update(session: Session, present: Measurement, content: Content, now: datetime) -> None:
    row = update(Measurement).where(*_key(present.user_id, present.id))
    session.execute(row.values(updated=now, **_columns(content)))


def _columns(content: Content) -> dict[str, Any]:
    return {
        **asdict(content.place),
        "version": content.version(),
        "kind": content.kind.value,
        "label": content.label,
        "points": content.points,
        "measured": content.values,
    }
