"""The one row that says how far the index is; each change that a client can see gets a new generation."""

from collections import Counter

from sqlalchemy import update
from sqlalchemy.orm import Session

from imageserver.archive.counting import FileCounts
from imageserver.archive.models import INDEX_STATE_ID, IndexState
from imageserver.archive.progress import Progress

BUILDING, READY, UNAVAILABLE = "building", "ready", "unavailable"


class StateNotes:
    """Writes the row, and counts on what it says."""

    def __init__(self, directory_name: str) -> None:
        self.directory_name = directory_name
        self._counts = FileCounts()

    def note(
        self,
        session: Session,
        state: str,
        progress: Progress,
        *,
        seen: int | None = None,
        has_changed: bool = False,
        added: Counter[str] | None = None,
    ) -> int | None:
        """Write state and progress.

        Parameters
        ----------
        session : Session
            In which the index was changed.
        state : str
            `BUILDING`, `READY` or `UNAVAILABLE`.
        progress : Progress
            Of the present look.
        seen : int, optional
            How many files are in the folder, where that was found out.
        has_changed : bool
            Whether there is a new generation even if the row says the same.
        added : Counter of str, optional
            As in `FileCounts.update`.

        Returns
        -------
        int or None
            The new generation, if there is one.
        """
        row = session.get_one(IndexState, INDEX_STATE_ID)
        indexed, refused = self._counts.update(session, row.generation, added)
        values = {
            "state": state,
            "data_directory": self.directory_name,
            "seen": row.seen if seen is None else seen,
            "indexed": indexed,
            "refused": refused,
            "pending": progress.pending,
            "remaining_seconds": progress.remaining_seconds,
        }
        if not has_changed and all(getattr(row, name) == value for name, value in values.items()):
            return None
        generation = row.generation + 1
        self._counts.belong_to(generation)
        session.execute(
            update(IndexState).where(IndexState.id == INDEX_STATE_ID).values(**values, generation=generation)
        )
        return generation
