"""The content of a file as one short text."""

import hashlib

from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile

_BLOCK = 1024 * 1024


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
