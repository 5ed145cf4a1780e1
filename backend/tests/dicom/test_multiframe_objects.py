"""Whole multi-frame objects of every kind: where their frames lie, their order, and what splits them.

Stored order is scrambled in each, so that it cannot give the answer. The attributes are those of PS3.3 A.36 to A.82.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from imageserver.dicom.arrangement import Arrangement, Verdict
from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.reading import read_header
from imageserver.dicom.stacks import arrange
from tests import builders
from tests.builders import enhanced, item

SCRAMBLED = (8.0, 0.0, 4.0, 2.0, 6.0)
MATRIX = {"TotalPixelMatrixRows": 8, "TotalPixelMatrixColumns": 12}


def describe(*datasets: Dataset) -> list[FrameDescription]:
    return [frame for dataset in datasets for frame in describe_frames(read_header(builders.stream(dataset)))]


def arranged(*datasets: Dataset) -> Arrangement:
    return arrange(describe(*datasets))


def stacks_of(arrangement: Arrangement) -> dict[str | None, list[int]]:
    return {stack.differs_by: [f.frame_number for f in stack.frames] for stack in arrangement.stacks}


def repeated(groups: Sequence[dict[str, Dataset]], **attributes: Any) -> Dataset:
    """Every group at three places, the frames stored from the last place and the last group."""
    frames = [(place, group) for group in reversed(groups) for place in (4.0, 2.0, 0.0)]
    return enhanced([(0, 0, z) for z, _ in frames], groups=[group for _, group in frames], **attributes)


def pointers(*keywords: str, labels: Sequence[str | None] = ()) -> Items:
    found = []
    for number, keyword in enumerate(keywords):
        dimension = item(DimensionIndexPointer=Tag(keyword))
        if labels and labels[number]:
            dimension.DimensionDescriptionLabel = labels[number]
        found.append(dimension)
    return Items(found)


class TestEnhanced:
    @pytest.mark.parametrize(
        "sop_class",
        [
            "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
            "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
            "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
            "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR
            "1.2.840.10008.5.1.4.1.1.130",  # Enhanced PET
            "1.2.840.10008.5.1.4.1.1.128.1",  # Legacy Converted Enhanced PET
            "1.2.840.10008.5.1.4.1.1.13.1.3",  # Breast Tomosynthesis
            "1.2.840.10008.5.1.4.1.1.77.1.5.4",  # Ophthalmic Tomography
            "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
        ],
    )
    def test_position_orders_and_not_the_stored_order(self, sop_class: str) -> None:
        arrangement = arranged(enhanced([(0, 0, z) for z in SCRAMBLED], SOPClassUID=sop_class))
        assert arrangement.verdict is Verdict.VOLUME
        assert stacks_of(arrangement) == {None: [2, 4, 3, 5, 1]}
        assert arrangement.stacks[0].affine is not None
        assert arrangement.middle is not None
        assert (arrangement.middle.frame_number, arrangement.middle.position_mm) == (3, 4)

    def test_what_a_frame_lacks_is_shared_and_else_stands_at_the_top_level(self) -> None:
        dataset = enhanced([(0, 0, 0), (0, 0, 3)])
        [shared] = dataset.SharedFunctionalGroupsSequence
        del shared.PlaneOrientationSequence, shared.PixelMeasuresSequence[0].PixelSpacing
        dataset.ImageOrientationPatient = list(builders.CORONAL)
        dataset.PixelSpacing = [3, 2]
        for frame in describe(dataset):
            assert (frame.orientation, frame.row_spacing_mm, frame.slice_thickness_mm) == (
                builders.CORONAL,
                3,
                2,
            )

    def test_a_shared_position_is_that_of_every_frame(self) -> None:
        dataset = enhanced([(0, 0, 0)] * 3)
        [shared] = dataset.SharedFunctionalGroupsSequence
        shared.PlanePositionSequence = Items([item(ImagePositionPatient=[1, 2, 3])])
        del dataset.PerFrameFunctionalGroupsSequence
        assert [frame.position for frame in describe(dataset)] == [(1, 2, 3)] * 3

    def test_an_empty_group_of_a_frame_does_not_hide_the_shared_one(self) -> None:
        dataset = enhanced([(0, 0, 7.0), (0, 0, 9.0)])
        dataset.SharedFunctionalGroupsSequence[0].PlanePositionSequence = Items(
            [item(ImagePositionPatient=[1, 2, 3])]
        )
        del dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient
        assert [frame.position for frame in describe(dataset)] == [(0, 0, 7), (1, 2, 3)]

    def test_a_position_of_one_frame_may_stand_at_the_top_level(self) -> None:
        dataset = enhanced([(0, 0, 7.0)])
        dataset.ImagePositionPatient = [1, 2, 3]
        del dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
        assert [frame.position for frame in describe(dataset)] == [(1, 2, 3)]

    def test_frames_without_a_functional_group_are_named_and_can_be_seen(self) -> None:
        dataset = enhanced([(0, 0, 2.0 * k) for k in range(10)])
        dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:9]
        arrangement = arranged(dataset)
        assert stacks_of(arrangement) == {None: list(range(1, 10)), "no order by position": [10]}
        assert [finding.code for finding in arrangement.excluded] == ["missing_position"]

    def test_two_orientations_in_one_object_are_stacks(self) -> None:
        turned = {"PlaneOrientationSequence": item(ImageOrientationPatient=list(builders.SAGITTAL))}
        arrangement = arranged(enhanced([(0, 0, 0), (0, 0, 0)], groups=[{}, turned]))
        assert arrangement.verdict is Verdict.LOCALIZER
        assert stacks_of(arrangement) == {"axial": [1], "sagittal": [2]}


class TestSplitBy:
    @pytest.mark.parametrize(
        ("macro", "keyword", "values", "words"),
        [
            ("FrameContentSequence", "TemporalPositionIndex", (1, 2), "time point {}"),
            ("FrameContentSequence", "FrameAcquisitionNumber", (1, 2), "acquisition {}"),
            ("FrameContentSequence", "StackID", ("1", "2"), "stack {}"),
            ("MREchoSequence", "EffectiveEchoTime", (4.6, 9.2), "echo time {} ms"),
            ("MRModifierSequence", "InversionTimes", (150.0, 900.0), "inversion time {:g} ms"),
            ("MRDiffusionSequence", "DiffusionBValue", (0.0, 1000.0), "b-value {:g} s/mm²"),
            ("MRTimingAndRelatedParametersSequence", "FlipAngle", (5, 30), "flip angle {}°"),
            (
                "CardiacSynchronizationSequence",
                "NominalPercentageOfCardiacPhase",
                (40.0, 75.0),
                "{:g} % of the cardiac cycle",
            ),
            (
                "CardiacSynchronizationSequence",
                "NominalCardiacTriggerDelayTime",
                (80.0, 700.0),
                "{:g} ms after the trigger",
            ),
            (
                "RespiratorySynchronizationSequence",
                "NominalPercentageOfRespiratoryPhase",
                (0.0, 50.0),
                "{:g} % of the respiratory cycle",
            ),
            ("CTReconstructionSequence", "ConvolutionKernel", ("BONE", "SOFT"), "kernel {}"),
            ("CTXRayDetailsSequence", "KVP", (80, 140), "{} kV"),
            ("TemporalPositionSequence", "TemporalPositionTimeOffset", (0.5, 12.0), "{:g} s"),
            ("RealWorldValueMappingSequence", "LUTLabel", ("ADC", "FA"), "quantity {}"),
            ("MRArterialSpinLabelingSequence", "ASLContext", ("CONTROL", "LABEL"), None),
            ("MRImageFrameTypeSequence", "ComplexImageComponent", ("MAGNITUDE", "PHASE"), None),
        ],
    )
    def test_what_differs_between_frames_at_one_place(
        self, macro: str, keyword: str, values: Sequence[Any], words: str | None
    ) -> None:
        dataset = repeated([{macro: item(**{keyword: value})} for value in values])
        arrangement = arranged(dataset)
        assert arrangement.verdict is Verdict.VOLUME_4D
        labels = [words.format(value) if words else value.lower() for value in values]
        assert stacks_of(arrangement) == {labels[0]: [6, 5, 4], labels[1]: [3, 2, 1]}

    def test_diffusion_by_b_value_and_direction(self) -> None:
        def diffusion(b_value: float, direction: list[float] | None) -> dict[str, Dataset]:
            macro = item(DiffusionBValue=b_value)
            if direction:
                gradient = item(DiffusionGradientOrientation=direction)
                macro.DiffusionGradientDirectionSequence = Items([gradient])
            return {"MRDiffusionSequence": macro}

        groups = [
            diffusion(0.0, None),
            diffusion(500.0, [1.0, 0.0, 0.0]),
            diffusion(500.0, [0.0, 1.0, 0.0]),
            diffusion(1000.0, [1.0, 0.0, 0.0]),
        ]
        assert list(stacks_of(arranged(repeated(groups)))) == [
            "b-value 0 s/mm², no diffusion gradient",
            "b-value 500 s/mm², diffusion direction 0 / 1 / 0",
            "b-value 500 s/mm², diffusion direction 1 / 0 / 0",
            "b-value 1000 s/mm², diffusion direction 1 / 0 / 0",
        ]

    def test_three_attributes_together(self) -> None:
        groups = [
            {
                "FrameContentSequence": item(TemporalPositionIndex=time),
                "MREchoSequence": item(EffectiveEchoTime=echo),
                "MRImageFrameTypeSequence": item(ComplexImageComponent=component),
            }
            for time in (1, 2)
            for echo in (2.5, 5.0)
            for component in ("MAGNITUDE", "PHASE")
        ]
        labels = list(stacks_of(arranged(repeated(groups))))
        assert len(labels) == 8
        assert labels[0] == "time point 1, echo time 2.5 ms, magnitude"

    def test_a_dimension_that_only_the_object_knows(self) -> None:
        # The pointer is private, the frames differ in nothing else; the label says what it is (PS3.3 C.7.6.17).
        groups = [
            {"FrameContentSequence": item(DimensionIndexValues=[place, value])}
            for value in (2, 1)
            for place in (3, 2, 1)
        ]
        dataset = enhanced([(0, 0, 2.0 * place) for _ in (2, 1) for place in (3, 2, 1)], groups=groups)
        dataset.DimensionIndexSequence = pointers("ImagePositionPatient", "00211001", labels=[None, "Gate"])
        assert stacks_of(arranged(dataset)) == {"Gate 1": [6, 5, 4], "Gate 2": [3, 2, 1]}

    def test_what_a_converted_object_keeps_of_the_classic_ones(self) -> None:
        # PS3.3 C.7.6.16.2.25 and .26: attributes that no other macro has a place for.
        groups = [{"UnassignedPerFrameConvertedAttributesSequence": item(EchoNumbers=n)} for n in (1, 2)]
        shared = {"UnassignedSharedConvertedAttributesSequence": item(EchoTime=30)}
        dataset = repeated(groups, shared=shared)
        assert list(stacks_of(arranged(dataset))) == ["echo 1", "echo 2"]
        assert {frame.splitting["echo_time"] for frame in describe(dataset)} == {"30"}


class TestWithoutPositions:
    def frames(self, content: Sequence[dict[str, Any]]) -> Dataset:
        groups = [{"FrameContentSequence": item(**values)} for values in content]
        dataset = enhanced([(0, 0, 0)] * len(groups), groups=groups)
        for group in dataset.PerFrameFunctionalGroupsSequence:
            del group.PlanePositionSequence
        return dataset

    def order(self, dataset: Dataset) -> list[int]:
        return [frame.frame_number for frame in arranged(dataset).frames]

    def test_dimension_index_values_order_the_first_pointer_slowest(self) -> None:
        values = [[2, 1], [1, 2], [1, 1], [2, 2]]
        dataset = self.frames([{"DimensionIndexValues": value} for value in values])
        assert self.order(dataset) == [3, 2, 1, 4]
        assert "the dimensions of the object" in arranged(dataset).explanation

    def test_stack_place_and_time_order_where_there_are_none(self) -> None:
        places = [("10", 1, 1), ("9", 2, 1), ("9", 1, 2), ("9", 1, 1)]
        dataset = self.frames(
            [
                {"StackID": stack, "InStackPositionNumber": place, "TemporalPositionIndex": time}
                for stack, place, time in places
            ]
        )
        assert self.order(dataset) == [4, 3, 2, 1], "9 stands before 10"

    def test_at_one_place_time_orders(self) -> None:
        # A cardiac cine: one slice, stored from the last phase.
        groups = [{"FrameContentSequence": item(TemporalPositionIndex=time)} for time in (3, 2, 1)]
        arrangement = arranged(enhanced([(0, 0, 5.0)] * 3, groups=groups))
        assert arrangement.verdict is Verdict.CINE
        assert [frame.frame_number for frame in arrangement.frames] == [3, 2, 1]

    @pytest.mark.parametrize("modality", ["US", "XA", "OT"])
    def test_a_cine_or_a_secondary_capture_without_any_index(self, modality: str) -> None:
        # Multi-frame ultrasound, angiography, grayscale byte and word and true colour secondary capture.
        for pixels in (np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 4, 3), np.uint8)):
            dataset = builders.image(
                pixels,
                NumberOfFrames=4,
                Modality=modality,
                ImagePositionPatient=None,
                ImageOrientationPatient=None,
            )
            arrangement = arranged(dataset)
            assert arrangement.verdict is Verdict.CINE
            assert [frame.frame_number for frame in arrangement.frames] == [1, 2, 3, 4]
            assert "frame number" in arrangement.explanation


class TestSegmentation:
    def segmentation(self, frames: Sequence[tuple[int, float]], **attributes: Any) -> Dataset:
        """Frames by segment number and place."""
        groups = [
            {"SegmentIdentificationSequence": item(ReferencedSegmentNumber=number)} for number, _ in frames
        ]
        return enhanced(
            [(0, 0, z) for _, z in frames],
            np.zeros((len(frames), 8, 8), np.uint8),
            groups=groups,
            Modality="SEG",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4",
            **attributes,
        )

    @pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
    def test_each_segment_is_a_stack(self, kind: str) -> None:
        frames = [(2, 4.0), (1, 2.0), (2, 2.0), (1, 0.0)]
        arrangement = arranged(self.segmentation(frames, SegmentationType=kind))
        assert stacks_of(arrangement) == {"segment 1": [4, 2], "segment 2": [3, 1]}

    def test_also_where_no_position_repeats(self) -> None:
        arrangement = arranged(self.segmentation([(2, 30.0), (2, 28.0), (1, 2.0), (1, 4.0), (1, 0.0)]))
        assert stacks_of(arrangement) == {"segment 1": [5, 3, 4], "segment 2": [2, 1]}
        assert arrangement.warnings == (), "a short segment is no aborted run"

    def test_numbers_order_segments_and_not_texts(self) -> None:
        frames = [(n, z) for n in (10, 9, 1) for z in (0.0, 2.0)]
        assert list(stacks_of(arranged(self.segmentation(frames)))) == [
            "segment 1",
            "segment 9",
            "segment 10",
        ]

    def test_segments_of_one_slice(self) -> None:
        arrangement = arranged(self.segmentation([(2, 4.0), (1, 4.0)]))
        assert (arrangement.verdict, stacks_of(arrangement)) == (
            Verdict.SINGLE_IMAGE,
            {"segment 1": [2], "segment 2": [1]},
        )

    def test_a_label_map_has_one_frame_for_all_segments(self) -> None:
        dataset = enhanced(
            [(0, 0, z) for z in SCRAMBLED],
            SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7",
            SegmentationType="LABELMAP",
        )
        assert stacks_of(arranged(dataset)) == {None: [2, 4, 3, 5, 1]}


class TestSlide:
    """VL Whole Slide Microscopy: tiles of 4 × 4 in a picture of 8 rows and 12 columns."""

    def sparse(self, places: Sequence[tuple[int, int]]) -> Dataset:
        groups = [
            {
                "PlanePositionSlideSequence": item(
                    RowPositionInTotalImagePixelMatrix=row, ColumnPositionInTotalImagePixelMatrix=column
                )
            }
            for row, column in places
        ]
        dataset = enhanced([(0, 0, 0)] * len(places), groups=groups, **MATRIX)
        for group in dataset.PerFrameFunctionalGroupsSequence:
            del group.PlanePositionSequence
        return dataset

    def test_tiles_are_ordered_by_their_place_in_the_picture_and_are_no_volume(self) -> None:
        arrangement = arranged(self.sparse([(5, 1), (1, 9), (1, 1)]))
        assert arrangement.verdict is Verdict.NO_GEOMETRY
        assert [frame.frame_number for frame in arrangement.frames] == [3, 2, 1]
        assert "tiles of larger pictures" in arrangement.explanation

    def test_full_tiles_lie_as_they_are_stored(self) -> None:
        # PS3.3 C.7.6.17.3: along the rows, then down.
        dataset = builders.image(
            np.zeros((6, 4, 4), np.uint8), NumberOfFrames=6, ImagePositionPatient=None, **MATRIX
        )
        frames = describe(dataset)
        assert [frame.dimension_index for frame in frames] == [
            (0, 0, 1, 1), (0, 0, 1, 5), (0, 0, 1, 9), (0, 0, 5, 1), (0, 0, 5, 5), (0, 0, 5, 9),
        ]  # fmt: skip

    def test_the_levels_of_a_pyramid_are_stacks(self) -> None:
        first = self.sparse([(1, 1), (1, 5)])
        second = self.sparse([(1, 1), (5, 1)])
        second.SOPInstanceUID, second.InstanceNumber = "1.2.3", 2
        overview = builders.image(ImagePositionPatient=None, instance=3)
        arrangement = arranged(first, second, overview)
        assert [stack.count for stack in arrangement.stacks] == [2, 2, 1]
        assert list(stacks_of(arrangement))[1] == "4 × 4 pixels, tiles of picture 2"


class TestUltrasoundVolume:
    def test_places_are_those_in_the_volume_and_not_in_the_patient(self) -> None:
        # PS3.3 C.8.24.6: Plane Position (Volume) and Plane Orientation (Volume).
        groups = [{"PlanePositionVolumeSequence": item(ImagePositionVolume=[0.0, 0.0, z])} for z in SCRAMBLED]
        shared = {"PlaneOrientationVolumeSequence": item(ImageOrientationVolume=list(builders.AXIAL))}
        dataset = enhanced([(0, 0, 0)] * 5, groups=groups, shared=shared)
        for group in dataset.PerFrameFunctionalGroupsSequence:
            del group.PlanePositionSequence
        del dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        arrangement = arranged(dataset)
        assert stacks_of(arrangement) == {None: [2, 4, 3, 5, 1]}
        [stack] = arrangement.stacks
        assert (stack.orientation_labels, stack.affine) == (None, None)
