"""Files that were received, on their way into the index."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from imageserver.archive.reading import ReadFile
from imageserver.archive.store_outcomes import StoreOutcome


class Incoming(NamedTuple):
    """A file that was received, checked, and is on the disk.

    Attributes
    ----------
    temporary : bytes
        Its path in the store for now.
    file : ReadFile
        What it says; its path is the one that it is to get in the store.
    sha256 : str
    """

    temporary: bytes
    file: ReadFile
    sha256: str

    @property
    def sop_instance_uid(self) -> str:
        """The UID that it is known by."""
        assert self.file.instance is not None
        return self.file.instance.sop_instance_uid

    @property
    def series_instance_uid(self) -> str:
        """The series that it says it belongs to."""
        assert self.file.instance is not None
        return str(self.file.instance.series["series_instance_uid"])

    @property
    def study_instance_uid(self) -> str:
        """The study that it says it belongs to."""
        assert self.file.instance is not None
        return str(self.file.instance.study["study_instance_uid"])


Stored = tuple[Incoming, StoreOutcome]  # with what is known of it
Record = Callable[[Session, Sequence[StoreOutcome]], None]
