"""How a file begins: preamble, magic word, and what else there is instead (PS3.10 7.1)."""

from imageserver.dicom.byte_window import ByteWindow
from imageserver.dicom.encodings import guess_encoding
from imageserver.dicom.limits import FileRefused, Finding

_PREAMBLE_LENGTH = 128
_MAGIC = b"DICM"
# A preamble may hold the start of a TIFF (PS3.10 7.1), never that of a program.
_PROGRAM_MAGIC = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)


def find_start(window: ByteWindow, warnings: list[Finding]) -> int:
    """Return where file meta information or data set begin.

    Parameters
    ----------
    window : ByteWindow
        Onto the file.
    warnings : list of Finding
        What is tolerated is added.

    Raises
    ------
    FileRefused
        ``empty``, ``not_dicom`` or ``executable_preamble``.
    """
    if window.end == 0:
        raise FileRefused("empty", "The file is empty.")
    window.move_to(0)
    head = window.data[: _PREAMBLE_LENGTH + len(_MAGIC)]
    if head[_PREAMBLE_LENGTH:] == _MAGIC:
        if head.startswith(_PROGRAM_MAGIC):
            raise FileRefused("executable_preamble", "The preamble of the file is the start of a program.")
        return len(head)
    start = len(_MAGIC) if head.startswith(_MAGIC) else 0
    if guess_encoding(head[start:]) is None and not _begins_file_meta(head[start:]):
        raise FileRefused("not_dicom", "The file is not DICOM.")
    warnings.append(Finding("no_preamble", "The file has no preamble."))
    return start


def _begins_file_meta(head: bytes) -> bool:
    """Tell whether group 0002 begins here; in big endian its group length shows it."""
    return head.startswith(b"\x02\x00") or (head.startswith(b"\x00\x02\x00") and head[4:6] == b"UL")
