"""Small pictures: how large they are, and that they show the same."""

import numpy as np
import pytest
from PIL import Image

from imageserver.dicom import scaling
from imageserver.dicom.scaling import scale_down


@pytest.mark.parametrize(
    ("shape", "ratio", "expected"),
    [
        ((512, 512), 1.0, (128, 128)),
        ((512, 256), 1.0, (128, 64)),
        ((100, 300, 3), 1.0, (43, 128, 3)),
        ((64, 48), 1.0, (64, 48)),
        ((128, 128), 1.0, (128, 128)),
        # PS3.3 C.7.6.3.1.7: vertical size of a pixel, then horizontal; pixels of 2:1 make the picture twice as high
        ((100, 100), 2.0, (128, 64)),
        ((100, 100), 0.5, (64, 128)),
        ((20, 20), 2.0, (40, 20)),
        ((20, 20), 0.5, (20, 40)),
        ((1, 4096), 1.0, (1, 128)),
        ((4096, 1), 1.0, (128, 1)),
        ((1, 1), 1e6, (128, 1)),
    ],
)
def test_size(shape: tuple[int, ...], ratio: float, expected: tuple[int, ...]) -> None:
    assert scale_down(np.zeros(shape, np.uint8), 128, ratio).shape == expected


def test_what_was_left_is_left() -> None:
    picture = np.zeros((512, 512), np.uint8)
    picture[:, 256:] = 200
    small = scale_down(picture, 128)
    assert (small[:, :60] == 0).all()
    assert (small[:, 68:] == 200).all()


def test_fine_detail_is_averaged_and_not_sampled() -> None:
    picture = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (256, 256))
    assert abs(scale_down(picture, 128).astype(int) - 100).max() <= 1


def test_colours_are_kept() -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[..., 0] = 250
    assert (scale_down(picture, 100) == (250, 0, 0)).all()


@pytest.mark.parametrize("shape", [(1024, 1024), (1000, 777), (777, 1000, 3), (131, 4000), (130, 130)])
def test_large_pictures_are_as_pillow_makes_them(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # against Pillow's own reduction of the whole picture, an independent way of the same kind
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    smooth = ((np.sin(rows / 90) + np.cos(columns / 70)) * 60 + 125).astype(np.uint8)
    picture = smooth if len(shape) == 2 else np.stack([smooth, smooth // 2, 255 - smooth], axis=-1)
    monkeypatch.setattr(scaling, "_STRIP_PIXELS", 5000)
    small = scale_down(picture, 128)
    height, width = small.shape[:2]
    expected = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
    assert abs(small.astype(int) - np.asarray(expected)).max() <= 3


def test_pillow_copies_only_a_strip_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    fromarray = Image.fromarray

    def note(values: np.ndarray) -> Image.Image:
        given.append(values.shape[0] * values.shape[1])
        return fromarray(values)

    monkeypatch.setattr(scaling.Image, "fromarray", note)
    assert scale_down(np.zeros((8192, 8192), np.uint8), 128).shape == (128, 128)
    assert max(given) <= 1 << 20
