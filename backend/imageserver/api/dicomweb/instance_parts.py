"""The instances of an answer, part by part: one that cannot be given after all is a part that says why.

What is known before the answer begins (a file that is gone, a transfer syntax that there is not) makes it a partial one
instead. What happens in the middle of a part can only end the connection: no part is shorter than it seems.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from imageserver.api.dicomweb.accept import DICOM
from imageserver.api.frame_parts import ROOT, SHORTEST_MEASURED
from imageserver.api.multipart import PART_END, closing, content_type, part_head, problem_part
from imageserver.api.streaming import PIECE, WORTH_COPYING
from imageserver.archive.archive import Archive
from imageserver.archive.retrieve import Retrieval
from imageserver.errors import AppError, Gone


class _Part(NamedTuple):
    retrieval: Retrieval
    length: int | None
    head: bytes

    @property
    def size(self) -> int | None:
        """Of the whole part, where there is room for a problem in its place."""
        if self.length is None or self.length < SHORTEST_MEASURED:
            return None
        return len(self.head) + self.length + len(PART_END)


class Measured(NamedTuple):
    """Parts with their lengths, as far as these are known, and why others cannot be given."""

    parts: list[_Part]
    errors: list[AppError]

    @property
    def length(self) -> int | None:
        """Of all parts; None where one is not known."""
        sizes = [part.size for part in self.parts]
        return None if None in sizes else sum(size or 0 for size in sizes)


@lru_cache(maxsize=64)
def _type_of(transfer_syntax_uid: str) -> str:
    return content_type(DICOM, {"transfer-syntax": transfer_syntax_uid})


def location_of(retrieval: Retrieval) -> str:
    """Return where an instance is to be had alone."""
    return ROOT + retrieval.instance.address.path


def measure(archive: Archive, retrievals: Sequence[Retrieval], boundary: str) -> Measured:
    """Look whether the files are there, and how long their parts will be."""
    measured = Measured([], [])
    for one, length in zip(retrievals, archive.retrieved_lengths(retrievals), strict=True):
        if isinstance(length, Gone):
            measured.errors.append(length)
            continue
        kind = _type_of(one.transfer_syntax_uid)
        measured.parts.append(_Part(one, length, part_head(boundary, kind, location_of(one), length)))
    return measured


def instance_parts(archive: Archive, measured: Measured, boundary: str, *, is_only: bool) -> Iterator[bytes]:
    """Yield the parts.

    Parameters
    ----------
    archive : Archive
        Of the instances.
    measured : Measured
        As `measure` gives it.
    boundary : str
        Of the answer.
    is_only : bool
        Nothing else was asked for: an error before its first byte is raised, and becomes the answer itself.
    """
    promised = measured.length is not None
    for parts in _together(measured.parts):
        if len(parts) > 1:
            yield from _small_parts(archive, parts, boundary, promised=promised)
            continue
        [part] = parts
        pieces = archive.retrieve(part.retrieval)
        try:
            first = next(pieces, b"")
        except Exception as error:
            if is_only:
                raise
            yield _problem(part, boundary, error, promised=promised)
            continue
        yield part.head
        yield first
        yield from pieces
        yield PART_END
    yield closing(boundary)


def _small_parts(
    archive: Archive, parts: Sequence[_Part], boundary: str, *, promised: bool
) -> Iterator[bytes]:
    contents = archive.retrieve_together([part.retrieval for part in parts])
    for part, content in zip(parts, contents, strict=True):
        if isinstance(content, Exception):
            yield _problem(part, boundary, content, promised=promised)
            continue
        yield part.head
        yield content
        yield PART_END


def _problem(part: _Part, boundary: str, error: Exception, *, promised: bool) -> bytes:
    return problem_part(boundary, location_of(part.retrieval), error, part.size if promised else None)


def _together(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Yield neighbours that are read together: as many small files as there is room for, else one."""
    together: list[_Part] = []
    room = 0
    for part in parts:
        length = part.length or 0
        is_small = part.retrieval.is_as_stored and 0 < length <= WORTH_COPYING
        if together and (not is_small or length > room):
            yield together
            together = []
        if not is_small:
            yield [part]
            continue
        room = (room if together else PIECE) - length
        together.append(part)
    if together:
        yield together
