"""The parameters that lists of patients' things share: which ones, in which order, which page."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from imageserver.api.parameters import Absent
from imageserver.archive.entry_search import SortKey
from imageserver.archive.entry_words import LONGEST_KEY
from imageserver.dicom.search_key import query_words
from imageserver.errors import InvalidParameter

MAX_LIMIT = 1000
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check_iso(value: Any) -> Any:
    # Without this, a number would be a count of seconds since 1970.
    if isinstance(value, str) and not _ISO_DATE.fullmatch(value):
        raise ValueError("must be a date of the form YYYY-MM-DD")
    return value


def sort_pattern(columns: Iterable[str]) -> StringConstraints:
    """Return the form of `sort`: columns, each once at most by number, `-` in front."""
    names = list(columns)
    column = f"-?({'|'.join(names)})"
    return StringConstraints(pattern=f"^{column}(,{column}){{0,{len(names) - 1}}}$")


IsoDate = Annotated[date, BeforeValidator(_check_iso)]
# A value as it stands in a file has no control characters; PostgreSQL takes no NUL.
Exact = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most entries to return.")]
Offset = Annotated[int, Field(ge=0, le=2**31, description="Entries to leave out in front.")]
_Query = Annotated[str, StringConstraints(max_length=256)]
Modality = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_]{1,16}$")]


class ListQuery(BaseModel):
    """All conditions must be fulfilled; a parameter that is not listed here is refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 100
    offset: Offset = 0
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

    def conditions(self) -> dict[str, Any]:
        """Return the members of `EntryFilter`.

        Raises
        ------
        InvalidParameter
            If the first day comes after the last.
        """
        first, last = self.study_date_from, self.study_date_to
        if first and last and first > last:
            detail = "The first day, study_date_from, is later than the last, study_date_to."
            raise InvalidParameter(detail, errors=[{"pointer": "/query/study_date_from", "detail": detail}])
        return {
            "words": tuple(query_words(self.query or "")),
            "modalities": tuple(dict.fromkeys(self.modality)),
            "study_date_from": _dicom_date(first),
            "study_date_to": _dicom_date(last),
            "patient_id": self.patient_id,
            "accession_number": self.accession_number,
        }


def read_sort(sort: str | None) -> tuple[SortKey, ...]:
    """Return an order as it is written; empty for none."""
    names = sort.split(",") if sort else []
    return tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in names)


def _dicom_date(day: date | None) -> str | None:
    return day.isoformat().replace("-", "") if day else None
