"""Reading what may tell the frames of one object from each other."""

from pydicom.dataset import Dataset

from imageserver.dicom.dimensions import Dimensions
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.nuclear_medicine import FrameVectors
from imageserver.dicom.number_values import written_value
from imageserver.dicom.sequence_items import first_item
from imageserver.dicom.splitting import SOURCES

_GRADIENT = "DiffusionGradientOrientation"
_OF_THE_OBJECT = tuple(
    sorted({keyword for pairs in SOURCES.values() for group, keyword in pairs if group is None} | {_GRADIENT})
)
_LONGEST_VALUE = 256  # the index keeps these for each frame; in a text of 64 KiB nobody names a phase


class SplittingValues:
    """The values by which the frames of one object may be split.

    Parameters
    ----------
    dataset : pydicom.Dataset
    groups : FunctionalGroups
    dimensions : Dimensions
    vectors : FrameVectors
        Of the same data set.

    References
    ----------
    DICOM PS3.3 C.7.6.16.2 (functional groups), C.7.6.17 (dimensions), C.8.4.8 (vectors)
    """

    def __init__(
        self, dataset: Dataset, groups: FunctionalGroups, dimensions: Dimensions, vectors: FrameVectors
    ) -> None:
        self._groups = groups
        self._dimensions = dimensions
        self._vectors = vectors
        self._of_the_object = {keyword: written_value(dataset, keyword) for keyword in _OF_THE_OBJECT}
        # Most groups are in no frame; they need not be looked for in each.
        self._sources = {
            name: tuple((group, keyword) for group, keyword in pairs if group is None or groups.has(group))
            for name, pairs in SOURCES.items()
        }

    def of_frame(self, index: int) -> dict[str, str]:
        """Return the values that a frame has, by the names in the tables of `splitting`."""
        found = {name: self._value(pairs, index) for name, pairs in self._sources.items()}
        found["diffusion_gradient"] = self._gradient(index)
        found["dimension"] = self._dimensions.apart_from_position(index)
        plain = {name: value[:_LONGEST_VALUE] for name, value in found.items() if value is not None}
        return plain | self._vectors.splitting(index)

    def _value(self, pairs: tuple[tuple[str | None, str], ...], index: int) -> str | None:
        for group, keyword in pairs:
            if group is None:
                value = self._classic(keyword, index)
            else:
                macro = self._groups.find(group, index)
                value = None if macro is None else written_value(macro, keyword)
            if value is not None:
                return value
        return None

    def _classic(self, keyword: str, index: int) -> str | None:
        """Return an attribute of classic objects; what a converted one keeps of it counts before the whole object's."""
        for source in self._groups.unassigned(index):
            if (value := written_value(source, keyword)) is not None:
                return value
        return self._of_the_object[keyword]

    def _gradient(self, index: int) -> str | None:
        diffusion = self._groups.find("MRDiffusionSequence", index)
        if diffusion is None:
            return self._classic(_GRADIENT, index)
        direction = first_item(diffusion, "DiffusionGradientDirectionSequence")
        return None if direction is None else written_value(direction, _GRADIENT)
