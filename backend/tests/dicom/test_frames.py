import io
import json

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.reading import read_header
from tests import builders
from tests.builders import AXIAL, item


def describe(dataset: Dataset) -> list[FrameDescription]:
    return describe_frames(read_header(builders.stream(dataset)))


def multiframe(**attributes: object) -> Dataset:
    return builders.image(np.zeros((3, 4, 4), np.uint8), NumberOfFrames=3, **attributes)


class TestSingleFrame:
    def test_says_where_the_slice_is(self) -> None:
        [frame] = describe(
            builders.image(
                ImagePositionPatient=[1.5, -2, 3],
                PixelSpacing=[0.5, 0.25],
                SpacingBetweenSlices=3,
                SliceThickness=2.5,
            )
        )
        assert frame.position == (1.5, -2, 3)
        assert frame.orientation == AXIAL
        assert (frame.row_spacing_mm, frame.column_spacing_mm) == (0.5, 0.25)
        assert (frame.spacing_between_slices_mm, frame.slice_thickness_mm) == (3, 2.5)
        assert (frame.frame_number, frame.instance_number, frame.is_multiframe) == (1, 1, False)

    def test_without_pixel_data_there_is_no_frame(self) -> None:
        assert describe(builders.image(PixelData=None, Rows=None)) == []

    @pytest.mark.parametrize("cosines", [None, [1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0]], ids=str)
    def test_bad_axes_are_no_orientation(self, cosines: list[float] | None) -> None:
        [frame] = describe(builders.image(ImageOrientationPatient=cosines))
        assert (frame.orientation, frame.position) == (None, (0, 0, 0))
        assert frame.written_orientation == (tuple(cosines) if cosines else None)

    @pytest.mark.parametrize("place", [None, [1, 2]], ids=str)
    def test_without_three_coordinates_there_is_no_position(self, place: list[float] | None) -> None:
        [frame] = describe(builders.image(ImagePositionPatient=place))
        assert frame.position is None

    @pytest.mark.parametrize("cosines", [[1.02, 0, 0, 0, 1.02, 0], [1, 0, 0, 0.02, 0.9998, 0]], ids=str)
    def test_inexact_axes_are_corrected(self, cosines: list[float]) -> None:
        [frame] = describe(builders.image(ImageOrientationPatient=cosines))
        assert frame.orientation == pytest.approx(AXIAL)
        assert frame.written_orientation == tuple(cosines)

    def test_numbers_that_are_no_numbers_are_not_there(self) -> None:
        data = builders.to_bytes(builders.image(ImagePositionPatient=[111, 222, 333], InstanceNumber=7))
        [frame] = describe_frames(read_header(io.BytesIO(data.replace(b"111.0\\222.0", b"xyz.0\\nan.0"))))
        assert (frame.position, frame.instance_number) == (None, 7)

    @pytest.mark.parametrize(("kind", "is_quadruped"), [("QUADRUPED", True), ("BIPED", False), (None, False)])
    def test_animals(self, kind: str | None, is_quadruped: bool) -> None:
        assert describe(builders.image(AnatomicalOrientationType=kind))[0].is_quadruped is is_quadruped

    def test_a_missing_sop_instance_uid_is_derived(self) -> None:
        [frame] = describe(builders.image(SOPInstanceUID=None))
        [other] = describe(builders.image(SOPInstanceUID=None, InstanceNumber=2))
        assert frame.sop_instance_uid.startswith("2.25.")
        assert frame.sop_instance_uid != other.sop_instance_uid


class TestOrderWithoutPositions:
    def test_part_of_a_concatenation(self) -> None:
        part = {"ConcatenationUID": "1.2.3", "InConcatenationNumber": 2}
        assert describe(multiframe(**part))[0].concatenation == ("1.2.3", 2)
        [frame, *_] = describe(multiframe(**part, ConcatenationFrameOffsetNumber=40))
        assert frame.concatenation == ("1.2.3", 40)

    @pytest.mark.parametrize(
        ("content", "index"),
        [
            ({"DimensionIndexValues": [1, 7], "InStackPositionNumber": 3}, (1, 7)),
            ({"InStackPositionNumber": 3}, (0, 3, 0)),
            ({"StackID": "A", "InStackPositionNumber": 3, "TemporalPositionIndex": 2}, (1, 3, 2)),
            ({}, None),
        ],
        ids=["dimension", "in stack", "stack, place and time", "none"],
    )
    def test_dimension_index(self, content: dict[str, object], index: tuple[int, ...] | None) -> None:
        dataset = builders.enhanced([(0, 0, 1)], groups=[{"FrameContentSequence": item(**content)}])
        assert describe(dataset)[0].dimension_index == index


class TestPixelShape:
    def test_spacing_at_the_detector_where_there_is_no_other(self) -> None:
        [frame] = describe(builders.image(PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.1]))
        assert (frame.row_spacing_mm, frame.column_spacing_mm, frame.pixel_aspect_ratio) == (0.2, 0.1, 2.0)

    def test_aspect_ratio_is_height_by_width(self) -> None:
        [frame] = describe(builders.image(PixelSpacing=None, PixelAspectRatio=[3, 2]))
        assert (frame.row_spacing_mm, frame.pixel_aspect_ratio) == (None, 1.5)

    def test_nonsense_is_square(self) -> None:
        [frame] = describe(builders.image(PixelSpacing=[0, 0]))
        assert (frame.row_spacing_mm, frame.pixel_aspect_ratio) == (None, 1.0)


