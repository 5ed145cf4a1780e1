"""Transfer syntaxes: which ones are understood, and how their data sets and frames are encoded."""

from dataclasses import dataclass

from pydicom.uid import UID

from imageserver.dicom.codestream import StreamHeader, StreamKind

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED_IMAGE_FRAME = "1.2.840.10008.1.2.8.1"
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
    kinds : tuple of StreamKind
        What the streams of its frames may be; empty where they have no start that could be told apart.
    has_big_endian_pixels : bool
        Whether only the pixel values are in big endian, in a data set that is not.
    """

    uid: str
    name: str
    is_implicit_vr: bool = False
    is_little_endian: bool = True
    is_encapsulated: bool = True
    is_lossy: bool = False
    kinds: tuple[StreamKind, ...] = ()
    has_big_endian_pixels: bool = False

    @property
    def is_frame_native(self) -> bool:
        """Whether what is in the fragments is a native frame, at most deflated."""
        return self.uid in (ENCAPSULATED_UNCOMPRESSED, DEFLATED_IMAGE_FRAME)

    @property
    def ends_in_marker(self) -> bool:
        """Whether the streams of frames have an end that can be told (EOI of JPEG and JPEG-LS, EOC of JPEG 2000)."""
        return bool(self.kinds) and self.kinds[0] not in (StreamKind.RLE, StreamKind.JPEG_XL)


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
_PRIVATE = (
    # What scanners wrote before, or beside, the standard.
    TransferSyntax(
        "1.2.840.113619.5.2",
        "Implicit VR Little Endian with Big Endian Pixels (GE Private)",
        is_implicit_vr=True,
        is_encapsulated=False,
        has_big_endian_pixels=True,
    ),
    TransferSyntax(
        "1.3.46.670589.33.1.4.1", "Explicit VR Little Endian (Philips Private)", is_encapsulated=False
    ),
)
_FRAME_NATIVE = (
    TransferSyntax(ENCAPSULATED_UNCOMPRESSED, "Encapsulated Uncompressed Explicit VR Little Endian"),
    TransferSyntax(DEFLATED_IMAGE_FRAME, "Deflated Image Frame Compression"),
)


def _jpeg(number: int, name: str, *kinds: StreamKind, is_lossy: bool = False) -> TransferSyntax:
    return TransferSyntax(f"1.2.840.10008.1.2.4.{number}", name, is_lossy=is_lossy, kinds=kinds)


_JPEG = (
    _jpeg(50, "JPEG Baseline (Process 1)", StreamKind.JPEG, is_lossy=True),
    _jpeg(51, "JPEG Extended (Process 2 and 4)", StreamKind.JPEG, is_lossy=True),
    _jpeg(52, "JPEG Extended (Process 3 and 5)", StreamKind.JPEG_ARITHMETIC, is_lossy=True),
    _jpeg(
        53,
        "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)",
        StreamKind.JPEG_PROGRESSIVE,
        is_lossy=True,
    ),
    _jpeg(
        54,
        "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)",
        StreamKind.JPEG_PROGRESSIVE_ARITHMETIC,
        is_lossy=True,
    ),
    _jpeg(
        55,
        "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)",
        StreamKind.JPEG_PROGRESSIVE,
        is_lossy=True,
    ),
    _jpeg(
        56,
        "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)",
        StreamKind.JPEG_PROGRESSIVE_ARITHMETIC,
        is_lossy=True,
    ),
    _jpeg(57, "JPEG Lossless, Non-Hierarchical (Process 14)", StreamKind.JPEG_LOSSLESS),
    _jpeg(
        70,
        "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
        StreamKind.JPEG_LOSSLESS,
    ),
    _jpeg(80, "JPEG-LS Lossless Image Compression", StreamKind.JPEG_LS),
    _jpeg(81, "JPEG-LS Lossy (Near-Lossless) Image Compression", StreamKind.JPEG_LS, is_lossy=True),
    _jpeg(90, "JPEG 2000 Image Compression (Lossless Only)", StreamKind.JPEG_2000),
    _jpeg(91, "JPEG 2000 Image Compression", StreamKind.JPEG_2000, is_lossy=True),
    _jpeg(110, "JPEG XL Lossless", StreamKind.JPEG_XL),
    _jpeg(111, "JPEG XL JPEG Recompression", StreamKind.JPEG_XL, is_lossy=True),
    _jpeg(112, "JPEG XL", StreamKind.JPEG_XL, is_lossy=True),
    _jpeg(201, "High-Throughput JPEG 2000 Image Compression (Lossless Only)", StreamKind.HTJ2K),
    _jpeg(
        202, "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", StreamKind.HTJ2K
    ),
    _jpeg(203, "High-Throughput JPEG 2000 Image Compression", StreamKind.HTJ2K, is_lossy=True),
)
_ENCAPSULATED = (
    *_FRAME_NATIVE,
    *_JPEG,
    TransferSyntax(RLE_LOSSLESS, "RLE Lossless", kinds=(StreamKind.RLE,)),
)

SUPPORTED: dict[str, TransferSyntax] = {
    syntax.uid: syntax for syntax in (*_NATIVE, *_PRIVATE, *_ENCAPSULATED)
}

# Under which syntax a stream is decoded that was declared to be another: (lossless, lossy).
_SYNTAXES_OF_KIND = {
    StreamKind.JPEG: (51, 51),
    StreamKind.JPEG_ARITHMETIC: (52, 52),
    StreamKind.JPEG_PROGRESSIVE: (55, 55),
    StreamKind.JPEG_PROGRESSIVE_ARITHMETIC: (56, 56),
    StreamKind.JPEG_LOSSLESS: (57, 57),
    StreamKind.JPEG_LS: (80, 81),
    StreamKind.JPEG_2000: (90, 91),
    StreamKind.HTJ2K: (201, 203),
    StreamKind.JPEG_XL: (112, 112),
}

# What is known and cannot be shown, and why: told in the documentation and beside the refusal.
_NO_DECODER = "no decoder under a permissive licence reads it"
_VIDEO = "it is a video"
_ELSEWHERE = "its pixels are not in the file"
REFUSED: dict[str, str] = {
    **{f"1.2.840.10008.1.2.4.{number}": _NO_DECODER for number in range(58, 67)},
    **{f"1.2.840.10008.1.2.4.{number}": _NO_DECODER for number in (92, 93)},
    **{f"1.2.840.10008.1.2.4.{number}": _ELSEWHERE for number in (94, 95, 204, 205)},
    **{f"1.2.840.10008.1.2.4.{number}": _VIDEO for number in range(100, 109)},
    **{f"1.2.840.10008.1.2.4.{number}.1": _VIDEO for number in range(100, 107)},
    **{f"1.2.840.10008.1.2.7.{number}": _VIDEO for number in (1, 2, 3)},
    "1.2.840.10008.1.2.6.1": "it is no encoding of images",
    "1.2.840.10008.1.2.6.2": "it is no encoding of images",
}


def syntax_of_stream(header: StreamHeader) -> TransferSyntax | None:
    """Return the transfer syntax that a stream is fit for; None where nothing decodes its kind."""
    if header.kind is StreamKind.RLE:
        return SUPPORTED[RLE_LOSSLESS]
    numbers = _SYNTAXES_OF_KIND.get(header.kind)
    if numbers is None:
        return None
    return SUPPORTED[f"1.2.840.10008.1.2.4.{numbers[0 if header.is_lossless else 1]}"]


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
