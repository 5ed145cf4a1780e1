"""Texts, codes and dates in Unicode, by the character sets that hold for them."""

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.character_sets import ESCAPE, DecodedText, decode_text
from imageserver.dicom.raw_elements import Attribute, bytes_of, element_of, raw_bytes

UTF_8 = ["ISO_IR 192"]
# Where an item remembers those of the data set around it.
INHERITED_CHARACTER_SETS = "_inherited_character_sets"
# The longest text that the index reads (LT) has 10,240 characters. With an implicit VR it could be of 64 MiB, and take
# minutes.
LONGEST_TEXT = 16_384


def character_sets_of(dataset: Dataset) -> list[str]:
    """Return the values of Specific Character Set (0008,0005) that hold for this data set; empty when there are none.

    An item without its own inherits them from the data set around it (PS3.5 7.5.3).
    """
    value = raw_bytes(dataset, "SpecificCharacterSet")
    if value is None:
        inherited: list[str] = dataset.__dict__.get(INHERITED_CHARACTER_SETS, [])
        return inherited
    return value[:LONGEST_TEXT].decode("ascii", "replace").strip(" \0").split("\\")


def decoded_text(dataset: Dataset, keyword: Attribute) -> DecodedText | None:
    """Return a text element in Unicode with the codes of what was guessed; None when it is absent.

    What is longer than any text of DICOM is cut (`LONGEST_TEXT` bytes).
    """
    element = element_of(dataset, keyword)
    if element is None:
        return None
    if (plain := _plain_text(element)) is not None:
        return DecodedText(plain, ())
    declared = UTF_8
    if isinstance(element, RawDataElement):
        declared = character_sets_of(dataset)
    decoded = decode_text(bytes_of(element.value)[:LONGEST_TEXT], declared)
    return decoded._replace(text=decoded.text.replace("\0", "").strip())


def _plain_text(element: RawDataElement | DataElement) -> str | None:
    """Return what is ASCII, which nearly all text is and all character sets agree on; None for the rest."""
    if not isinstance(element.value, bytes):
        return None
    value = element.value[:LONGEST_TEXT]
    if not value.isascii() or ESCAPE in value:
        return None
    return value.decode("ascii").replace("\0", "").strip()


def text(dataset: Dataset, keyword: Attribute) -> str | None:
    """Return a text, code or date element without padding; None when it is absent or empty."""
    element = element_of(dataset, keyword)
    if element is None:
        return None
    if (plain := _plain_text(element)) is not None:
        return plain or None
    decoded = decoded_text(dataset, keyword)
    return decoded.text if decoded and decoded.text else None


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of a multi-valued text element, padding removed; empty when it is absent."""
    whole = text(dataset, keyword)
    return [part.strip() for part in whole.split("\\")] if whole else []
