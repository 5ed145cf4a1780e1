"""The metadata of series as they were put together lately, so that the same again costs no reading."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from imageserver.archive.files import DataDirectory
from imageserver.archive.series_metadata import MetadataList, write_metadata
from imageserver.database import Database

MAX_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024

_Key = tuple[str, ...]


class MetadataAnswers:
    """JSON arrays by the entity tags of what is in them; safe to use from many threads.

    A tag stands for the files, and for what was found out about them: an array that was complete stays right under it.
    """

    def __init__(self, database: Database, directory: DataDirectory, max_bytes: int = MAX_BYTES) -> None:
        self._database = database
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._answers: OrderedDict[_Key, bytes] = OrderedDict()
        self._bytes = 0

    def pieces(self, wanted: Sequence[MetadataList], root: str) -> Iterator[bytes]:
        """Yield the array, at once where it is remembered; parameters as `write_metadata`."""
        key = (root, *(text for one in wanted for text in one[:3]))  # with the UIDs that it is told under
        answer = self._recall(key)
        if answer is not None:
            yield answer
            return
        missed: list[str] = []
        made: list[bytes] = []
        size = 0
        for piece in write_metadata(self._database, self._directory, wanted, root, missed):
            size += len(piece)
            if size <= MAX_ANSWER_BYTES:
                made.append(piece)
            else:
                made.clear()
            yield piece
        if not missed and size <= MAX_ANSWER_BYTES:
            self._keep(key, b"".join(made))

    def _recall(self, key: _Key) -> bytes | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def _keep(self, key: _Key, answer: bytes) -> None:
        with self._lock:
            self._bytes += len(answer) - len(self._answers.pop(key, b""))
            self._answers[key] = answer
            while self._bytes > self._max_bytes:
                _, dropped = self._answers.popitem(last=False)
                self._bytes -= len(dropped)
