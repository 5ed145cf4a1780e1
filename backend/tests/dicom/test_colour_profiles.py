"""Colour profiles in pictures: embedded, and converted by Pillow's colour management."""

import io

import numpy as np
import pytest
from PIL import ImageCms
from pydicom.sequence import Sequence as Items

from imageserver.dicom.colour_profiles import ColourProfile, apply_profile, profile_of, srgb_profile
from imageserver.errors import InvalidParameter
from tests.builders import image, item

COLOUR = np.random.default_rng(4).integers(0, 256, (6, 5, 3)).astype(np.uint8)


def swapped_profile() -> bytes:
    """A profile of another space than sRGB: its primaries in another order."""
    made = bytearray(srgb_profile())
    table = {
        bytes(made[at : at + 4]): at for at in range(132, 132 + 12 * int.from_bytes(made[128:132], "big"), 12)
    }
    red, blue = table[b"rXYZ"], table[b"bXYZ"]
    made[red + 4 : red + 12], made[blue + 4 : blue + 12] = (
        made[blue + 4 : blue + 12],
        made[red + 4 : red + 12],
    )
    return bytes(made)


def test_none_is_the_picture_itself() -> None:
    assert apply_profile(COLOUR, ColourProfile.NO, image()) == (COLOUR, None)


def test_srgb_is_a_profile_that_never_changes() -> None:
    assert srgb_profile() == srgb_profile()
    assert srgb_profile()[24:36] == bytes([7, 234, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    read = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert "sRGB" in ImageCms.getProfileDescription(read)


def test_yes_embeds_that_of_the_file() -> None:
    dataset = image(COLOUR, ICCProfile=swapped_profile())
    values, profile = apply_profile(COLOUR, ColourProfile.YES, dataset)
    np.testing.assert_array_equal(values, COLOUR)
    assert profile == swapped_profile() + b"\0" * (len(swapped_profile()) % 2)


@pytest.mark.parametrize("wanted", [ColourProfile.YES, ColourProfile.SRGB])
def test_without_one_in_the_file_it_is_srgb(wanted: ColourProfile) -> None:
    values, profile = apply_profile(COLOUR, wanted, image(COLOUR))
    np.testing.assert_array_equal(values, COLOUR)
    assert profile == srgb_profile()


def test_grey_becomes_rgb() -> None:
    values, profile = apply_profile(COLOUR[..., 0], ColourProfile.SRGB, image())
    np.testing.assert_array_equal(values, np.dstack([COLOUR[..., 0]] * 3))
    assert profile == srgb_profile()


def test_srgb_converts_the_colours() -> None:
    """Red of the file is blue of sRGB, because its profile says so."""
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    values, profile = apply_profile(red, ColourProfile.SRGB, image(red, ICCProfile=swapped_profile()))
    assert profile == srgb_profile()
    assert values[0, 0].tolist() == pytest.approx([0, 0, 255], abs=2)


def test_a_profile_that_is_none() -> None:
    with pytest.raises(InvalidParameter, match="iccprofile"):
        apply_profile(COLOUR, ColourProfile.SRGB, image(COLOUR, ICCProfile=b"no profile at all."))


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (0, (2**31).to_bytes(4, "big")),  # longer than it is
        (0, (100).to_bytes(4, "big")),  # shorter than its header
        (16, b"CMYK"),
        (16, b"GRAY"),
        (36, b"ajsp"),
    ],
)
def test_the_library_is_given_nothing_but_profiles_of_rgb(
    at: int, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = bytearray(swapped_profile())
    profile[at : at + len(written)] = written
    monkeypatch.setattr(ImageCms, "profileToProfile", lambda *_: pytest.fail("it was given to the library"))
    with pytest.raises(InvalidParameter, match="no profile of RGB"):
        apply_profile(COLOUR, ColourProfile.SRGB, image(COLOUR, ICCProfile=bytes(profile)))


def test_a_profile_that_is_too_large() -> None:
    profile = swapped_profile() + bytes(1024 * 1024)
    with pytest.raises(InvalidParameter, match="too large"):
        apply_profile(COLOUR, ColourProfile.SRGB, image(COLOUR, ICCProfile=profile))


def test_of_an_optical_path() -> None:
    dataset = image(COLOUR)
    dataset.OpticalPathSequence = Items([item(ICCProfile=b"abcd")])
    assert profile_of(dataset) == b"abcd"
