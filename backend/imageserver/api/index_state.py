"""How far the index is, as answers tell it, and the tag that changes with it."""

import hashlib
import math
from typing import Any, Literal

from pydantic import BaseModel, Field

from imageserver.archive.volumes import IndexStatus


class Index(BaseModel):
    """How far the index of the data directory is."""

    state: Literal["building", "ready", "unavailable"] = Field(
        description="`unavailable`: the data directory is missing, unreadable, or became empty."
    )
    seen: int = Field(description="Files found.")
    indexed: int = Field(description="Files that are in the index.")
    refused: int = Field(description="Files that are no readable DICOM, or contradict another one.")
    pending: int = Field(description="Files that are still to be read.")
    remaining_seconds: int | None = Field(
        description="About how long that takes; null where nothing is pending, or as long as nobody can know."
    )


def describe_index(status: IndexStatus) -> dict[str, Any]:
    """Return the members of `Index`."""
    remaining = status.remaining_seconds
    return {
        "state": status.state,
        "seen": status.seen,
        "indexed": status.indexed,
        "refused": status.refused,
        "pending": status.pending,
        "remaining_seconds": None if remaining is None else math.ceil(remaining),
    }


def index_etag(status: IndexStatus, *parameters: object) -> str:
    """Return an entity tag of an answer that follows from the index and these parameters."""
    return f'"{hashlib.sha256(repr((status, *parameters)).encode()).hexdigest()[:32]}"'
