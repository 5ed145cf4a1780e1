"""Query and path parameters that several routes share."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

from imageserver.dicom.identifiers import is_valid_uid

UID_PATTERN = r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$"


def _check_uid(value: str) -> str:
    if not is_valid_uid(value):
        raise ValueError("must be a UID: numbers without leading zeros joined by dots, at most 64 characters")
    return value


_DOCUMENTED = {"pattern": UID_PATTERN, "maxLength": 64, "minLength": 1}

SeriesPath = Annotated[
    str,
    Path(description="Series Instance UID (0020,000E).", json_schema_extra=_DOCUMENTED),
    AfterValidator(_check_uid),
]
SeriesQuery = Annotated[
    Annotated[str, AfterValidator(_check_uid)] | None,
    Query(
        description="Series Instance UID (0020,000E). Without it: the default series.",
        examples=["1.2.826.0.1.3680043.8.498.1"],
    ),
]
