"""How a file begins: preamble, magic word, and what else there is instead (PS3.10 7.1)."""

from imageserver.dicom.byte_window import ByteWindow
from imageserver.dicom.encodings import guess_encoding
from imageserver.dicom.limits import FileRefused, Finding

_PREAMBLE_LENGTH = 128
_MAGIC = b"DICM"
# A preamble may hold the start of a TIFF (PS3.10 7.1), never that of a program, a page, a document or an archive.
_PROGRAM_MAGIC = (
    b"MZ",  # Windows
    b"\x7fELF",  # Linux
    b"#!",  # scripts
    *(
        b"\xfe\xed\xfa",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xbe\xba\xfe\xca",
    ),  # macOS
    b"\0asm",
    b"dex\n",
)
_DOCUMENT_MAGIC = (b"<", b"%PDF", b"PK", b"%!PS", b"{\\rtf", b"\xd0\xcf\x11\xe0")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# What is no DICOM at all, by the name that people know it under.
_OTHER_FORMATS = (
    (b"PK", "a ZIP archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"NRRD", "an NRRD volume"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
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
        _refuse_two_faces(head)
        return len(head)
    start = len(_MAGIC) if head.startswith(_MAGIC) else 0
    if guess_encoding(head[start:]) is None and not _begins_file_meta(head[start:]):
        name = next((name for magic, name in _OTHER_FORMATS if head.startswith(magic)), None)
        raise FileRefused(
            "not_dicom", f"The file is {name}, not DICOM." if name else "The file is not DICOM."
        )
    warnings.append(Finding("no_preamble", "The file has no preamble."))
    return start


def _refuse_two_faces(head: bytes) -> None:
    """Refuse a file that is something else as well, which could run or be shown as a page (PS3.10 7.5)."""
    if head.startswith(_PROGRAM_MAGIC):
        raise FileRefused("executable_preamble", "The preamble of the file is the start of a program.")
    start = head.lstrip(b" \t\r\n\f")
    for mark in _BYTE_ORDER_MARKS:
        start = start.removeprefix(mark)
    if start.startswith(_DOCUMENT_MAGIC) or start.replace(b"\0", b"").startswith(b"<"):
        message = "The preamble of the file is the start of a page, a document or an archive."
        raise FileRefused("executable_preamble", message)


def _begins_file_meta(head: bytes) -> bool:
    """Tell whether group 0002 begins here; in big endian its group length shows it."""
    return head.startswith(b"\x02\x00") or (head.startswith(b"\x00\x02\x00") and head[4:6] == b"UL")
