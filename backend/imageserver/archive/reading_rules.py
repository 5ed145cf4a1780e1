"""By which rules a file was read: what an upgrade changes is read again, in the background."""

import zlib

from imageserver.dicom.limits import DEFAULT_LIMITS

# To be raised whenever the index would say something else of the same file; test_reading_rules.py reminds.
READING_VERSION = 9
# To be raised whenever the metadata of the same file would be other ones.
METADATA_VERSION = 1


def reading_stamp() -> str:
    """Return the mark of rows that the present rules made: version and limits."""
    return f"{READING_VERSION}-{_limits_mark()}"


def metadata_stamp() -> str:
    """Return the mark of metadata that the present rules made."""
    return f"{METADATA_VERSION}-{_limits_mark()}"


def _limits_mark() -> str:
    return f"{zlib.crc32(repr(DEFAULT_LIMITS).encode()):08x}"
