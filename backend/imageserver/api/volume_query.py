"""The parameters of ``GET /volumes``: which volumes, in which order, which page."""

from typing import Annotated

from pydantic import Field

from imageserver.api.list_query import ListQuery, read_sort, sort_pattern
from imageserver.api.parameters import Absent, StudyUid
from imageserver.archive.entry_search import SortKey
from imageserver.archive.search import SORTABLE, VolumeFilter

_Sort = Annotated[str, sort_pattern(SORTABLE)]


class VolumeQuery(ListQuery):
    """All conditions must be fulfilled; a parameter that is not listed here is refused."""

    sort: Annotated[
        _Sort | Absent,
        Field(
            description="Columns separated by commas, the first one counts most; `-` in front: descending. Texts are "
            "sorted without regard to case and accents. Without it: the default volume first, then by the same rule.",
            examples=["-study_date,patient_name"],
        ),
    ] = None
    study_instance_uid: Annotated[StudyUid | Absent, Field(description="Study Instance UID (0020,000D).")] = (
        None
    )
    patient: Annotated[bool, Field(description="Whether to say whose the volume is.")] = True

    def filter(self) -> VolumeFilter:
        """Return the conditions; raises as `ListQuery.conditions`."""
        return VolumeFilter(**self.conditions(), study_instance_uid=self.study_instance_uid)

    def sort_keys(self) -> tuple[SortKey, ...]:
        """Return the order; empty for the default one."""
        return read_sort(self.sort)
