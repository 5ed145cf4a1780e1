"""Unique identifiers (UI): which texts are valid, and what stands in for one that is not."""

import hashlib
import re

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*", re.ASCII)
_MAX_UID_LENGTH = 64
# Leading zeros and empty components are wrong by PS3.5 9.1, but files in use have them and others address them so.
ADDRESS_PATTERN = r"^\.*[0-9][0-9.]*$"
_ADDRESS = re.compile(ADDRESS_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)


def is_valid_uid(text: str) -> bool:
    """Tell whether `text` is a UID: numbers without leading zeros joined by dots, at most 64 characters.

    References
    ----------
    DICOM PS3.5 9.1
    """
    return len(text) <= _MAX_UID_LENGTH and _UID.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Tell whether `text` can be the address of an object: digits and dots, at most 64 characters.

    Files hold UIDs that break the rules of the standard in small ways; they are kept as they stand, so that an
    object has the same address here as in its file.
    """
    return len(text) <= _MAX_UID_LENGTH and _ADDRESS.fullmatch(text) is not None


def derived_uid(*parts: str | bytes) -> str:
    """Make the UID that stands in for a missing or malformed one: always the same for the same parts.

    Parameters
    ----------
    *parts : str or bytes
        What identifies the object, for example the malformed UID and the UIDs of the levels above.

    Returns
    -------
    str
        A UID under 2.25, the root for identifiers made from a UUID.

    References
    ----------
    DICOM PS3.5 B.2
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "big") + data)
    return f"2.25.{int.from_bytes(digest.digest()[:16], 'big')}"


def address_uid(text: str, *context: str) -> str:
    """Return `text` where it can be an address, else a derived UID, so that every object has one."""
    cleaned = text.strip(" \0")
    return cleaned if is_address(cleaned) else derived_uid(cleaned, *context)
