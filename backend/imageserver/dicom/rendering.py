"""A picture of one frame, step by step as PS3.4 N.2 draws it: modality LUT, VOI LUT, polarity, 8 bits."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.colour import profile_findings, to_rgb
from imageserver.dicom.decoding import DecodedFrame, undecodable
from imageserver.dicom.detector_spacing import spacing_findings
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.limits import Finding
from imageserver.dicom.modality_lut import (
    ModalityTransform,
    apply_modality_lut,
    modality_findings,
    read_modality_transform,
)
from imageserver.dicom.padding import blacken_padding, read_padding, without_padding
from imageserver.dicom.presentation import MID_GREY, apply_polarity, presentation_findings, to_8_bit
from imageserver.dicom.reading import Header
from imageserver.dicom.supplemental_palette import colour_range, is_coloured, read_supplemental_palette
from imageserver.dicom.value_map import map_values
from imageserver.dicom.voi_choice import VoiChoice, choose_voi
from imageserver.dicom.voi_lut import VoiTransform, Window, apply_voi, read_windows

CONSTANT_IMAGE = "constant_image"

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})


@dataclass(frozen=True)
class RenderedFrame:
    """A picture of a frame.

    Attributes
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
    window : Window or None
        The window that was used; None for a table, for colour, for a mask and for a constant image.
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
    if frame.photometric_interpretation not in _GREY:
        rendered = _render_colour(frame, header, frame_index)
    elif frame.stored_values.ndim == 2:
        rendered = _render_grey(frame, header, frame_index, window)
    else:
        raise undecodable(header, frame_index, "its pixels have several samples and are called grey")
    return replace(rendered, warnings=(*rendered.warnings, *spacing_findings(header)))


def _render_colour(frame: DecodedFrame, header: Header, frame_index: int) -> RenderedFrame:
    assert header.image is not None
    try:
        rgb = to_rgb(frame.stored_values, frame.photometric_interpretation, header.image, header.dataset)
    except ValueError as error:
        raise undecodable(header, frame_index, str(error)) from error
    return RenderedFrame(rgb, warnings=tuple(profile_findings(header.dataset)))


def _render_grey(
    frame: DecodedFrame, header: Header, frame_index: int, window: Window | None
) -> RenderedFrame:
    assert header.image is not None
    groups, stored_values = FunctionalGroups(header.dataset), frame.stored_values
    modality = read_modality_transform(header, groups, frame_index)
    padding = read_padding(header)
    palette, findings = read_supplemental_palette(
        header.dataset, groups, frame_index, signed=header.image.is_signed
    )

    def measured_values() -> NDArray[Any]:
        values = without_padding(stored_values, padding)
        return values if palette is None else values[~is_coloured(values, palette)]

    choice = VoiChoice(window, [])
    if window is None:
        choice = choose_voi(header, frame_index, modality, measured_values)
    picture = _grey_picture(frame, modality, choice.voi)
    if palette is not None:
        picture = colour_range(picture, stored_values, palette)
    picture = blacken_padding(picture, stored_values, padding)
    findings = [
        *modality_findings(header, groups, frame_index),
        *choice.findings,
        *([] if choice.voi else [Finding(CONSTANT_IMAGE, "All pixels of the image have the same value.")]),
        *presentation_findings(header.dataset, frame.photometric_interpretation),
        *profile_findings(header.dataset),
        *findings,
    ]
    return RenderedFrame(picture, choice.window, tuple(findings))


def _grey_picture(
    frame: DecodedFrame, modality: ModalityTransform, voi: VoiTransform | None
) -> NDArray[np.uint8]:
    """Draw a frame through the pipeline, or in the middle of the greys where no window can be guessed."""
    if voi is None:
        return np.full(frame.stored_values.shape, MID_GREY, np.uint8)
    return to_display_values(frame.stored_values, modality, voi, frame.photometric_interpretation)


def to_display_values(
    stored_values: NDArray[Any],
    modality: ModalityTransform,
    voi: VoiTransform,
    photometric_interpretation: str,
) -> NDArray[np.uint8]:
    """Take stored values through the grey pipeline: modality LUT, VOI LUT, polarity, 8 bits.

    Parameters
    ----------
    stored_values : numpy.ndarray, any real type
        Left as they are; padding is drawn as any other value.
    modality : Rescale or LookupTable
        First step.
    voi : Window or LookupTable
        Second step.
    photometric_interpretation : str
        MONOCHROME1 or MONOCHROME2.

    Returns
    -------
    numpy.ndarray, same shape, uint8

    References
    ----------
    DICOM PS3.4 N.2
    """

    def steps(values: NDArray[Any]) -> NDArray[np.uint8]:
        modality_values = apply_modality_lut(values, modality)
        intensities = apply_voi(modality_values, voi)
        return to_8_bit(apply_polarity(intensities, photometric_interpretation))

    return map_values(stored_values, steps)
