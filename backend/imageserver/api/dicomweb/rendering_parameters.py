"""The query parameters of rendered resources (PS3.18 8.3.5.1); WADO-URI, which spells them otherwise, shares the rest.

Every value is checked before anything is read: what is malformed is 400, as the standard asks.
"""

import math
import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from fastapi import Depends, Query

from imageserver.api.parameters import Absent
from imageserver.dicom.annotation import Annotation
from imageserver.dicom.colour_profiles import ColourProfile
from imageserver.dicom.rendered_format import DEFAULT_QUALITY, RenderedFormat
from imageserver.dicom.rendering_options import RenderingOptions
from imageserver.dicom.viewport import LONGEST_SIDE, Viewport
from imageserver.dicom.voi_lut import VoiFunction, Window
from imageserver.errors import InvalidParameter

_FUNCTIONS = {
    "linear": VoiFunction.LINEAR,
    "linear-exact": VoiFunction.LINEAR_EXACT,
    "sigmoid": VoiFunction.SIGMOID,
}
_DECIMAL = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER = re.compile(r"\d{1,9}", re.ASCII)
_LARGEST = 1e9


class RenderingParameters(NamedTuple):
    """The parameters of a request, checked; the format follows from what the client accepts."""

    window: Window | None
    viewport: Viewport | None
    quality: int
    annotations: frozenset[Annotation]
    colour_profile: ColourProfile

    def options(self, rendered_format: RenderedFormat) -> RenderingOptions:
        """Put them together with a format.

        Raises
        ------
        InvalidParameter
            If a profile is wanted in a format that cannot carry one.
        """
        if self.colour_profile is not ColourProfile.NO and not rendered_format.may_carry_profile:
            raise not_acceptable("iccprofile", f"{rendered_format} carries no colour profile")
        # Quality tells nothing about a format without loss, so that one picture has one tag.
        is_lossy = rendered_format in (RenderedFormat.JPEG, RenderedFormat.WEBP)
        quality = self.quality if is_lossy else DEFAULT_QUALITY
        return RenderingOptions(
            rendered_format, self.window, self.viewport, quality, self.annotations, self.colour_profile
        )


def rendering_parameters(
    annotation: Annotated[
        str | Absent, Query(description="`patient` and/or `technique`, with a comma between.", max_length=100)
    ] = None,
    quality: Annotated[str | Absent, Query(description="1 to 100, for JPEG.", max_length=20)] = None,
    viewport: Annotated[
        str | Absent, Query(description="`vw,vh[,sx,sy,sw,sh]` in pixels (8.3.5.1.3).", max_length=200)
    ] = None,
    window: Annotated[
        str | Absent,
        Query(
            description="`center,width,function`, the latter linear, linear-exact or sigmoid.", max_length=100
        ),
    ] = None,
    iccprofile: Annotated[
        str | Absent, Query(description="`no` (default), `yes` or `srgb`.", max_length=20)
    ] = None,
) -> RenderingParameters:
    """Read and check the parameters of a request."""
    return RenderingParameters(
        read_window(window),
        read_viewport(viewport),
        read_quality(quality),
        read_annotations(annotation),
        read_profile(iccprofile),
    )


def read_window(value: str | None) -> Window | None:
    """Read ``center,width,function`` (8.3.5.1.4); raises InvalidParameter if it is not of that form."""
    if value is None:
        return None
    parts = value.split(",")
    if len(parts) != 3 or parts[2] not in _FUNCTIONS:
        raise not_acceptable("window", f"it is center,width,function, and the function {_one_of(_FUNCTIONS)}")
    center, width, function = (
        read_decimal(parts[0], "window"),
        read_decimal(parts[1], "window"),
        _FUNCTIONS[parts[2]],
    )
    least = "at least 1" if function is VoiFunction.LINEAR else "more than 0"
    if width <= 0 or (function is VoiFunction.LINEAR and width < 1):
        raise not_acceptable("window", f"the width of {parts[2]} must be {least}")
    return Window(center, width, function)


def read_viewport(value: str | None, *, with_region: bool = True) -> Viewport | None:
    """Read ``vw,vh[,sx,sy,sw,sh]`` (8.3.5.1.3), or ``vw,vh`` alone (8.3.5.2.1); raises InvalidParameter."""
    if value is None:
        return None
    parts = value.split(",")
    form = "vw,vh[,sx,sy,sw,sh]" if with_region else "vw,vh"
    if not 2 <= len(parts) <= (6 if with_region else 2) or (len(parts) > 2 and not parts[-1]):
        raise not_acceptable("viewport", f"it is {form}; values may be left out, commas at the end not")
    sides = [int(part) if _INTEGER.fullmatch(part) else 0 for part in parts[:2]]
    if not all(0 < side <= LONGEST_SIDE for side in sides):
        raise not_acceptable("viewport", f"its width and height are whole numbers from 1 to {LONGEST_SIDE}")
    left, top, width, height = (
        read_decimal(part, "viewport") if part else None for part in [*parts[2:], "", "", "", ""][:4]
    )
    if width == 0 or height == 0:
        raise not_acceptable("viewport", "a region without width or height shows nothing")
    return Viewport(
        sides[0],
        sides[1],
        abs(left or 0.0),
        abs(top or 0.0),
        None if width is None else abs(width),
        None if height is None else abs(height),
        width is not None and width < 0,
        height is not None and height < 0,
    )


def read_quality(value: str | None) -> int:
    """Read a quality from 1 to 100 (8.3.5.1.2); raises InvalidParameter."""
    if value is None:
        return DEFAULT_QUALITY
    if not _INTEGER.fullmatch(value) or not 1 <= int(value) <= 100:
        raise not_acceptable("quality", "it is a whole number from 1 to 100")
    return int(value)


def read_annotations(value: str | None) -> frozenset[Annotation]:
    """Read a list of keywords (8.3.5.1.1); raises InvalidParameter."""
    if value is None:
        return frozenset()
    try:
        return frozenset(Annotation(part.strip()) for part in value.split(","))
    except ValueError:
        raise not_acceptable("annotation", f"it is a list of {_one_of(Annotation)}") from None


def read_profile(value: str | None) -> ColourProfile:
    """Read which colour profile is wanted (8.3.5.1.5); raises InvalidParameter."""
    try:
        return ColourProfile.NO if value is None else ColourProfile(value)
    except ValueError:
        raise not_acceptable("iccprofile", f"there is {_one_of(ColourProfile)}") from None


def read_decimal(text: str, name: str) -> float:
    """Read a decimal number of a parameter; raises InvalidParameter."""
    value = float(text) if _DECIMAL.fullmatch(text.strip()) else math.nan
    if not abs(value) <= _LARGEST:
        raise not_acceptable(name, f"{text[:20]!r} is no number between -1e9 and 1e9")
    return value


def _one_of(names: Iterable[str]) -> str:
    return ", ".join(names)


def not_acceptable(name: str, reason: str) -> InvalidParameter:
    """Make the error of a parameter."""
    return InvalidParameter(f"Not acceptable: {name}; {reason}.")


RenderingDep = Annotated[RenderingParameters, Depends(rendering_parameters)]
