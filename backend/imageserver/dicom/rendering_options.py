"""How a picture is rendered for DICOMweb: the steps after the grey and the colour pipeline (PS3.18 8.3.5)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.annotation import Annotation, annotation_lines, burn_in
from imageserver.dicom.colour_profiles import ColourProfile, apply_profile
from imageserver.dicom.reading import Header
from imageserver.dicom.rendered_format import DEFAULT_QUALITY, RenderedFormat, encode_rendered
from imageserver.dicom.viewport import Viewport, show_in_viewport
from imageserver.dicom.voi_lut import Window


@dataclass(frozen=True)
class RenderingOptions:
    """What a client may ask of a picture.

    Attributes
    ----------
    rendered_format : RenderedFormat
    window : Window or None
        With its function; None: the file's own.
    viewport : Viewport or None
        None: one pixel for each of the image.
    quality : int
        1 to 100, of lossy formats.
    annotations : frozenset of Annotation
        What is burned in.
    colour_profile : ColourProfile
    """

    rendered_format: RenderedFormat = RenderedFormat.JPEG
    window: Window | None = None
    viewport: Viewport | None = None
    quality: int = DEFAULT_QUALITY
    annotations: frozenset[Annotation] = frozenset()
    colour_profile: ColourProfile = ColourProfile.NO

    def key(self) -> tuple[object, ...]:
        """What tells one set of options from another, in an order that never changes."""
        return (
            self.rendered_format.value,
            self.window and (self.window.center, self.window.width, self.window.function.value),
            self.viewport and tuple(self.viewport),
            self.quality,
            sorted(self.annotations),
            self.colour_profile.value,
        )


def finish_picture(
    display_values: NDArray[np.uint8],
    options: RenderingOptions,
    header: Header,
    frame_index: int,
    window: Window | None,
    pixel_aspect_ratio: float,
) -> bytes:
    """Take a picture through colour profile, viewport, annotation and encoding.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    options : RenderingOptions
        What was asked for.
    header : Header
        Of the image, or of the one that stands for its volume.
    frame_index : int
        From 0.
    window : Window or None
        That the picture was drawn with.
    pixel_aspect_ratio : float
        Height of a pixel divided by its width.

    Raises
    ------
    imageserver.errors.InvalidParameter
        If the image has no such region, no room for the text, or a profile that is of no use.

    References
    ----------
    DICOM PS3.18 8.3.5.1: annotations come after everything else
    """
    shown, profile = apply_profile(display_values, options.colour_profile, header.dataset)
    if options.viewport is not None:
        shown = show_in_viewport(shown, options.viewport, pixel_aspect_ratio)
    if options.annotations:
        shown = burn_in(shown, *annotation_lines(header, frame_index, options.annotations, window))
    return encode_rendered(shown, options.rendered_format, options.quality, profile)
