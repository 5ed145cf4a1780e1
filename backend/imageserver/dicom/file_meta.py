"""Preamble and file meta information in front of a data set (PS3.10 7.1)."""

from pydicom.dataset import Dataset

from imageserver.dicom.data_set_writing import element_bytes
from imageserver.dicom.raw_elements import raw_bytes

# Of this server, made once (PS3.7 D.3.3.2; PS3.5 B.2).
IMPLEMENTATION_CLASS_UID = "2.25.61689527541197115496200001067835388093"
IMPLEMENTATION_VERSION_NAME = "IMAGESERVER_1"
PREAMBLE = bytes(128) + b"DICM"


def write_file_meta(
    sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, former: Dataset | None = None
) -> bytes:
    """Return preamble and file meta information.

    Parameters
    ----------
    sop_class_uid, sop_instance_uid : str
        Of the data set that follows.
    transfer_syntax_uid : str
        In which it is written.
    former : pydicom.Dataset, optional
        The file meta information of the file that it comes from; the title of its source is kept.

    References
    ----------
    DICOM PS3.10 7.1, table 7.1-1
    """
    uids = {
        0x00020002: sop_class_uid,
        0x00020003: sop_instance_uid,
        0x00020010: transfer_syntax_uid,
        0x00020012: IMPLEMENTATION_CLASS_UID,
    }
    elements = {0x00020001: element_bytes(0x00020001, "OB", b"\x00\x01")}
    elements |= {tag: element_bytes(tag, "UI", uid.encode("ascii", "ignore")) for tag, uid in uids.items()}
    elements[0x00020013] = element_bytes(0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode("ascii"))
    if former is not None and (title := raw_bytes(former, "SourceApplicationEntityTitle")):
        elements[0x00020016] = element_bytes(0x00020016, "AE", title)
    body = b"".join(elements[tag] for tag in sorted(elements))
    return PREAMBLE + element_bytes(0x00020000, "UL", len(body).to_bytes(4, "little")) + body
