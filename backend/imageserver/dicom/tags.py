"""Tags of attributes: those that the reader knows by number, and one object for each."""

from functools import lru_cache

from pydicom.tag import BaseTag

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
NUMBER_OF_FRAMES = 0x00280008
PIXEL_DATA = 0x7FE00010
PIXEL_DATA_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", PIXEL_DATA: "PixelData"}


@lru_cache(maxsize=16384)
def base_tag(tag: int) -> BaseTag:
    """Return the same object for the same tag: a data set finds it without comparing, which is slow in pydicom."""
    return BaseTag(tag)


def is_private(tag: int) -> bool:
    """Tell whether an attribute is defined by a manufacturer: its group is odd (PS3.5 7.8)."""
    return tag >> 16 & 1 == 1


def tag_name(tag: int) -> str:
    """Return a tag as the standard writes it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
