"""When the series that get files are arranged: at once where much is new, else a little later.

Arranging reads all instances of a series. After each batch that would take quadratic time in a large series, or where
the files of many series come mixed. So a series is arranged again when it has doubled, when nothing came for a while,
and at the end of the look. Until then it is marked in the database as stale, so that nothing is lost in a crash.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from imageserver.archive.chunks import CHUNK
from imageserver.archive.models import Instance, Series

QUIET_BATCHES = 8
FLUSH_INSTANCES = 5000


@dataclass
class _Growth:
    """How many instances a series has and how many of them are arranged, and when the last one came."""

    present: int
    arranged: int
    batch: int
    is_stale: bool = False


class Rearranging:
    """The series that get files in the present look."""

    def __init__(self) -> None:
        self._series: dict[int, _Growth] = {}
        self._batch = 0

    def load(self, session: Session) -> None:
        """Take up what a former look, or another process, left stale."""
        self._series = {}
        for series_id in session.scalars(select(Series.id).where(Series.is_stale)):
            self._series[series_id] = _Growth(1, 0, self._batch, is_stale=True)

    def choose(self, session: Session, added: Counter[int]) -> set[int]:
        """Return the series that are to be arranged in this transaction; the others are marked.

        Parameters
        ----------
        session : Session
            In which the instances were added.
        added : Counter of int
            By series, how many; 0 where something else about it changed.
        """
        self._batch += 1
        self._count(session, [series_id for series_id in added if series_id not in self._series], added)
        later = []
        for series_id, count in added.items():
            growth = self._series[series_id]
            growth.present += count
            growth.batch = self._batch
            growth.is_stale = True
            if growth.present < 2 * growth.arranged:
                later.append(series_id)
        for start in range(0, len(later), CHUNK):
            stale = update(Series).where(Series.id.in_(later[start : start + CHUNK])).values(is_stale=True)
            session.execute(stale, execution_options={"synchronize_session": False})
        now = (added.keys() - set(later)) | self._quiet()
        self.done(now)
        return now

    def _count(self, session: Session, series_ids: list[int], added: Counter[int]) -> None:
        """Find out how large series are that come for the first time; what was there before is arranged."""
        for start in range(0, len(series_ids), CHUNK):
            wanted = series_ids[start : start + CHUNK]
            statement = select(Instance.series_id, func.count()).where(Instance.series_id.in_(wanted))
            for series_id, present in session.execute(statement.group_by(Instance.series_id)):
                before = present - added[series_id]
                self._series[series_id] = _Growth(before, before, self._batch)

    def _quiet(self) -> set[int]:
        """Return the stale series that nothing has come for, and forget those that are not stale."""
        former = [
            (series_id, growth)
            for series_id, growth in self._series.items()
            if growth.batch < self._batch - QUIET_BATCHES
        ]
        quiet = set()
        for series_id, growth in former:
            if growth.is_stale:
                quiet.add(series_id)
            else:
                del self._series[series_id]
        return quiet

    def done(self, series_ids: Iterable[int]) -> None:
        """Note that series have been arranged, or are no more."""
        for series_id in series_ids:
            if (growth := self._series.get(series_id)) is not None:
                growth.arranged = growth.present
                growth.is_stale = False

    def stale(self) -> Iterator[set[int]]:
        """Yield all series that are still to be arranged, in portions for one transaction each."""
        portion: set[int] = set()
        size = 0
        for series_id in [series_id for series_id, growth in self._series.items() if growth.is_stale]:
            portion.add(series_id)
            size += self._series[series_id].present
            if size >= FLUSH_INSTANCES:
                yield portion
                portion, size = set(), 0
        if portion:
            yield portion
