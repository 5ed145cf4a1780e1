"""Text that is burned into a rendered picture: whose it is, and how it was made (PS3.18 8.3.5.1.1)."""

import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.number_values import number
from imageserver.dicom.person_name import PersonName, patient_name
from imageserver.dicom.reading import Header
from imageserver.dicom.text_values import text
from imageserver.dicom.voi_lut import Window
from imageserver.errors import InvalidParameter

# DejaVu Sans: Latin, Greek, Cyrillic and more, under a permissive licence (fonts/LICENSE.txt).
_FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_SIZES = (32, 24, 18, 14, 11, 9)
_LINES_PER_PICTURE = 30
_MARGIN = 3
_MISSING = "\uffff"  # no character; what a font draws for it, it draws for all that it does not have
_WRITTEN_BACKWARDS = frozenset({"R", "AL", "AN"})
_SEX = {"M": "male", "F": "female", "O": "other"}


class Annotation(StrEnum):
    """What can be burned in."""

    PATIENT = "patient"
    TECHNIQUE = "technique"


def annotation_lines(
    header: Header, frame_index: int, wanted: frozenset[Annotation], window: Window | None
) -> tuple[list[str], list[str]]:
    """Write down what is to be burned in.

    Parameters
    ----------
    header : Header
        Of the image.
    frame_index : int
        From 0.
    wanted : frozenset of Annotation
        Which of them.
    window : Window or None
        That the picture is drawn with.

    Returns
    -------
    list of str
        About the patient: name, ID, birth date and sex.
    list of str
        About the technique: modality and date, number of series, image and frame, thickness, window.

    Raises
    ------
    imageserver.errors.InvalidParameter
        If the name or the ID cannot be drawn: a name with a hole could be another one.
    """
    patient = list(_about_patient(header)) if Annotation.PATIENT in wanted else []
    technique = list(_about_technique(header, frame_index, window)) if Annotation.TECHNIQUE in wanted else []
    return patient, [line for line in technique if is_drawable(line)]


def burn_in(
    display_values: NDArray[np.uint8], top: Sequence[str], bottom: Sequence[str]
) -> NDArray[np.uint8]:
    """Draw lines of text into the upper and the lower left corner of a picture, white with a black edge.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    top, bottom : sequence of str
        Drawable lines.

    Returns
    -------
    numpy.ndarray, same shape, uint8

    Raises
    ------
    imageserver.errors.InvalidParameter
        If the picture is too small for the text.
    """
    rows, columns = display_values.shape[:2]
    picture = Image.fromarray(np.array(display_values))
    font = _fitting_font([*top, *bottom], rows, columns)
    draw = ImageDraw.Draw(picture)
    height = _line_height(font)
    white, black = (255, 0) if display_values.ndim == 2 else ((255, 255, 255), (0, 0, 0))
    places = [
        *((line, _MARGIN + height * place) for place, line in enumerate(top)),
        *((line, rows - _MARGIN - height * (len(bottom) - place)) for place, line in enumerate(bottom)),
    ]
    for line, y in places:
        draw.text((_MARGIN, y), line, fill=white, font=font, stroke_width=1, stroke_fill=black)
    return np.asarray(picture)


def is_drawable(line: str) -> bool:
    """Tell whether the font has a sign for each character, and they stand from left to right one after the other."""
    return all(map(_is_drawable, unicodedata.normalize("NFC", line)))


def _about_patient(header: Header) -> Iterator[str]:
    dataset = header.dataset
    name = patient_name(dataset)
    yield _drawable_name(name) if name.display else "(no patient name)"
    identifier = text(dataset, "PatientID")
    if identifier:
        yield _required(f"ID {identifier}")
    rest = [_date(text(dataset, "PatientBirthDate")), _SEX.get(text(dataset, "PatientSex") or "")]
    if found := "  ".join(part for part in rest if part):
        yield _required(found)


def _drawable_name(name: PersonName) -> str:
    """Return the first group of a name that can be drawn."""
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    for group in groups:
        if group.display and is_drawable(group.display):
            return unicodedata.normalize("NFC", group.display)
    return _required(name.display or "")


def _required(line: str) -> str:
    if not is_drawable(line):
        raise InvalidParameter(
            "Not acceptable: annotation. The server's font has no signs for the name or the ID of this patient."
        )
    return unicodedata.normalize("NFC", line)


def _about_technique(header: Header, frame_index: int, window: Window | None) -> Iterator[str]:
    dataset = header.dataset
    yield (
        "  ".join(part for part in (text(dataset, "Modality"), _date(text(dataset, "StudyDate"))) if part)
        or "-"
    )
    numbers = [
        f"{word} {value}"
        for word, keyword in (("Series", "SeriesNumber"), ("Image", "InstanceNumber"))
        if (value := text(dataset, keyword))
    ]
    if header.image is not None and header.image.number_of_frames > 1:
        numbers.append(f"Frame {frame_index + 1} / {header.image.number_of_frames}")
    if numbers:
        yield "  ".join(numbers)
    measures = FunctionalGroups(dataset).source("PixelMeasuresSequence", frame_index)
    thickness = number(measures, "SliceThickness")
    if thickness is not None:
        yield f"Thickness {thickness:g} mm"
    if window is not None:
        yield f"Window {window.center:g} / {window.width:g}"


def _date(value: str | None) -> str | None:
    """Write a date as ISO 8601 has it; as it stands where it is none."""
    if value is not None and len(value) == 8 and value.isdecimal():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return value


def _fitting_font(lines: Sequence[str], rows: int, columns: int) -> ImageFont.FreeTypeFont:
    """Return the largest font in which the lines fit, not larger than looks well."""
    for size in _SIZES:
        font = _font(size)
        is_low_enough = _line_height(font) * len(lines) + 2 * _MARGIN <= rows
        is_narrow_enough = all(font.getlength(line) + 2 * _MARGIN <= columns for line in lines)
        looks_well = size <= max(_SIZES[-1], rows // _LINES_PER_PICTURE)
        if looks_well and is_low_enough and is_narrow_enough:
            return font
    raise InvalidParameter(
        f"Not acceptable: annotation. A picture of {columns} x {rows} pixels has no room for the text; ask for a "
        "larger viewport."
    )


def _line_height(font: ImageFont.FreeTypeFont) -> int:
    ascent, descent = font.getmetrics()
    return ascent + descent + 2


@lru_cache(maxsize=len(_SIZES))
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _is_drawable(character: str) -> bool:
    if unicodedata.bidirectional(character) in _WRITTEN_BACKWARDS or unicodedata.combining(character):
        return False
    if unicodedata.category(character)[0] == "C":
        return False
    return _shape(character) != _shape(_MISSING)


def _shape(character: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(_SIZES[0]).getmask(character)
    return mask.size, bytes(mask)
