"""How many files the index holds in each state; counted on, because counting all after each batch takes long."""

from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imageserver.archive.models import File
from imageserver.archive.reading import DUPLICATE, INDEXED, SKIPPED


class FileCounts:
    """Counts of one generation of the index."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._generation = -1

    def update(self, session: Session, generation: int, added: Counter[str] | None) -> tuple[int, int]:
        """Return how many files are indexed, and refused.

        Parameters
        ----------
        session : Session
            In which they were added.
        generation : int
            Of the index before this transaction.
        added : Counter of str, optional
            By state, the files that were added in it, if nothing else was changed; None where that is not known.
        """
        if added is None or generation != self._generation:
            rows = session.execute(select(File.state, func.count()).group_by(File.state))
            self._counts = Counter({row[0]: row[1] for row in rows})
        else:
            self._counts += added
        indexed = self._counts[INDEXED] + self._counts[DUPLICATE]
        return indexed, self._counts.total() - indexed - self._counts[SKIPPED]

    def belong_to(self, generation: int) -> None:
        """Note the generation that the transaction makes; if it fails, that number means another one."""
        self._generation = generation
