"""Text in another character set than declared, read as what it is where its bytes leave no doubt."""

import re

from imageserver.dicom.character_set_terms import WIDER, Declaration
from imageserver.dicom.code_extensions import decode_code_extensions
from imageserver.dicom.decoded_text import UNDECLARED, UNDECODABLE, WRONG, DecodedText

# The code pages that Windows has in place of the sets of ISO 8859. Bytes 0x80 to 0x9F are letters and signs there, and
# controls, which no text holds, in the set of the standard.
_CODE_PAGES = {
    "iso8859_1": "cp1252", "iso8859_2": "cp1250", "iso8859_4": "cp1257", "iso8859_5": "cp1251", "iso8859_6": "cp1256",
    "iso8859_7": "cp1253", "iso8859_8": "cp1255", "iso8859_9": "cp1254", "iso8859_15": "cp1252", "tis_620": "cp874",
}  # fmt: skip
_CONTROL = re.compile(rb"[\x80-\x9f]")
_CUT_UTF_8 = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{1,2}[ \0]*\Z")


def read_misdeclared(value: bytes, declaration: Declaration, is_name: bool) -> DecodedText | None:
    """Return a text without escape sequences that is surely not what is declared; None for all others.

    Parameters
    ----------
    value : bytes
        Not plain ASCII.
    declaration : Declaration
        Of sets that allow code extensions.
    is_name : bool
        Whether ``=`` separates groups, which systems may have written differently.
    """
    found = _decoded_as(value, _codec_of(value, declaration))
    if found is None and is_name and b"=" in value:
        found = _read_groups(value.split(b"="), declaration)
    if found is None and _CONTROL.search(value):
        found = _decoded_as(value, _CODE_PAGES.get(declaration.initial.high or ""))
    code = UNDECLARED if declaration.initial.high is None else WRONG
    return None if found is None else DecodedText(found, (code,))


def _read_groups(groups: list[bytes], declaration: Declaration) -> str | None:
    """Read each group of a name by itself; those that leave doubts are what is declared."""
    found = [_decoded_as(group, _codec_of(group, declaration)) for group in groups]
    if not any(found):
        return None
    return "=".join(
        decode_code_extensions(group, declaration, frozenset()).text if text is None else text
        for group, text in zip(groups, found, strict=True)
    )


def decode_stand_alone(value: bytes, codec: str) -> DecodedText:
    """Decode text of a set that stands alone; text that is not written in it is read as what it is."""
    try:
        text = value.decode(codec)
    except UnicodeDecodeError:
        return _not_decodable(value, codec)
    if codec != "utf-8" and _is_utf_8_of_asia(value):
        return DecodedText(value.decode("utf-8"), (WRONG,))
    return DecodedText(text, ())


def _not_decodable(value: bytes, codec: str) -> DecodedText:
    if codec == "utf-8" and not _holds_utf_8(value):
        return DecodedText(value.decode("cp1252", "replace"), (WRONG,))
    if codec != "utf-8" and (text := _decoded_as(value, "utf-8")) is not None:
        return DecodedText(text, (WRONG,))
    return DecodedText(value.decode(codec, "replace"), (UNDECODABLE,))


def _codec_of(value: bytes, declaration: Declaration) -> str | None:
    """Tell what a value is surely written in, where that is not what is declared."""
    high = declaration.initial.high
    if value.isascii():
        return None
    if high == "tis_620" or high in WIDER or declaration.fallback:
        is_utf_8 = _is_utf_8_of_asia(value)
    else:
        # Two letters of these sets can look like one of UTF-8; the controls 0x80 to 0x9F cannot be meant.
        is_ambiguous = high in ("jis_x_0201", "iso8859_5") and not _CONTROL.search(value)
        is_utf_8 = not is_ambiguous and _decoded_as(value, "utf-8") is not None
    if is_utf_8:
        return "utf-8"
    if not declaration.fallback and declaration.may_be_japanese and _is_shift_jis(value, high is not None):
        return "cp932"
    return None


def _is_utf_8_of_asia(value: bytes) -> bool:
    """Tell whether a value is UTF-8 with characters of three bytes that no set of two bytes would make by chance.

    The sets of two bytes of the standard have no second byte below 0xA1, nor has Thai any character there; UTF-8 has
    them in two characters of three.
    """
    text = _decoded_as(value, "utf-8")
    is_wide = text is not None and sum(char > "\u07ff" for char in text) > 0
    return is_wide and any(0x80 <= byte <= 0xA0 for byte in value)


def _is_shift_jis(value: bytes, is_declared: bool) -> bool:
    """Tell whether text of single bytes is Shift-JIS with kanji or full-width kana.

    Without a Japanese declaration only text that Latin 1 cannot mean: with bytes 0x81 to 0x9F, which are controls
    there.
    """
    text = _decoded_as(value, "cp932") or ""
    has_wide = any(ord(char) > 0x3000 and not 0xFF61 <= ord(char) <= 0xFF9F for char in text)
    return has_wide and (is_declared or any(0x81 <= byte <= 0x9F for byte in value))


def _holds_utf_8(value: bytes) -> bool:
    """Tell whether any character of several bytes is UTF-8; what cannot be decoded is then damaged, or cut off."""
    text = value.decode("utf-8", "replace")
    return any(char > "\x7f" and char != "\ufffd" for char in text) or _CUT_UTF_8.search(value) is not None


def _decoded_as(value: bytes, codec: str | None) -> str | None:
    try:
        return value.decode(codec) if codec else None
    except UnicodeDecodeError:
        return None
