"""Transfer syntaxes: which ones are understood, and how their data sets and frames are encoded."""

from dataclasses import dataclass

from pydicom.uid import UID

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"


@dataclass(frozen=True)
class TransferSyntax:
    """One row of PS3.6 table A-1.

    Attributes
    ----------
    is_implicit_vr, is_little_endian : bool
        How the data set is encoded.
    is_encapsulated : bool
        Whether pixel data comes in fragments.
    is_lossy : bool
        Whether decoded values may differ from the ones that were encoded.
    """

    uid: str
    name: str
    is_implicit_vr: bool = False
    is_little_endian: bool = True
    is_encapsulated: bool = True
    is_lossy: bool = False


_NATIVE = (
    TransferSyntax(
        IMPLICIT_VR_LITTLE_ENDIAN, "Implicit VR Little Endian", is_implicit_vr=True, is_encapsulated=False
    ),
    TransferSyntax(EXPLICIT_VR_LITTLE_ENDIAN, "Explicit VR Little Endian", is_encapsulated=False),
    TransferSyntax(
        DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "Deflated Explicit VR Little Endian", is_encapsulated=False
    ),
    TransferSyntax(
        EXPLICIT_VR_BIG_ENDIAN, "Explicit VR Big Endian", is_little_endian=False, is_encapsulated=False
    ),
)
_ENCAPSULATED = (
    TransferSyntax("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", is_lossy=True),
    TransferSyntax("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", is_lossy=True),
    TransferSyntax("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)"),
    TransferSyntax(
        "1.2.840.10008.1.2.4.70",
        "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
    ),
    TransferSyntax("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression"),
    TransferSyntax(
        "1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", is_lossy=True
    ),
    TransferSyntax("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)"),
    TransferSyntax("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", is_lossy=True),
    TransferSyntax("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)"),
    TransferSyntax(
        "1.2.840.10008.1.2.4.202",
        "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)",
    ),
    TransferSyntax("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", is_lossy=True),
    TransferSyntax(RLE_LOSSLESS, "RLE Lossless"),
)

SUPPORTED: dict[str, TransferSyntax] = {syntax.uid: syntax for syntax in (*_NATIVE, *_ENCAPSULATED)}


def find_transfer_syntax(uid: str) -> TransferSyntax:
    """Describe any transfer syntax; one that is not in `SUPPORTED` counts as explicit VR in fragments.

    References
    ----------
    DICOM PS3.5 A.4: every encapsulated syntax encodes the data set as Explicit VR Little Endian.
    """
    return SUPPORTED.get(uid) or TransferSyntax(uid, transfer_syntax_name(uid))


def is_supported(uid: str) -> bool:
    """Tell whether frames in this transfer syntax can be decoded."""
    return uid in SUPPORTED


def transfer_syntax_name(uid: str) -> str:
    """Return the name of PS3.6 table A-1, or "Unknown" where the standard has none for this UID."""
    known = SUPPORTED.get(uid)
    if known:
        return known.name
    name = UID(uid).name
    return "Unknown" if name == uid else name
