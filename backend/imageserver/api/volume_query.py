"""The parameters of ``GET /volumes``: which volumes, in which order, which page."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from imageserver.api.parameters import Absent, StudyUid
from imageserver.archive.entries import LONGEST_KEY
from imageserver.archive.search import SORTABLE, SortKey, VolumeFilter
from imageserver.dicom.search_key import query_words
from imageserver.errors import InvalidParameter

MAX_LIMIT = 1000
_COLUMN = f"-?({'|'.join(SORTABLE)})"
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check_iso(value: Any) -> Any:
    # Without this, a number would be a count of seconds since 1970.
    if isinstance(value, str) and not _ISO_DATE.fullmatch(value):
        raise ValueError("must be a date of the form YYYY-MM-DD")
    return value


IsoDate = Annotated[date, BeforeValidator(_check_iso)]
# A value as it stands in a file has no control characters; PostgreSQL takes no NUL.
Exact = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=r"^[^\x00-\x1f\x7f]+$")
]
_Sort = Annotated[str, StringConstraints(pattern=f"^{_COLUMN}(,{_COLUMN}){{0,{len(SORTABLE) - 1}}}$")]
_Query = Annotated[str, StringConstraints(max_length=256)]
Modality = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_]{1,16}$")]


class VolumeQuery(BaseModel):
    """All conditions must be fulfilled; a parameter that is not listed here is refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most volumes to return.")] = 100
    offset: Annotated[int, Field(ge=0, le=2**31, description="Volumes to leave out in front.")] = 0
    sort: Annotated[
        _Sort | Absent,
        Field(
            description="Columns separated by commas, the first one counts most; `-` in front: descending. Texts are "
            "sorted without regard to case and accents. Without it: the default volume first, then by the same rule.",
            examples=["-study_date,patient_name"],
        ),
    ] = None
    query: Annotated[
        _Query | Absent,
        Field(
            description="Words that must begin words of the patient's name (in any of its groups) or ID, the accession "
            "number or a description; accents, case and width do not count. Without any word: no condition.",
            examples=["mull ann"],
        ),
    ] = None
    modality: Annotated[
        list[Modality],
        Field(max_length=20, description="One of these; repeat the parameter.", examples=[["CT"]]),
    ] = []
    study_date_from: Annotated[IsoDate | Absent, Field(description="The first day.")] = None
    study_date_to: Annotated[IsoDate | Absent, Field(description="The last day.")] = None
    patient_id: Annotated[Exact | Absent, Field(description="Patient ID (0010,0020), exactly.")] = None
    accession_number: Annotated[
        Exact | Absent, Field(description="Accession Number (0008,0050), exactly.")
    ] = None
    study_instance_uid: Annotated[StudyUid | Absent, Field(description="Study Instance UID (0020,000D).")] = (
        None
    )
    patient: Annotated[bool, Field(description="Whether to say whose the volume is.")] = True

    def filter(self) -> VolumeFilter:
        """Return the conditions.

        Raises
        ------
        InvalidParameter
            If the first day comes after the last.
        """
        first, last = self.study_date_from, self.study_date_to
        if first and last and first > last:
            detail = "The first day, study_date_from, is later than the last, study_date_to."
            raise InvalidParameter(detail, errors=[{"pointer": "/query/study_date_from", "detail": detail}])
        return VolumeFilter(
            words=tuple(query_words(self.query or "")),
            modalities=tuple(dict.fromkeys(self.modality)),
            study_date_from=_dicom_date(first),
            study_date_to=_dicom_date(last),
            patient_id=self.patient_id,
            accession_number=self.accession_number,
            study_instance_uid=self.study_instance_uid,
        )

    def sort_keys(self) -> tuple[SortKey, ...]:
        """Return the order; empty for the default one."""
        names = self.sort.split(",") if self.sort else []
        return tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in names)


def _dicom_date(day: date | None) -> str | None:
    return day.isoformat().replace("-", "") if day else None
