"""What a measurement may say."""

from dataclasses import replace

import pytest

from imageserver.errors import InvalidParameter
from imageserver.measurements.content import (
    MAX_LABEL_LENGTH,
    POINTS,
    VALUES,
    Content,
    ImagePlace,
    MeasurementKind,
    Plane,
    check_content,
)

PLACE = ImagePlace("1.2", "1.2.3", "1.2.3.4", 1, Plane.ACQUIRED)
LENGTH = Content(PLACE, MeasurementKind.LENGTH, "", [[0.0, 0.0], [3.0, 4.0]], {"length_mm": 5.0})


def of_kind(kind: MeasurementKind, points: int, coordinates: int = 2) -> Content:
    plane = Plane.ACQUIRED if coordinates == 2 else Plane.CORONAL
    return Content(replace(PLACE, plane=plane), kind, "", [[1.0] * coordinates] * points)


class TestPoints:
    @pytest.mark.parametrize("kind", MeasurementKind)
    def test_each_kind_has_its_number(self, kind: MeasurementKind) -> None:
        check_content(of_kind(kind, POINTS[kind]))
        for wrong in (POINTS[kind] - 1, POINTS[kind] + 1):
            with pytest.raises(InvalidParameter, match="points"):
                check_content(of_kind(kind, wrong))

    def test_on_a_cut_plane_they_are_places_in_the_patient(self) -> None:
        check_content(of_kind(MeasurementKind.LENGTH, 2, coordinates=3))
        in_plane = replace(LENGTH, place=replace(PLACE, plane=Plane.SAGITTAL))
        with pytest.raises(InvalidParameter, match="3 numbers"):
            check_content(in_plane)
        with pytest.raises(InvalidParameter, match="2 numbers"):
            check_content(replace(LENGTH, points=[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e7, -1e7])
    def test_numbers_that_are_no_place(self, number: float) -> None:
        with pytest.raises(InvalidParameter, match="points"):
            check_content(replace(LENGTH, points=[[0.0, 0.0], [number, 0.0]]))


class TestLabel:
    @pytest.mark.parametrize("label", ["", "Läsion 1", "病変", "آفة", "👩🏽‍⚕️", "x" * MAX_LABEL_LENGTH])
    def test_any_script(self, label: str) -> None:
        check_content(replace(LENGTH, label=label))

    @pytest.mark.parametrize(
        "label", ["a\nb", "a\0b", "a\tb", "\x85", "\u2028", "\u2029", "\ud800", "x" * 301]
    )
    def test_more_than_a_line_of_text(self, label: str) -> None:
        with pytest.raises(InvalidParameter, match="label"):
            check_content(replace(LENGTH, label=label))


class TestValues:
    def test_only_those_of_the_kind(self) -> None:
        with pytest.raises(InvalidParameter, match="length has no mean"):
            check_content(replace(LENGTH, values={"mean": 1.0}))

    def test_an_arrow_has_none(self) -> None:
        assert VALUES[MeasurementKind.ARROW] == frozenset()

    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    def test_finite_numbers(self, number: float) -> None:
        with pytest.raises(InvalidParameter, match="finite"):
            check_content(replace(LENGTH, values={"length_mm": number}))


class TestVersion:
    def test_the_same_content_has_the_same(self) -> None:
        assert LENGTH.version() == replace(LENGTH, label="").version()

    @pytest.mark.parametrize(
        "change",
        [
            {"label": "x"},
            {"points": [[0.0, 0.0], [3.0, 4.5]]},
            {"values": {"length_mm": 5.1}},
            {"kind": MeasurementKind.ARROW},
            {"place": replace(PLACE, frame_number=2)},
        ],
    )
    def test_any_change_makes_another(self, change: dict[str, object]) -> None:
        assert replace(LENGTH, **change).version() != LENGTH.version()  # type: ignore[arg-type]
