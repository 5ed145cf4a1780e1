"""Single elements as they stand in the file, for those who convert their values.

pydicom converts an element when it is first touched, warns about values (quoting them) and raises whatever
their bytes provoke. So the few kinds of value that pictures and index need are converted here, from the bytes
in the file: `text_values`, `number_values` and `sequence_items`, where a malformed one is "not there".
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydicom import config
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName as PydicomPersonName

from imageserver.dicom.tags import base_tag

config.settings.reading_validation_mode = config.IGNORE

# A keyword of PS3.6, or a tag where groups repeat and a keyword does not tell which is meant.
Attribute = str | int


def element_of(dataset: Dataset, keyword: Attribute) -> RawDataElement | DataElement | None:
    """Return the element as it is, unconverted where it came from a file; None when absent or malformed."""
    element = dataset._dict.get(tag_of(keyword))
    if element is None or element.value is not None or not isinstance(element, RawDataElement):
        return element
    try:  # a value that pydicom left out, as it does with empty ones inside sequences
        return dataset.get_item(tag_of(keyword))
    except Exception:  # it converts the element, and raises what the bytes provoke
        return None


@lru_cache(maxsize=1024)
def tag_of(keyword: Attribute) -> BaseTag:
    """Return the tag of a keyword; pydicom looks it up anew, and checks it, each time it is asked by keyword."""
    tag = keyword if isinstance(keyword, int) else tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is not a keyword of PS3.6")
    return base_tag(tag)


def raw_bytes(dataset: Dataset, keyword: Attribute) -> bytes | None:
    """Return the bytes of a text element as they stand in the file; None when it is absent.

    Text that was set in memory comes as UTF-8.
    """
    element = element_of(dataset, keyword)
    if element is None:
        return None
    return bytes_of(element.value)


def bytes_of(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, PydicomPersonName) and value.original_string:
        return value.original_string
    if isinstance(value, str | PydicomPersonName) or not isinstance(value, Iterable):
        return str(value).encode("utf-8", "surrogateescape")
    return b"\\".join(bytes_of(part) for part in value)


def holds_file_bytes(dataset: Dataset, keyword: str) -> bool:
    """Tell whether `raw_bytes` gives bytes of the file, for which the data set's character sets hold."""
    element = element_of(dataset, keyword)
    if isinstance(element, DataElement) and isinstance(element.value, PydicomPersonName):
        return bool(element.value.original_string)
    return isinstance(element, RawDataElement)
