"""The index as one process remembers it, so that a click costs hardly any query.

What is remembered belongs to one generation of the index. The generation is asked for again after half a second, so
no process is further behind than that.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from imageserver.archive.entry_sets import EntrySets
from imageserver.archive.problems import count_problems
from imageserver.archive.search import VolumeFilter, count_volumes
from imageserver.archive.series_metadata import MetadataList
from imageserver.archive.slice_lists import SliceList
from imageserver.archive.study_search import StudyFilter, Totals, count_studies
from imageserver.archive.volumes import (
    IndexStatus,
    InstanceFile,
    Volume,
    find_default_series,
    find_instance_file,
    find_newest_series,
    get_index_status,
    get_volume,
)
from imageserver.database import Database
from imageserver.dicom.arrangement import FrameReference
from imageserver.errors import DataDirectoryUnavailable, FileGone, NoVolume, SeriesNotFound

FRESH_SECONDS = 0.5
MAX_REMEMBERED = 4096
MAX_WEIGHT = 65_536  # things in all lists that are remembered, of some 1,000 bytes each

T = TypeVar("T")
_SERIES = "series"


class Catalogue:
    """Answers from memory as long as the index is the same; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._status = IndexStatus()
        self._asked = float("-inf")
        self._remembered: OrderedDict[Any, Any] = OrderedDict()
        self._weight = 0
        self._sets = EntrySets()

    def status(self) -> IndexStatus:
        """How far the index is; at most half a second old."""
        if time.monotonic() - self._asked > FRESH_SECONDS:
            with self.database.asking() as connection:
                status = get_index_status(connection)
            with self._lock:
                if status.generation != self._status.generation:
                    self._remembered.clear()
                    self._weight = 0
                    self._sets = EntrySets()
                self._status, self._asked = status, time.monotonic()
        return self._status

    def forget(self) -> None:
        """Ask again at the next question; the indexing thread of this process calls it after each change."""
        self._asked = float("-inf")

    def volume(self, series_instance_uid: str | None) -> Volume:
        """Return a series, or the default one.

        Raises
        ------
        SeriesNotFound, NoVolume
            If there is no such series, or none with pictures.
        DataDirectoryUnavailable
            If the folder vanished after it was indexed.
        """
        self.require_directory()
        uid = series_instance_uid or self.default_series()
        if uid is None:
            raise NoVolume(self._explain_emptiness())
        return self._series(uid)

    def patient_series(self, series_instance_uid: str | None) -> tuple[Volume, bool]:
        """Return the series that tells the patient, and whether it stands in for a missing default volume.

        Raises
        ------
        SeriesNotFound, NoVolume, DataDirectoryUnavailable
            As `volume`; NoVolume only where there is no DICOM at all.
        """
        self.require_directory()
        if series_instance_uid or (series_instance_uid := self.default_series()):
            return self._series(series_instance_uid), False
        newest = self._remember("newest series", lambda: self._ask(find_newest_series))
        if newest is None:
            raise NoVolume(self._explain_emptiness())
        return self._series(newest), True

    def default_series(self) -> str | None:
        """Return the series that is shown when none is asked for."""
        return self._remember("default series", lambda: self._ask(find_default_series))

    @property
    def sets(self) -> EntrySets:
        """The sets of the generation that was asked for last, to find pages with."""
        return self._sets

    def count(self, wanted: VolumeFilter) -> int:
        """Count the volumes of a filter; once per generation, because counting takes longer the more there are."""
        return self.remember(("count", wanted), lambda: self._ask(count_volumes, wanted, self._sets))

    def count_studies(self, wanted: StudyFilter) -> Totals:
        """Count the studies of a filter; as `count`."""
        return self.remember(("studies", wanted), lambda: self._ask(count_studies, wanted, self._sets))

    def problem_counts(self) -> dict[str, int]:
        """Count the files that are not shown, by code."""
        return self.remember("problem counts", lambda: self._ask(count_problems))

    def instance(self, frame: FrameReference) -> InstanceFile:
        """Return where the instance of a frame is kept."""
        uid = frame.sop_instance_uid
        found = self._remember(("instance", uid), lambda: self._ask(find_instance_file, uid))
        if found is None:  # removed between two questions
            raise FileGone("The file of this instance is not in the data directory any more.")
        return found

    def require_directory(self) -> None:
        """Refuse to answer from the index of a folder that is not there."""
        status = self.status()
        if status.state == "unavailable" and (status.indexed or status.refused):
            raise DataDirectoryUnavailable(
                "The data directory is missing, empty or unreadable, although it was indexed before. Make it available "
                "again, or let the index forget it with `imageserver index --forget-missing`."
            )

    def _series(self, uid: str) -> Volume:
        found = self._remember((_SERIES, uid), lambda: self._ask(get_volume, uid))
        if found is None:
            raise SeriesNotFound("No series in the data directory has this Series Instance UID.")
        return found

    def _explain_emptiness(self) -> str:
        status = self.status()
        sentence = "No DICOM volume found in the data directory"
        if status.state == "building":
            return f"{sentence} yet; it is being read ({status.seen} files seen, {status.indexed} indexed)."
        if status.state == "unavailable":
            return f"{sentence}: it is missing or cannot be read."
        return f"{sentence}: {status.seen} files seen, {status.indexed} indexed, {status.refused} refused."

    def remember(self, key: Any, make: Callable[[], T], of: Volume | None = None) -> T:
        """Return what was made for this key in the present generation of the index.

        What is made of a volume names it by `of`: the index may have changed since that was told, and what is made of
        an older one must neither be kept for the present one nor mixed with what was made of that.
        """
        self.status()
        return self._remember(key, make, of)

    def ask_once(self, key: Any, question: Callable[[Session], T], of: Volume | None = None) -> T:
        """Ask the database, once per generation of the index; `of` as `remember`.

        An empty list is not remembered, as None is not: who tries addresses would push out what there is.
        """
        self.status()
        return self._remember(key, lambda: self._ask(question), of, keeps_empty=False)

    def ask_plainly(self, key: Any, question: Callable[[Connection], T]) -> T:
        """Ask the database as `ask_once`, over a connection: without the costs of a session."""

        def ask() -> T:
            with self.database.asking() as connection:
                return question(connection)

        self.status()
        return self._remember(key, ask, keeps_empty=False)

    def _remember(
        self, key: Any, make: Callable[[], T], of: Volume | None = None, *, keeps_empty: bool = True
    ) -> T:
        with self._lock:
            is_old = of is not None and self._remembered.get(_series_key(of)) is not of
            if key in self._remembered and not is_old:
                self._remembered.move_to_end(key)
                value: T = self._remembered[key]
                return value
            generation = None if is_old else self._status.generation
        value = make()
        is_kept = value is not None and (keeps_empty or not isinstance(value, list) or bool(value))
        with self._lock:
            if is_kept and generation == self._status.generation:
                self._keep(key, value)
        return value

    def _keep(self, key: Any, value: Any) -> None:
        """Remember something at the cost of what was asked for least lately."""
        self._weight -= _weight(self._remembered.pop(key, None))
        self._remembered[key] = value
        self._weight += _weight(value)
        while len(self._remembered) > MAX_REMEMBERED or (
            self._weight > MAX_WEIGHT and len(self._remembered) > 1
        ):
            _, dropped = self._remembered.popitem(last=False)
            self._weight -= _weight(dropped)

    def _ask(self, question: Callable[..., T], *arguments: Any) -> T:
        with self.database.reading() as session:
            return question(session, *arguments)


def _weight(value: Any) -> int:
    """Return how many things are listed in what is remembered: instances, or slices."""
    if isinstance(value, Volume):
        return len(value.arrangement.frames)
    if isinstance(value, SliceList):
        return len(value.slices)
    if isinstance(value, MetadataList):
        return len(value.instance_ids)
    return sum(max(_weight(one), 1) for one in value) if isinstance(value, list) else 0


def _series_key(volume: Volume) -> tuple[str, str]:
    return _SERIES, volume.summary.series_instance_uid
