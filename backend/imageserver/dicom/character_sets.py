"""Specific Character Set: from the bytes of a text value to Unicode.

Decoding never fails. What the declaration does not explain is read by best effort, and the result says so.
"""

from collections.abc import Iterable, Sequence

from imageserver.dicom.character_set_terms import read_declaration
from imageserver.dicom.code_extensions import ESCAPE, decode_code_extensions, holds_escape_sequence
from imageserver.dicom.decoded_text import UNDECLARED, UNKNOWN, WRONG, DecodedText
from imageserver.dicom.misdeclared_text import decode_stand_alone, read_misdeclared

__all__ = ["ESCAPE", "PERSON_NAME_DELIMITERS", "TEXT_DELIMITERS", "DecodedText", "decode_text"]

# A delimiter ends the effect of every escape sequence (PS3.5 6.1.2.5.3). TEXT for LO, SH, UC; PN adds ^ and =.
TEXT_DELIMITERS = frozenset(b"\\\t\n\f\r")
PERSON_NAME_DELIMITERS = TEXT_DELIMITERS | frozenset(b"^=")


def decode_text(
    value: bytes, character_sets: Sequence[str], delimiters: Iterable[int] = TEXT_DELIMITERS
) -> DecodedText:
    """Decode a text value by the Specific Character Set (0008,0005) that holds for it.

    Parameters
    ----------
    value : bytes
        The value as it stands in the data set, padding included.
    character_sets : sequence of str
        The values of Specific Character Set; empty when it is absent.
    delimiters : iterable of int
        Bytes that end the effect of escape sequences.

    Returns
    -------
    DecodedText
        Never raises; U+FFFD stands where bytes mean nothing.

    References
    ----------
    DICOM PS3.3 C.12.1.1.2, PS3.5 6.1.2.3 to 6.1.2.5
    """
    if value.isascii() and ESCAPE not in value:
        return DecodedText(value.decode("ascii"), ())
    declaration = read_declaration(character_sets)
    ends = frozenset(delimiters)
    if holds_escape_sequence(value):
        decoded = decode_code_extensions(value, declaration, ends)
        if declaration.codec:
            others = (code for code in decoded.warnings if code != UNDECLARED)
            decoded = decoded._replace(warnings=(WRONG, *others))
    elif declaration.codec:
        decoded = decode_stand_alone(value, declaration.codec)
    else:
        misdeclared = read_misdeclared(value, declaration, is_name=ord("=") in ends)
        decoded = misdeclared or decode_code_extensions(value, declaration, ends)
    if declaration.is_unknown and UNKNOWN not in decoded.warnings:
        decoded = decoded._replace(warnings=(UNKNOWN, *decoded.warnings))
    return decoded
