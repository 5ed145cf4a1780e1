"""What a thumbnail depends on, and the digest in its address; known without opening the file."""

import hashlib
from typing import NamedTuple

from imageserver.archive.files import FileIdentity
from imageserver.archive.pictures import RENDERING_VERSION

THUMBNAIL_VERSION = "1"  # to be raised whenever the same rendered picture gives another thumbnail


class ThumbnailKey(NamedTuple):
    """The middle slice of a series, and the file that has it."""

    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int
    identity: FileIdentity

    @property
    def digest(self) -> str:
        """Another one whenever the picture may be another: by file, frame, and the ways of rendering and scaling."""
        parts = (THUMBNAIL_VERSION, RENDERING_VERSION, *self)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
