"""Files as they are stored, which need not begin as PS3.10 has it."""

from imageserver.dicom.file_meta import PREAMBLE, write_file_meta

_FILE_META = (b"\x02\x00", b"\x00\x02\x00")


def file_head(start: bytes, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Return what is missing in front of a file to make it one of PS3.10; empty where nothing is.

    Parameters
    ----------
    start : bytes
        The first 132 bytes of the file.
    sop_class_uid, sop_instance_uid, transfer_syntax_uid : str
        Of its data set, for a file without file meta information.

    References
    ----------
    DICOM PS3.10 7.1
    """
    if start[128:] == PREAMBLE[128:]:
        return b""
    if start.startswith(PREAMBLE[128:]):  # the magic word without the preamble
        return PREAMBLE[:128]
    if start.startswith(_FILE_META):
        return PREAMBLE
    return write_file_meta(sop_class_uid, sop_instance_uid, transfer_syntax_uid)
