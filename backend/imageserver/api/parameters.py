"""Query and path parameters that several routes share."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from imageserver.dicom.identifiers import ADDRESS_PATTERN, is_address


def check_uid(value: str | None) -> str | None:
    """Refuse what is no UID that the index could have."""
    if value is not None and not is_address(value):
        raise ValueError("must be a UID: digits and dots, at most 64 characters")
    return value


DOCUMENTED_UID = WithJsonSchema(
    {"type": "string", "pattern": ADDRESS_PATTERN, "minLength": 1, "maxLength": 64}
)

# An absent parameter is None; the document must not offer null, which no address can carry.
Absent = SkipJsonSchema[None]

StudyUid = Annotated[str, AfterValidator(check_uid), DOCUMENTED_UID]
SeriesUid = Annotated[str, AfterValidator(check_uid), DOCUMENTED_UID]
InstanceUid = Annotated[str, AfterValidator(check_uid), DOCUMENTED_UID]
StudyPath = Annotated[
    str, Path(description="Study Instance UID (0020,000D)."), AfterValidator(check_uid), DOCUMENTED_UID
]
InstancePath = Annotated[
    str, Path(description="SOP Instance UID (0008,0018)."), AfterValidator(check_uid), DOCUMENTED_UID
]
SeriesPath = Annotated[
    str, Path(description="Series Instance UID (0020,000E)."), AfterValidator(check_uid), DOCUMENTED_UID
]
SeriesQuery = Annotated[
    str | None,
    Query(description="Series Instance UID (0020,000E). Without it: the default series."),
    AfterValidator(check_uid),
    DOCUMENTED_UID,
]
