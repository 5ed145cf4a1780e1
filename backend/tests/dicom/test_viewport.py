"""Crop, flip and scale by the rules of PS3.18 8.3.5.1.3."""

import numpy as np
import pytest

from imageserver.dicom.viewport import Viewport, show_in_viewport
from imageserver.errors import InvalidParameter

PICTURE = np.random.default_rng(3).integers(0, 256, (20, 40)).astype(np.uint8)


class TestSize:
    @pytest.mark.parametrize(
        ("viewport", "size"),
        [
            # As large as possible within the viewport, without distortion: worked out by hand from 40 x 20.
            ((80, 80), (40, 80)),
            ((100, 40), (40, 80)),
            ((10, 100), (5, 10)),
            ((40, 20), (20, 40)),
            ((1, 1), (1, 1)),
        ],
    )
    def test_as_large_as_fits(self, viewport: tuple[int, int], size: tuple[int, int]) -> None:
        assert show_in_viewport(PICTURE, Viewport(*viewport)).shape == size

    def test_of_the_region_not_of_the_image(self) -> None:
        assert show_in_viewport(PICTURE, Viewport(30, 30, 5, 5, 10, 10)).shape == (30, 30)

    def test_high_pixels_become_square(self) -> None:
        assert show_in_viewport(PICTURE, Viewport(40, 400), pixel_aspect_ratio=2.0).shape == (40, 40)

    def test_not_enlarged_where_that_is_not_wanted(self) -> None:
        shown = show_in_viewport(PICTURE, Viewport(128, 128, may_enlarge=False))
        np.testing.assert_array_equal(shown, PICTURE)

    def test_colour_keeps_its_samples(self) -> None:
        colour = np.repeat(PICTURE[..., None], 3, axis=2)
        assert show_in_viewport(colour, Viewport(20, 20)).shape == (10, 20, 3)


class TestRegion:
    def test_one_pixel_for_each_is_exact(self) -> None:
        shown = show_in_viewport(PICTURE, Viewport(10, 5, 7, 3, 10, 5))
        np.testing.assert_array_equal(shown, PICTURE[3:8, 7:17])

    def test_without_a_size_it_goes_to_the_edges(self) -> None:
        shown = show_in_viewport(PICTURE, Viewport(30, 15, 10, 5))
        np.testing.assert_array_equal(shown, PICTURE[5:, 10:])

    def test_a_part_of_a_pixel(self) -> None:
        steps = np.array([[0, 100, 200]], np.uint8)
        # From the middle of the first pixel to the middle of the third: the mean is that of the second.
        shown = show_in_viewport(steps, Viewport(1, 1, 0.5, 0, 2, 1))
        assert shown.shape == (1, 1)
        assert abs(int(shown[0, 0]) - 100) <= 2

    def test_flips(self) -> None:
        both = Viewport(40, 20, is_flipped_horizontally=True, is_flipped_vertically=True)
        np.testing.assert_array_equal(show_in_viewport(PICTURE, both), PICTURE[::-1, ::-1])
        horizontally = Viewport(40, 20, is_flipped_horizontally=True)
        np.testing.assert_array_equal(show_in_viewport(PICTURE, horizontally), PICTURE[:, ::-1])

    @pytest.mark.parametrize("region", [(40, 0), (0, 0, 41, 20), (1, 0, 40, 20), (0, 20), (0, 0, 1, 21)])
    def test_outside_the_image(self, region: tuple[float, ...]) -> None:
        with pytest.raises(InvalidParameter, match="40 x 20"):
            show_in_viewport(PICTURE, Viewport(10, 10, *region))

    def test_the_picture_that_came_is_left_as_it_is(self) -> None:
        before = PICTURE.copy()
        show_in_viewport(PICTURE, Viewport(7, 7, 1, 1, 9, 9, is_flipped_vertically=True))
        np.testing.assert_array_equal(PICTURE, before)
