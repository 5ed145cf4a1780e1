from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from imageserver.dicom.sequence_items import items
from imageserver.dicom.text_values import text, texts
from tests.builders import item
from tests.datasets import dataset_with


class TestText:
    def test_padding_is_removed(self) -> None:
        assert text(dataset_with(SeriesDescription=" Thorax "), "SeriesDescription") == "Thorax"

    def test_empty_is_none(self) -> None:
        assert text(dataset_with(SeriesDescription=""), "SeriesDescription") is None

    def test_several_values(self) -> None:
        assert texts(dataset_with(ImageType=["ORIGINAL", "PRIMARY"]), "ImageType") == ["ORIGINAL", "PRIMARY"]

    def test_in_memory_it_is_unicode(self) -> None:
        assert text(item(SeriesDescription="Köpfe"), "SeriesDescription") == "Köpfe"


class TestTextOfItems:
    """PS3.5 7.5.3: items inherit Specific Character Set unless they have their own."""

    def described(self, text: str, **own: str) -> Dataset:
        return item(SegmentLabel=text, **own)

    def nested(self, **own: str) -> Dataset:
        inner = self.described("Печень", **own)
        outer = item(SegmentSequence=Items([inner]))
        return dataset_with(SpecificCharacterSet="ISO_IR 144", ReferencedImageSequence=Items([outer]))

    def read(self, dataset: Dataset) -> str | None:
        [outer] = items(dataset, "ReferencedImageSequence")
        [inner] = items(outer, "SegmentSequence")
        return text(inner, "SegmentLabel")

    def test_is_inherited_at_any_depth(self) -> None:
        assert self.read(self.nested()) == "Печень"

    def test_an_item_may_have_its_own(self) -> None:
        assert self.read(self.nested(SpecificCharacterSet="ISO_IR 192")) == "Печень"
