"""Person names (PN): three groups of five components, and the form that people read."""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydicom.dataset import Dataset

from imageserver.dicom.character_sets import PERSON_NAME_DELIMITERS, decode_text
from imageserver.dicom.decoded_text import text_finding
from imageserver.dicom.limits import Finding
from imageserver.dicom.raw_elements import holds_file_bytes, raw_bytes
from imageserver.dicom.text_values import LONGEST_TEXT, UTF_8, character_sets_of

_PLACEHOLDERS = frozenset({"anonymous", "anonymized", "anonymised"})
# These change the direction of the text around them, so that a name could rearrange the page that shows it.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

MULTIPLE_NAMES = "several_patient_names"
EXTRA_COMPONENTS = "extra_name_components"
_MESSAGES = {
    MULTIPLE_NAMES: "The file holds several patient names; the first is shown.",
    EXTRA_COMPONENTS: "The name has more parts than DICOM allows; none was dropped.",
}


class NoNameReason(StrEnum):
    """Why there is no name to show."""

    ABSENT = "absent"
    EMPTY = "empty"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class PersonNameComponents:
    """One group of a name (PS3.5 6.2.1.1)."""

    family: str = ""
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""

    @property
    def display(self) -> str:
        """The group as people write it: "Family, Prefix Given Middle, Suffix", empty parts left out."""
        called = " ".join(part for part in (self.prefix, self.given, self.middle) if part)
        return ", ".join(part for part in (self.family, called, self.suffix) if part)

    def as_dict(self) -> dict[str, str]:
        """The five components by name."""
        return {
            "family": self.family,
            "given": self.given,
            "middle": self.middle,
            "prefix": self.prefix,
            "suffix": self.suffix,
        }


@dataclass(frozen=True)
class PersonName:
    """A person name as it stands in a data set.

    Attributes
    ----------
    raw : str or None
        The decoded value with its delimiters, padding removed; None when the attribute is absent.
    alphabetic, ideographic, phonetic : PersonNameComponents
        The three groups; an empty group has only empty components.
    warnings : tuple of str
        Codes of what was guessed while decoding.
    """

    raw: str | None
    alphabetic: PersonNameComponents = field(default_factory=PersonNameComponents)
    ideographic: PersonNameComponents = field(default_factory=PersonNameComponents)
    phonetic: PersonNameComponents = field(default_factory=PersonNameComponents)
    warnings: tuple[str, ...] = ()

    @property
    def display(self) -> str | None:
        """The name that a person reads: the first group that is not empty. None with a `reason`."""
        return None if self.reason else self._written

    @property
    def reason(self) -> NoNameReason | None:
        """Why `display` is None, or None where there is a name."""
        if self.raw is None:
            return NoNameReason.ABSENT
        if not self._written:
            return NoNameReason.EMPTY
        if self._written.casefold() in _PLACEHOLDERS:
            return NoNameReason.ANONYMOUS
        return None

    @property
    def _written(self) -> str:
        groups = (self.alphabetic, self.ideographic, self.phonetic)
        return next((group.display for group in groups if group.display), "")

    def components(self) -> dict[str, dict[str, str] | None]:
        """The groups by name, None where a group is empty."""
        groups = {"alphabetic": self.alphabetic, "ideographic": self.ideographic, "phonetic": self.phonetic}
        return {name: group.as_dict() if group.display else None for name, group in groups.items()}

    def as_dict(self) -> dict[str, Any]:
        """JSON form: display, reason, raw, components, warnings."""
        return {
            "name": self.display,
            "reason": self.reason,
            "raw": self.raw,
            "name_components": self.components(),
            "warnings": list(self.warnings),
        }


def name_finding(code: str) -> Finding:
    """Say a code of `PersonName.warnings` in a sentence."""
    return Finding(code, _MESSAGES[code]) if code in _MESSAGES else text_finding(code)


def parse_person_name(text: str | None, warnings: tuple[str, ...] = ()) -> PersonName:
    """Split a decoded person name into groups and components.

    Parameters
    ----------
    text : str or None
        The decoded value, for example ``"Yamada^Tarou=山田^太郎=やまだ^たろう"``; None when it is absent.
    warnings : tuple of str
        Codes to carry along.

    Returns
    -------
    PersonName
        Of several names (VM > 1) the first that is not empty.
    """
    if text is None:
        return PersonName(None, warnings=warnings)
    names = [_clean(part) for part in text.split("\\")]
    filled = [name for name in names if name.strip("^= ")]
    if len(filled) > 1:
        warnings = (*warnings, MULTIPLE_NAMES)
    raw = filled[0] if filled else names[0]
    groups = raw.split("=")
    if len(groups) > 3 or any(len(group.split("^")) > 5 for group in groups):
        warnings = (*warnings, EXTRA_COMPONENTS)
    groups = [*groups[:2], " ".join(groups[2:]), "", ""][:3]
    alphabetic, ideographic, phonetic = (_parse_group(group) for group in groups)
    return PersonName(raw, alphabetic, ideographic, phonetic, warnings)


def patient_name(dataset: Dataset) -> PersonName:
    """Read Patient's Name (0010,0010) by the character sets of the data set. Never raises."""
    return read_person_name(dataset, "PatientName")


def read_person_name(dataset: Dataset, keyword: str) -> PersonName:
    """Read a person name by the character sets of the data set. Never raises."""
    value = raw_bytes(dataset, keyword)
    if value is None:
        return PersonName(None)
    declared = character_sets_of(dataset) if holds_file_bytes(dataset, keyword) else UTF_8
    decoded = decode_text(value[:LONGEST_TEXT], declared, PERSON_NAME_DELIMITERS)
    return parse_person_name(decoded.text, decoded.warnings)


def _parse_group(group: str) -> PersonNameComponents:
    parts = [" ".join(part.split()) for part in group.split("^")]
    # More than five components are not allowed; nothing of a name is dropped, so they end in the suffix.
    parts = [*parts[:4], " ".join(part for part in parts[4:] if part)]
    return PersonNameComponents(*parts)


def _clean(text: str) -> str:
    """Remove padding, and characters that are not text."""
    kept = (c for c in text if unicodedata.category(c) != "Cc" and c not in _BIDI_CONTROLS)
    return "".join(kept).strip()
