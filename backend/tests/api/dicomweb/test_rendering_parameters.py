"""The syntax of the query parameters of PS3.18 8.3.5.1: every value that is not of it is refused."""

import pytest

from imageserver.api.dicomweb.rendering_parameters import (
    RenderingParameters,
    read_annotations,
    read_profile,
    read_quality,
    read_viewport,
    read_window,
)
from imageserver.dicom.annotation import Annotation
from imageserver.dicom.colour_profiles import ColourProfile
from imageserver.dicom.rendered_format import RenderedFormat
from imageserver.dicom.viewport import Viewport
from imageserver.dicom.voi_lut import VoiFunction, Window
from imageserver.errors import InvalidParameter


@pytest.mark.parametrize(
    ("value", "window"),
    [
        ("40,400,linear", Window(40, 400)),
        ("-600.5,1.5e3,linear-exact", Window(-600.5, 1500, VoiFunction.LINEAR_EXACT)),
        ("0,.25,sigmoid", Window(0, 0.25, VoiFunction.SIGMOID)),
        ("0,1,linear", Window(0, 1)),
    ],
)
def test_windows(value: str, window: Window) -> None:
    assert read_window(value) == window


@pytest.mark.parametrize(
    "value",
    [
        "", "40", "40,400", "40,400,", "40,400,LINEAR", "40,400,cubic", "40,400,linear,", "40,400,linear,1",
        ",400,linear", "40,,linear", "a,400,linear", "40,0,linear", "40,0.5,linear", "40,-1,sigmoid",
        "40,0,linear-exact", "nan,400,linear", "inf,400,linear", "1e99,400,linear", "0x10,400,linear", "٤٠,400,linear",
    ],
)  # fmt: skip
def test_no_windows(value: str) -> None:
    with pytest.raises(InvalidParameter, match="window"):
        read_window(value)


@pytest.mark.parametrize(
    ("value", "viewport"),
    [
        ("512,256", Viewport(512, 256)),
        # The examples of the standard: values between commas may be left out.
        ("512,512,,,512,512", Viewport(512, 512, 0, 0, 512, 512)),
        ("100,100,5.5,6", Viewport(100, 100, 5.5, 6)),
        ("100,100,,,-40", Viewport(100, 100, 0, 0, 40, None, is_flipped_horizontally=True)),
        ("100,100,1,2,3,-4", Viewport(100, 100, 1, 2, 3, 4, is_flipped_vertically=True)),
        ("100,100,-1,-2", Viewport(100, 100, 1, 2)),
    ],
)
def test_viewports(value: str, viewport: Viewport) -> None:
    assert read_viewport(value) == viewport


@pytest.mark.parametrize(
    "value",
    [
        "", "512", "512,", "512,512,", "512,512,1,", "0,512", "512,0", "-1,512", "512.5,512", "4097,1", "a,b",
        "512,512,a", "512,512,,,0,5", "512,512,,,5,0", "1,1,1,1,1,1,1", "512,512,nan", "999999999999,1",
    ],
)  # fmt: skip
def test_no_viewports(value: str) -> None:
    with pytest.raises(InvalidParameter, match="viewport"):
        read_viewport(value)


def test_a_thumbnail_has_no_region() -> None:
    assert read_viewport("64,32", with_region=False) == Viewport(64, 32)
    with pytest.raises(InvalidParameter):
        read_viewport("64,32,1,1", with_region=False)


@pytest.mark.parametrize("value", ["", "0", "101", "-1", "50.5", "high"])
def test_no_qualities(value: str) -> None:
    with pytest.raises(InvalidParameter, match="quality"):
        read_quality(value)


def test_annotations() -> None:
    assert read_annotations("technique,patient") == frozenset(Annotation)
    for wrong in ("", "patient,", "name", "PATIENT"):
        with pytest.raises(InvalidParameter, match="annotation"):
            read_annotations(wrong)


def test_profiles() -> None:
    assert read_profile(None) is ColourProfile.NO
    assert read_profile("srgb") is ColourProfile.SRGB
    for wrong in ("", "adobergb", "rommrgb", "SRGB"):
        with pytest.raises(InvalidParameter, match="iccprofile"):
            read_profile(wrong)


def test_quality_does_not_tell_exact_pictures_apart() -> None:
    parameters = RenderingParameters(None, None, 10, frozenset(), ColourProfile.NO)
    other = parameters._replace(quality=90)
    assert parameters.options(RenderedFormat.PNG) == other.options(RenderedFormat.PNG)
    assert parameters.options(RenderedFormat.JPEG) != other.options(RenderedFormat.JPEG)


def test_gif_carries_no_profile() -> None:
    parameters = RenderingParameters(None, None, 90, frozenset(), ColourProfile.SRGB)
    with pytest.raises(InvalidParameter, match="image/gif"):
        parameters.options(RenderedFormat.GIF)
