"""The bits of overlay planes, laid over the image and drawn (PS3.5 8.1.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.decoding import Decoders, decode_frame
from imageserver.dicom.limits import Finding
from imageserver.dicom.overlays import UNUSABLE_OVERLAY, OverlayPlane, Overlays, overlay_data
from imageserver.dicom.reading import Header
from imageserver.errors import UndecodableFrame

WHITE = 255


class DecodedOverlays(NamedTuple):
    """Where the overlays of a frame are set, plane by plane in the shape of the image; what could not be decoded."""

    masks: Iterator[NDArray[np.bool_]]
    findings: list[Finding]


def with_all_bits(header: Header) -> Header:
    """Return the header of the same image with every allocated bit stored, to decode what else is in the words."""
    assert header.image is not None
    bits = header.image.bits_allocated
    image = replace(header.image, bits_stored=bits, high_bit=bits - 1, is_signed=False)
    return replace(header, image=image)


def decode_overlays(
    stream: BinaryIO, header: Header, overlays: Overlays, frame_index: int, decoders: Decoders
) -> DecodedOverlays:
    """Return where the overlays of a frame are set; for embedded ones the frame is decoded with all bits.

    Parameters
    ----------
    stream : binary file object, seekable
        The file that `header` was read from.
    header : Header
        Of an object with pixel data.
    overlays : Overlays
        Of the same object.
    frame_index : int
        From 0.
    decoders : Decoders
        For compressed transfer syntaxes.

    Returns
    -------
    DecodedOverlays
        Where the frame cannot be decoded with all bits, without its embedded overlays and with a finding.

    Raises
    ------
    imageserver.errors.UnsupportedTransferSyntax, Busy
        As `decode_frame`.
    """
    planes = overlays.on_frame(frame_index)
    words, findings = None, []
    if any(plane.is_embedded for plane in planes):
        try:
            words = decode_frame(stream, with_all_bits(header), frame_index, decoders).stored_values
        except UndecodableFrame:
            message = "The overlays in the pixel data cannot be drawn: the bits that they stand in cannot be decoded."
            findings.append(Finding(UNUSABLE_OVERLAY, message))
    return DecodedOverlays(overlay_masks(planes, header, frame_index, words), findings)


def overlay_masks(
    planes: Iterable[OverlayPlane], header: Header, frame_index: int, words: NDArray[Any] | None
) -> Iterator[NDArray[np.bool_]]:
    """Yield where the planes of a frame are set.

    Parameters
    ----------
    planes : iterable of OverlayPlane
        Of the object.
    header : Header
        Of the object.
    frame_index : int
        From 0; planes that do not belong to this frame are left out.
    words : numpy.ndarray, shape (rows, columns), any unsigned type, or None
        The frame decoded by `with_all_bits`, for embedded planes; None where there are none.

    Yields
    ------
    numpy.ndarray, shape (rows, columns) of the image, bool
    """
    assert header.image is not None
    for plane in planes:
        overlay_frame = plane.frame_of(frame_index)
        if overlay_frame is None:
            continue
        if plane.bit_position is None:
            bits = unpack_overlay(overlay_data(header.dataset, plane.group), plane, overlay_frame)
            yield place_overlay(bits, plane, header.image.rows, header.image.columns)
        elif words is not None:
            yield (words >> plane.bit_position & 1).astype(np.bool_)


def unpack_overlay(data: bytes, plane: OverlayPlane, overlay_frame: int) -> NDArray[np.bool_]:
    """Unpack one frame of Overlay Data: bits follow each other without gaps, the lowest of a byte first.

    Parameters
    ----------
    data : bytes
        In words of little endian, or bytes.
    plane : OverlayPlane
        For the size.
    overlay_frame : int
        From 0.

    Returns
    -------
    numpy.ndarray, shape (rows, columns) of the plane, bool

    References
    ----------
    DICOM PS3.5 8.1.2
    """
    size = plane.rows * plane.columns
    first = overlay_frame * size
    packed = np.frombuffer(data, np.uint8, (first + size + 7) // 8 - first // 8, first // 8)
    bits = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + size]
    return bits.reshape(plane.rows, plane.columns).view(np.bool_)


def place_overlay(bits: NDArray[np.bool_], plane: OverlayPlane, rows: int, columns: int) -> NDArray[np.bool_]:
    """Lay a plane over an image of so many rows and columns; what lies outside is cut off.

    Parameters
    ----------
    bits : numpy.ndarray, shape (rows, columns) of the plane, bool
        Left as they are.
    plane : OverlayPlane
        For the origin.
    rows, columns : int
        Of the image.

    Returns
    -------
    numpy.ndarray, shape (rows, columns), bool

    References
    ----------
    DICOM PS3.3 C.9.2.1.1
    """
    placed = np.zeros((rows, columns), np.bool_)
    top, left = plane.top - 1, plane.left - 1
    target = placed[max(top, 0) : max(top + plane.rows, 0), max(left, 0) : max(left + plane.columns, 0)]
    source = bits[max(-top, 0) :, max(-left, 0) :][: target.shape[0], : target.shape[1]]
    target[...] = source
    return placed


def draw_overlays(display_values: NDArray[np.uint8], masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """Draw overlays white, as the brightest value of the picture whatever its polarity.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    masks : iterable of numpy.ndarray, shape (rows, columns), bool
        What `overlay_masks` found.

    Returns
    -------
    numpy.ndarray, same shape, uint8
    """
    drawn = display_values
    for mask in masks:  # one at a time: sixteen planes of a large image are more than the image
        if drawn is display_values:
            drawn = display_values.copy()
        drawn[mask] = WHITE
    return drawn
