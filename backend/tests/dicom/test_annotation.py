"""Text burned into pictures: what it says, and when it is refused rather than drawn with holes."""

from typing import Any

import numpy as np
import pytest

from imageserver.dicom.annotation import Annotation, annotation_lines, burn_in, is_drawable
from imageserver.dicom.header import Header
from imageserver.dicom.reading import read_header
from imageserver.dicom.voi_lut import Window
from imageserver.errors import InvalidParameter
from tests.builders import image, stream

BOTH = frozenset(Annotation)
PATIENT = frozenset({Annotation.PATIENT})


def header_of(**attributes: Any) -> Header:
    return read_header(stream(image(**attributes)))


class TestLines:
    def test_of_patient_and_technique(self) -> None:
        header = header_of(PatientBirthDate="19640229", PatientSex="F", SliceThickness=2.5, InstanceNumber=7)
        patient, technique = annotation_lines(header, 0, BOTH, Window(40, 400))
        assert patient == ["Doe, Jane", "ID TEST-1", "1964-02-29  female"]
        assert technique == ["CT  2026-01-02", "Series 1  Image 7", "Thickness 2.5 mm", "Window 40 / 400"]

    def test_only_what_is_wanted(self) -> None:
        patient, technique = annotation_lines(header_of(), 0, frozenset({Annotation.TECHNIQUE}), None)
        assert patient == []
        assert technique

    @pytest.mark.parametrize(
        ("name", "charset"),
        [("Müller^Jürg", "ISO_IR 100"), ("Люкceмбypг^Роза", "ISO_IR 192"), ("Διον^Α", "ISO_IR 192")],
    )
    def test_names_in_alphabets_of_europe(self, name: str, charset: str) -> None:
        patient, _ = annotation_lines(
            header_of(PatientName=name, SpecificCharacterSet=charset), 0, PATIENT, None
        )
        assert patient[0] == name.replace("^", ", ")

    def test_another_group_of_the_name_where_the_first_cannot_be_drawn(self) -> None:
        header = header_of(PatientName="Yamada^Tarou=山田^太郎", SpecificCharacterSet="ISO_IR 192")
        assert annotation_lines(header, 0, PATIENT, None)[0][0] == "Yamada, Tarou"

    @pytest.mark.parametrize("name", ["山田^太郎", "قباني^لنزار", "שרון^דבורה"])
    def test_a_name_that_cannot_be_drawn_is_refused(self, name: str) -> None:
        header = header_of(PatientName=name, SpecificCharacterSet="ISO_IR 192")
        with pytest.raises(InvalidParameter, match="font") as caught:
            annotation_lines(header, 0, PATIENT, None)
        assert name[:2] not in caught.value.detail

    def test_no_name_is_said(self) -> None:
        assert annotation_lines(header_of(PatientName=None), 0, PATIENT, None)[0][0] == "(no patient name)"


def test_a_sign_that_the_font_lacks_is_not_drawable() -> None:
    assert is_drawable("Ångström, Łukasz – 5 µm")
    assert not is_drawable("A\u5c71")
    assert not is_drawable("A\u0000")


class TestBurnIn:
    def test_changes_the_corners_only(self) -> None:
        grey = np.full((256, 256), 90, np.uint8)
        drawn = burn_in(grey, ["Doe, Jane"], ["CT"])
        changed = np.argwhere(drawn != 90)
        assert set(np.unique(drawn)) >= {0, 90, 255}
        assert changed[:, 1].max() < 128
        assert not ((changed[:, 0] > 40) & (changed[:, 0] < 216)).any()
        assert (grey == 90).all()

    def test_in_colour(self) -> None:
        drawn = burn_in(np.zeros((256, 256, 3), np.uint8), ["Doe"], [])
        assert drawn.max(axis=(0, 1)).tolist() == [255, 255, 255]

    def test_text_that_does_not_fit_is_refused_not_cut(self) -> None:
        with pytest.raises(InvalidParameter, match="no room"):
            burn_in(np.zeros((64, 64), np.uint8), ["A name that is much too long for this"], [])

    def test_long_lines_get_a_smaller_font(self) -> None:
        wide = burn_in(np.zeros((512, 600), np.uint8), ["M" * 50], [])
        assert np.argwhere(wide)[:, 1].max() < 600