class TestMultiFrame:
    def test_enhanced_frames_have_positions_of_their_own(self) -> None:
        frames = describe(builders.enhanced([(0, 0, 4), (0, 0, 2)], SOPInstanceUID="1.2.3"))
        assert [(f.sop_instance_uid, f.frame_number, f.position) for f in frames] == [
            ("1.2.3", 1, (0, 0, 4)),
            ("1.2.3", 2, (0, 0, 2)),
        ]
        assert {(f.orientation, f.row_spacing_mm) for f in frames} == {(AXIAL, 0.5)}

    def test_the_own_group_of_a_frame_wins_over_the_shared_one(self) -> None:
        own = [{}, {"PixelMeasuresSequence": item(PixelSpacing=[2, 2])}]
        frames = describe(builders.enhanced([(0, 0, 0), (0, 0, 1)], groups=own))
        assert [f.row_spacing_mm for f in frames] == [0.5, 2]

    def test_the_position_of_a_classic_object_is_not_that_of_each_frame(self) -> None:
        assert [f.position for f in describe(multiframe())] == [None] * 3
        assert [f.frame_number for f in describe(multiframe())] == [1, 2, 3]

    def test_planes_of_a_dose_grid(self) -> None:
        frames = describe(multiframe(ImagePositionPatient=[1, 2, 30], GridFrameOffsetVector=[0, 2.5, 5]))
        assert [f.position for f in frames] == [(1, 2, 30), (1, 2, 32.5), (1, 2, 35)]

    def test_absolute_planes_of_a_dose_grid(self) -> None:
        # PS3.3 C.8.8.3.2 b): the vector may hold the z coordinates themselves.
        frames = describe(multiframe(ImagePositionPatient=[1, 2, 30], GridFrameOffsetVector=[30, 32.5, 35]))
        assert [f.position for f in frames] == [(1, 2, 30), (1, 2, 32.5), (1, 2, 35)]

    def test_absolute_planes_whose_normal_points_down(self) -> None:
        down = [1.0, 0, 0, 0, -1.0, 0]  # row x column is (0, 0, -1)
        frames = describe(
            multiframe(
                ImagePositionPatient=[1, 2, 30],
                ImageOrientationPatient=down,
                GridFrameOffsetVector=[30, 32.5, 35],
            )
        )
        assert [f.position for f in frames] == [(1, 2, 30), (1, 2, 32.5), (1, 2, 35)]


class TestSplittingAttributes:
    def test_of_a_classic_object(self) -> None:
        [frame] = describe(
            builders.image(
                TemporalPositionIdentifier=2,
                EchoTime=30,
                EchoNumbers=1,
                AcquisitionNumber=4,
                FrameOfReferenceUID="1.2.3",
            )
        )
        assert frame.splitting == {
            "temporal_position": "2",
            "acquisition": "4",
            "echo": "1",
            "echo_time": "30",
            "image_type": "ORIGINAL\\PRIMARY\\AXIAL",
            "frame_of_reference": "1.2.3",
        }

    def test_of_functional_groups(self) -> None:
        direction = item(DiffusionGradientOrientation=[1.0, 0.0, 0.0])
        diffusion = item(DiffusionBValue=1000.0, DiffusionGradientDirectionSequence=Items([direction]))
        group = {
            "FrameContentSequence": item(TemporalPositionIndex=3, StackID="A"),
            "MRDiffusionSequence": diffusion,
            "MREchoSequence": item(EffectiveEchoTime=12.5),
        }
        [frame] = describe(
            builders.enhanced([(0, 0, 0)], groups=[group], ImageType=None, FrameOfReferenceUID=None)
        )
        assert frame.splitting == {
            "temporal_position": "3",
            "echo_time": "12.5",
            "b_value": "1000",
            "diffusion_gradient": "1\\0\\0",
            "stack_id": "A",
        }


def test_a_description_survives_json() -> None:
    for dataset in (
        builders.image(),
        builders.enhanced([(0, 0, 1)]),
        builders.image(ImagePositionPatient=None),
        builders.image(
            ImageOrientationPatient=[1.02, 0, 0, 0, 1, 0], ConcatenationUID="1.2", InConcatenationNumber=1
        ),
    ):
        [frame] = describe(dataset)
        assert FrameDescription.from_dict(json.loads(json.dumps(frame.as_dict()))) == frame


class TestBombs:
    """What a few bytes of one file may make the index keep for each frame."""

    def test_texts_are_kept_short(self) -> None:
        long = "x" * 60_000
        directions = [long[:30_000]] * 2
        dataset = multiframe(
            ConvolutionKernel=long, PatientOrientation=directions, ConcatenationUID="1" * 60_000
        )
        dataset.ConcatenationFrameOffsetNumber = 0
        dataset.ImageOrientationPatient = [0.5] * 5000
        assert all(len(json.dumps(frame.as_dict())) < 2000 for frame in describe(dataset))

    @pytest.mark.parametrize("spacing", [["1e300", "1e-300"], ["1e7", "1"], ["0.0000001", "1"], ["-1", "1"]])
    def test_a_spacing_that_cannot_be_is_absent(self, spacing: list[str]) -> None:
        (frame,) = describe(builders.image(PixelSpacing=spacing))
        assert (frame.row_spacing_mm, frame.pixel_aspect_ratio) == (None, 1.0)

    def test_pixels_that_are_lines_are_drawn_as_squares(self) -> None:
        (frame,) = describe(builders.image(PixelSpacing=["1", "0.0001"]))
        assert (frame.row_spacing_mm, frame.pixel_aspect_ratio) == (1, 1.0)

    def test_a_position_beyond_the_horizon_is_absent(self) -> None:
        (frame,) = describe(builders.image(ImagePositionPatient=["0", "1e8", "0"]))
        assert frame.position is None

    def test_directions_that_run_over_are_none(self) -> None:
        (frame,) = describe(builders.image(ImageOrientationPatient=["1e200", 0, 0, 0, "1e200", 0]))
        assert frame.orientation is None
