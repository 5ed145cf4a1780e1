"""What decoding a text gives: the text, and what had to be guessed on the way to it."""

from typing import NamedTuple

from imageserver.dicom.limits import Finding

UNDECLARED = "undeclared_character_set"
UNKNOWN = "unknown_character_set"
UNDECODABLE = "undecodable_characters"
WRONG = "wrong_character_set"

_MESSAGES = {
    UNDECLARED: "The file does not declare the character set of its text; the text was read with a guess.",
    UNKNOWN: "The file declares a character set that DICOM does not have; the text was read with a guess.",
    UNDECODABLE: "Some characters are not possible in the character set of the file; � stands for them.",
    WRONG: "The text is not written in the character set that the file declares; it was read as what it is.",
}


class DecodedText(NamedTuple):
    """Text, and the codes of what had to be guessed on the way to it."""

    text: str
    warnings: tuple[str, ...]


def text_finding(code: str) -> Finding:
    """Say a code of `DecodedText.warnings` in a sentence."""
    return Finding(code, _MESSAGES[code])
