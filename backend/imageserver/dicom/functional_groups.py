"""Functional groups of enhanced multi-frame objects: what holds for one frame, its own or shared by all."""

from pydicom.dataset import Dataset

from imageserver.dicom.values import first_item, items


class FunctionalGroups:
    """The shared and per-frame functional groups of a data set (PS3.3 C.7.6.16). Empty for classic objects.

    Parameters
    ----------
    dataset : pydicom.Dataset
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._shared = first_item(dataset, "SharedFunctionalGroupsSequence")
        self._per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
        self._shared_macros: dict[str, Dataset | None] = {}

    @property
    def is_present(self) -> bool:
        """Whether the object has functional groups."""
        return self._shared is not None or bool(self._per_frame)

    def find(self, keyword: str, frame_index: int) -> Dataset | None:
        """Return the item of the functional group macro `keyword` that holds for a frame, or None.

        The frame's own item is taken before the shared one; the standard allows only one of both.
        """
        if frame_index < len(self._per_frame):
            own = first_item(self._per_frame[frame_index], keyword)
            if own is not None:
                return own
        if keyword not in self._shared_macros:
            self._shared_macros[keyword] = first_item(self._shared, keyword)
        return self._shared_macros[keyword]

    def source(self, keyword: str, frame_index: int) -> Dataset:
        """Return the macro's item, or the data set itself, where classic objects have the same attributes."""
        found = self.find(keyword, frame_index)
        return self._dataset if found is None else found
