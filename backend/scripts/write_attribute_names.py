"""Writes ``frontend/static/attributes.txt``: tags and keywords of PS3.6, for the viewer's list of attributes.

``python scripts/write_attribute_names.py`` from ``backend``; a test compares the file with pydicom's dictionary.
"""

from pathlib import Path

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

TARGET = Path(__file__).parents[2] / "frontend/static/attributes.txt"


def attribute_names() -> str:
    """One line each: eight digits of the tag (``x`` where any digit fits) and the keyword."""
    plain = {f"{tag:08X}": entry[4] for tag, entry in DicomDictionary.items()}
    repeating = {tag: entry[4] for tag, entry in RepeatersDictionary.items()}
    named = {tag: keyword for tag, keyword in {**plain, **repeating}.items() if keyword}
    return "".join(f"{tag} {keyword}\n" for tag, keyword in sorted(named.items()))


if __name__ == "__main__":
    TARGET.write_text(attribute_names(), encoding="ascii")
