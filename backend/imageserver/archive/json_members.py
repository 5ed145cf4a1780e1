"""Data sets of the DICOM JSON model kept as text with one member on each line.

So a search answers some of the members of hundreds of data sets without parsing any of them. JSON has no line breaks
inside of strings, so a line break followed by a quotation mark is always between two members. It is white space for
every other reader.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from imageserver.dicom.dicom_json import json_text

Json = dict[str, Any]

_BEGIN, _BETWEEN, _END = "{\n", ",\n", "\n}"
_TAG = slice(1, 9)  # behind the quotation mark


def text_of(dataset: Mapping[str, Any]) -> str:
    """Return a data set as text, members in the order of the mapping."""
    return _BEGIN + _BETWEEN.join(f'"{tag}":{json_text(element)}' for tag, element in dataset.items()) + _END


def members_of(content: str) -> dict[str, str]:
    """Return the members of a data set by tag, each as ``"<tag>":<element>``.

    Parameters
    ----------
    content : str
        As `text_of` writes it; any other text of the same data set takes longer.
    """
    if not content.startswith(_BEGIN):
        return {tag: f'"{tag}":{json_text(element)}' for tag, element in json.loads(content).items()}
    inner = content[len(_BEGIN) : -len(_END)]
    return {member[_TAG]: member for member in inner.split(_BETWEEN)} if inner else {}


def dataset_of(members: Iterable[str]) -> Json:
    """Parse members."""
    dataset: Json = json.loads("{" + ",".join(members) + "}")
    return dataset
