"""A picture of one frame, step by step as PS3.4 N.2 draws it: modality LUT, VOI LUT, polarity, 8 bits, encoding."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageserver.dicom.colour import to_rgb
from imageserver.dicom.decoding import DecodedFrame, undecodable
from imageserver.dicom.detector_spacing import spacing_findings
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.limits import Finding
from imageserver.dicom.lookup_table import LookupTable
from imageserver.dicom.modality_lut import (
    ModalityTransform,
    apply_modality_lut,
    modality_findings,
    read_modality_transform,
)
from imageserver.dicom.padding import Padding, read_padding
from imageserver.dicom.png import encode_png
from imageserver.dicom.presentation import MID_GREY, invert_monochrome1, to_8_bit
from imageserver.dicom.reading import Header
from imageserver.dicom.values import items
from imageserver.dicom.voi_lut import (
    Window,
    apply_voi_lut,
    apply_window,
    guess_window,
    has_unusable_window,
    read_voi_lut,
    read_windows,
)
from imageserver.errors import UndecodableFrame

WINDOW_GUESSED = "window_guessed"
WINDOW_UNUSABLE = "window_unusable"
VOI_LUT_UNUSABLE = "voi_lut_unusable"
VOI_LUT_DEPTH = "voi_lut_depth"
CONSTANT_IMAGE = "constant_image"
ICC_PROFILE_IGNORED = "icc_profile_ignored"

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})


class PictureFormat(StrEnum):
    """What a picture can be encoded as."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """The media type, for example ``image/png``."""
        return f"image/{self.value}"


# What the formats have room for: 16 bits less the last value in JPEG as libjpeg has it, 14 bits in WebP.
_LONGEST_SIDE = {PictureFormat.JPEG: 65500, PictureFormat.WEBP: 16383}


@dataclass(frozen=True)
class RenderedFrame:
    """A picture of a frame.

    Attributes
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
    window : Window or None
        The window that was used; None for a table, for colour and for a constant image.
    warnings : tuple of Finding
        For example that the window was guessed.
    """

    display_values: NDArray[np.uint8]
    window: Window | None = None
    warnings: tuple[Finding, ...] = ()


def windows_of(header: Header, frame_index: int = 0) -> list[Window]:
    """Return the windows that the file offers for a frame, the default first; empty for colour and palettes."""
    if header.image is None or header.image.photometric_interpretation not in _GREY:
        return []
    return read_windows(FunctionalGroups(header.dataset), frame_index)


def render_frame(
    frame: DecodedFrame, header: Header, frame_index: int, window: Window | None = None
) -> RenderedFrame:
    """Make the picture of a decoded frame.

    Parameters
    ----------
    frame : DecodedFrame
        Left as it is.
    header : Header
        Of the object.
    frame_index : int
        From 0.
    window : Window, optional
        To use instead of the file's own; colour images have none.

    Returns
    -------
    RenderedFrame
        Without `window`: by the first table of the file, else its first window, else a guessed one.

    Raises
    ------
    imageserver.errors.UndecodableFrame
        If the colours cannot be made out.

    References
    ----------
    DICOM PS3.4 N.2
    """
    rendered = _render(frame, header, frame_index, window)
    return replace(rendered, warnings=(*rendered.warnings, *spacing_findings(header)))


def _render(frame: DecodedFrame, header: Header, frame_index: int, window: Window | None) -> RenderedFrame:
    if frame.photometric_interpretation not in _GREY:
        return _render_colour(frame, header, frame_index)
    if frame.stored_values.ndim != 2:
        raise undecodable(header, frame_index, "its pixels have several samples and are called grey")
    return _GreyPipeline(frame, header, frame_index).render(window)


def _render_colour(frame: DecodedFrame, header: Header, frame_index: int) -> RenderedFrame:
    assert header.image is not None
    try:
        rgb = to_rgb(frame.stored_values, frame.photometric_interpretation, header.image, header.dataset)
    except ValueError as error:
        raise undecodable(header, frame_index, str(error)) from error
    has_profile = "ICCProfile" in header.dataset
    ignored = Finding(ICC_PROFILE_IGNORED, "The colour profile in the file is not applied.")
    return RenderedFrame(rgb, warnings=(ignored,) if has_profile else ())


class _GreyPipeline:
    """The steps for one grey frame."""

    def __init__(self, frame: DecodedFrame, header: Header, frame_index: int) -> None:
        assert header.image is not None
        groups = FunctionalGroups(header.dataset)
        self.stored_values = frame.stored_values
        self.photometric_interpretation = frame.photometric_interpretation
        self.header = header
        self.modality: ModalityTransform = read_modality_transform(header, groups, frame_index)
        self.padding = read_padding(header)
        self.file_windows = read_windows(groups, frame_index)
        self.has_unusable_window = has_unusable_window(groups, frame_index)
        self.warnings: list[Finding] = modality_findings(header, groups, frame_index)

    def render(self, window: Window | None) -> RenderedFrame:
        voi = window or self._voi_of_file()
        if voi is None:
            return self._constant()
        picture = map_values(self.stored_values, lambda values: self._display(values, voi))
        self._blacken_padding(picture)
        used = voi if isinstance(voi, Window) else None
        return RenderedFrame(picture, used, tuple(self.warnings))

    def _voi_of_file(self) -> Window | LookupTable | None:
        """Return the table of the file, its first window, or a guess; None where nothing can be guessed."""
        table = read_voi_lut(self.header, signed=self._may_be_negative())
        if table is not None:
            self._check_depth(table)
            return table
        if items(self.header.dataset, "VOILUTSequence"):
            self.warnings.append(
                Finding(VOI_LUT_UNUSABLE, "The VOI LUT in the file is damaged and was not used.")
            )
        if self.file_windows:
            return self.file_windows[0]
        return self._guessed()

    def _check_depth(self, table: LookupTable) -> None:
        """Tell where the brightest entry of a table does not go with the bits that the file says it has."""
        needed = int(table.entries.max()).bit_length()
        if table.declared_bits is not None and (table.bits != table.declared_bits or needed < table.bits):
            message = (
                f"The VOI LUT in the file says {table.declared_bits} bits, its entries need {needed}; brightness may "
                "not be what was meant."
            )
            self.warnings.append(Finding(VOI_LUT_DEPTH, message))

    def _guessed(self) -> Window | None:
        """Guess a window, and tell whether the file has none or one that is of no use."""
        absence = "The file has no window"
        if self.has_unusable_window:
            absence = "The window in the file cannot be used"
            message = f"{absence}: its center is missing or unreadable, or its width is, or is not positive."
            self.warnings.append(Finding(WINDOW_UNUSABLE, message))
        guess = guess_window(apply_modality_lut(self._without_padding(), self.modality))
        if guess is not None:
            message = f"{absence}; brightness and contrast were chosen from this image."
            self.warnings.append(Finding(WINDOW_GUESSED, message))
        return guess

    def _may_be_negative(self) -> bool:
        """Tell whether modality values can be negative, so that a table may begin there (PS3.3 C.11.2.1.1)."""
        if isinstance(self.modality, LookupTable):
            return False
        is_signed = self.header.image is not None and self.header.image.is_signed
        return is_signed or self.modality.intercept < 0 or self.modality.slope < 0

    def _without_padding(self) -> NDArray[Any]:
        if self.padding is None:
            return self.stored_values
        return np.asarray(self.stored_values[~self.padding.mask(self.stored_values)])

    def _display(self, stored_values: NDArray[Any], voi: Window | LookupTable) -> NDArray[np.uint8]:
        modality_values = apply_modality_lut(stored_values, self.modality)
        if isinstance(voi, Window):
            intensities = apply_window(modality_values, voi)
        else:
            intensities = apply_voi_lut(modality_values, voi)
        return to_8_bit(invert_monochrome1(intensities, self.photometric_interpretation))

    def _blacken_padding(self, picture: NDArray[np.uint8]) -> None:
        """Draw padding black, also in MONOCHROME1, whose lowest value is white."""
        if self.padding is not None and _may_hold(self.stored_values, self.padding):
            picture[self.padding.mask(self.stored_values)] = 0

    def _constant(self) -> RenderedFrame:
        """Draw a frame of one value, which no window can be guessed for, in the middle of the greys."""
        picture = np.full(self.stored_values.shape, MID_GREY, np.uint8)
        self._blacken_padding(picture)
        self.warnings.append(Finding(CONSTANT_IMAGE, "All pixels of the image have the same value."))
        return RenderedFrame(picture, None, tuple(self.warnings))


def _may_hold(values: NDArray[Any], padding: Padding) -> bool:
    """Tell whether the type of the values can hold padding at all."""
    limits = np.iinfo(values.dtype)
    return limits.min <= padding.low and padding.high <= limits.max


def map_values(
    stored_values: NDArray[Any], function: Callable[[NDArray[Any]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Apply a function of single values to a whole frame, through a table where that is less work.

    Integers of up to 16 bits have so few different values that the pipeline runs once for each of those between the
    smallest and the largest, and the frame is looked up. The result is the same to the bit.

    Parameters
    ----------
    stored_values : numpy.ndarray, any real type
        Left as they are.
    function : callable
        Takes and gives arrays of any shape, value by value.

    Returns
    -------
    numpy.ndarray, same shape, uint8
    """
    if stored_values.dtype.kind == "f" or stored_values.dtype.itemsize > 2:
        return function(stored_values)
    unsigned = stored_values.view(f"u{stored_values.dtype.itemsize}")
    low, high = int(stored_values.min()), int(stored_values.max())
    inputs = np.arange(low, high + 1, dtype=np.int32).astype(stored_values.dtype)
    table = np.zeros(1 << (8 * stored_values.dtype.itemsize), np.uint8)
    table[inputs.view(unsigned.dtype)] = function(inputs)
    return np.asarray(table[unsigned])


def encode(display_values: NDArray[np.uint8], picture_format: PictureFormat) -> bytes:
    """Encode a picture.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    picture_format : PictureFormat
        PNG is exact; JPEG and WebP are lossy, for a quick look.

    Returns
    -------
    bytes

    Raises
    ------
    imageserver.errors.UndecodableFrame
        If the format has no room for the picture; PNG always has.
    """
    if picture_format is PictureFormat.PNG:
        return encode_png(display_values)
    if max(display_values.shape[:2]) > _LONGEST_SIDE[picture_format]:
        rows, columns = display_values.shape[:2]
        raise UndecodableFrame(
            f"A picture of {rows} x {columns} pixels is too large for {picture_format.value}; ask for png."
        )
    picture = Image.fromarray(np.ascontiguousarray(display_values))
    buffer = io.BytesIO()
    if picture_format is PictureFormat.JPEG:
        picture.save(buffer, "JPEG", quality=90, subsampling=0)
    else:
        picture.save(buffer, "WEBP", quality=85, method=2)
    return buffer.getvalue()
