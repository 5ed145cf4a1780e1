"""Security alerts of the archive: it knows no audit, so it calls back inside the transaction that acts."""

from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.archive.models import Series, Study

# Called with the code of what was found, and with the UIDs of the study and series where it belongs to any.
OnAlert = Callable[[Session, str, str | None, str | None], None]


def tell_nobody(_session: Session, _code: str, _study: str | None, _series: str | None) -> None:
    """Pass over an alert, where nothing records them."""


def alert(session: Session, on_alert: OnAlert, code: str, series_ids: Iterable[int]) -> None:
    """Raise one alert per series, or one without UIDs where there is none."""
    statement = (
        select(Study.study_instance_uid, Series.series_instance_uid)
        .join(Series, Series.study_id == Study.id)
        .where(Series.id.in_(list(series_ids)))
        .order_by(Series.id)
    )
    found: list[tuple[str | None, str | None]] = [(row[0], row[1]) for row in session.execute(statement)]
    for study_uid, series_uid in found or [(None, None)]:
        on_alert(session, code, study_uid, series_uid)
