"""Functional groups of enhanced multi-frame objects: what holds for one frame, its own or shared by all."""

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.sequence_items import first_item, items

# What is looked for further out, attribute by attribute, where a macro lacks it.
_SUPPLEMENTED = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
}
# What makes sense only together with the rest of its macro.
_TOGETHER = {"FrameVOILUTSequence": ("WindowCenter", "WindowWidth")}


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
        self._tags: set[int] | None = None

    @property
    def is_present(self) -> bool:
        """Whether the object has functional groups."""
        return self._shared is not None or bool(self._per_frame)

    def has(self, keyword: str) -> bool:
        """Tell whether any frame has the macro `keyword`, of its own or shared."""
        if self._tags is None:
            groups = [*self._per_frame, *([self._shared] if self._shared is not None else [])]
            self._tags = {int(tag) for group in groups for tag in group.keys()}  # noqa: SIM118  a data set has no other
        return tag_for_keyword(keyword) in self._tags

    def all(self, keyword: str) -> list[Dataset]:
        """Return every item of the macro `keyword` in the object, the shared one last."""
        groups = [*self._per_frame, *([self._shared] if self._shared is not None else [])]
        return [macro for group in groups if (macro := first_item(group, keyword)) is not None]

    def unassigned(self, frame_index: int) -> list[Dataset]:
        """Return what an object converted from classic ones keeps of theirs for a frame: its own, then the shared.

        References
        ----------
        DICOM PS3.3 C.7.6.16.2.25, C.7.6.16.2.26
        """
        if not self.is_present:
            return []
        return [
            *self.layers("UnassignedPerFrameConvertedAttributesSequence", frame_index),
            *self.layers("UnassignedSharedConvertedAttributesSequence", frame_index),
        ]

    def find(self, keyword: str, frame_index: int) -> Dataset | None:
        """Return the item of the functional group macro `keyword` that holds for a frame, or None.

        The frame's own item is taken before the shared one; the standard allows only one of both.
        """
        found = self.layers(keyword, frame_index)
        return found[0] if found else None

    def source(self, keyword: str, frame_index: int) -> Dataset:
        """Return where the attributes of the macro `keyword` stand for a frame.

        Parameters
        ----------
        keyword : str
            Of the macro.
        frame_index : int
            From 0.

        Returns
        -------
        pydicom.Dataset
            The macro's item, or the data set itself, where classic objects have the same attributes. What an item lacks
            is taken from the shared item or the data set; a window only as a whole.
        """
        layers = [*self.layers(keyword, frame_index), self._dataset]
        if keyword in _TOGETHER:
            complete = (
                layer for layer in layers if all(has_value(layer, name) for name in _TOGETHER[keyword])
            )
            return next(complete, layers[0])
        return _supplemented(layers, _SUPPLEMENTED.get(keyword, ()))

    def layers(self, keyword: str, frame_index: int) -> list[Dataset]:
        """Return the items of the macro `keyword` for a frame: its own and the shared one, as far as they are there."""
        if keyword not in self._shared_macros:
            self._shared_macros[keyword] = first_item(self._shared, keyword)
        has_own = frame_index < len(self._per_frame)
        own = first_item(self._per_frame[frame_index], keyword) if has_own else None
        return [macro for macro in (own, self._shared_macros[keyword]) if macro is not None]


def has_value(dataset: Dataset, keyword: str) -> bool:
    """Tell whether the file gives this attribute a value at all, readable or not."""
    element = element_of(dataset, keyword)
    value = None if element is None else element.value
    if isinstance(value, bytes):
        return bool(value.strip(b" \0"))
    return value not in (None, "", [])


def _supplemented(layers: list[Dataset], keywords: tuple[str, ...]) -> Dataset:
    """Return the innermost layer, with what it lacks from those around it; the layers stay as they are."""
    inner = layers[0]
    lacking = [keyword for keyword in keywords if not has_value(inner, keyword)]
    found = {
        keyword: next((layer for layer in layers[1:] if has_value(layer, keyword)), None)
        for keyword in lacking
    }
    if not any(layer is not None for layer in found.values()):
        return inner
    merged = Dataset(inner)
    for keyword, layer in found.items():
        if layer is not None and (element := element_of(layer, keyword)) is not None:
            merged[element.tag] = element
    return merged
