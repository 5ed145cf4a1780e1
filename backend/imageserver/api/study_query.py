"""The parameters of ``GET /studies``: which studies, in which order, which page."""

from typing import Annotated

from pydantic import Field

from imageserver.api.list_query import ListQuery, read_sort, sort_pattern
from imageserver.api.parameters import Absent
from imageserver.archive.entry_search import SortKey
from imageserver.archive.study_search import NEWEST_FIRST, SORTABLE, StudyFilter
from imageserver.dicom.arrangement import Verdict

_Sort = Annotated[str, sort_pattern(SORTABLE)]


class StudyQuery(ListQuery):
    """All conditions must be fulfilled; a parameter that is not listed here is refused."""

    sort: Annotated[
        _Sort | Absent,
        Field(
            description="Columns separated by commas, the first one counts most; `-` in front: descending. Texts are "
            "sorted without regard to case and accents. Without it: the newest study first.",
            examples=["patient_name,-study_date"],
        ),
    ] = None
    verdict: Annotated[
        list[Verdict],
        Field(
            default_factory=list,
            max_length=len(Verdict),
            description="What kind of series stands for the study: one of these; repeat the parameter.",
            examples=[["volume"]],
        ),
    ]

    def filter(self) -> StudyFilter:
        """Return the conditions; raises as `ListQuery.conditions`."""
        return StudyFilter(
            **self.conditions(), verdicts=tuple(dict.fromkeys(verdict.value for verdict in self.verdict))
        )

    def sort_keys(self) -> tuple[SortKey, ...]:
        """Return the order."""
        return read_sort(self.sort) or NEWEST_FIRST
