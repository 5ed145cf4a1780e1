"""The content of a file as one short text."""

import hashlib
import os
from collections.abc import Callable
from typing import BinaryIO

from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile

_BLOCK = 1024 * 1024

# Returns the SHA-256 of a file in hexadecimal; raises as `content_digest`.
DigestOf = Callable[[FoundFile], str]


def content_digest(directory: DataDirectory, file: FoundFile) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises
    ------
    FileGone, FileReplaced
        If it changed meanwhile.
    """
    path, identity = file
    digest = hashlib.sha256()
    with directory.open(path, FileIdentity(*identity)) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest_from_disk(stream: BinaryIO, is_stopped: Callable[[], bool] = lambda: False) -> str | None:
    """Return the SHA-256 of an open file in hexadecimal, from the disk rather than from memory where that can be had.

    None where it was stopped.
    """
    digest = hashlib.sha256()
    _forget_pages(stream)
    while block := stream.read(_BLOCK):
        digest.update(block)
        if is_stopped():
            return None
    return digest.hexdigest()


def _forget_pages(stream: BinaryIO) -> None:
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
