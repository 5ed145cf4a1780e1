"""Functional group macros of PS3.3 C.7.6.16.2, in objects that fill them incompletely."""

from typing import Any

from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.number_values import number
from imageserver.dicom.reading import read_header
from imageserver.dicom.text_values import text
from tests import builders
from tests.builders import item


def source(macro: str, own: Dataset, shared: Dataset | None = None, **attributes: Any) -> Dataset:
    dataset = builders.enhanced(
        [(0, 0, 0), (0, 0, 1)],
        groups=[{macro: own}, {}],
        shared={macro: shared} if shared else None,
        **attributes,
    )
    return FunctionalGroups(read_header(builders.stream(dataset)).dataset).source(macro, 0)


class TestSource:
    def test_what_the_macro_lacks_comes_from_the_top_level(self) -> None:
        found = source("PixelValueTransformationSequence", item(RescaleSlope=2), RescaleIntercept=-1024)
        assert (number(found, "RescaleSlope"), number(found, "RescaleIntercept")) == (2, -1024)

    def test_what_the_frame_lacks_comes_from_the_shared_macro_first(self) -> None:
        found = source(
            "PixelValueTransformationSequence",
            item(RescaleSlope=2),
            item(RescaleIntercept=5),
            RescaleIntercept=9,
        )
        assert (number(found, "RescaleSlope"), number(found, "RescaleIntercept")) == (2, 5)

    def test_an_empty_attribute_counts_as_lacking(self) -> None:
        found = source("PixelValueTransformationSequence", item(RescaleSlope=None), RescaleSlope=3)
        assert number(found, "RescaleSlope") == 3

    def test_the_macro_wins_where_both_have_it(self) -> None:
        found = source("PixelValueTransformationSequence", item(RescaleSlope=2), RescaleSlope=3)
        assert number(found, "RescaleSlope") == 2

    def test_pixel_measures(self) -> None:
        found = source("PixelMeasuresSequence", item(SliceThickness=3), SpacingBetweenSlices=4)
        assert (number(found, "SliceThickness"), number(found, "SpacingBetweenSlices")) == (3, 4)

    def test_a_macro_without_a_window_does_not_hide_the_one_at_the_top_level(self) -> None:
        macro = item(VOILUTFunction="SIGMOID")
        found = source("FrameVOILUTSequence", macro, WindowCenter=40, WindowWidth=400)
        assert (number(found, "WindowCenter"), number(found, "WindowWidth")) == (40, 400)

    def test_center_and_width_of_a_window_are_never_mixed(self) -> None:
        macro = item(WindowCenter=1000, VOILUTFunction="SIGMOID")
        found = source("FrameVOILUTSequence", macro, WindowCenter=40, WindowWidth=400)
        assert (number(found, "WindowCenter"), text(found, "VOILUTFunction")) == (40, None)
