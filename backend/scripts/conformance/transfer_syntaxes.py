"""Transfer syntaxes: what is decoded, by which library, and what is refused for which reason."""

from collections.abc import Iterator

from pydicom.uid import UID_dictionary

from imageserver.dicom.decoder_plugins import _decoders
from imageserver.dicom.transfer_syntax import REFUSED, SUPPORTED, TransferSyntax, transfer_syntax_name
from scripts.conformance.document import table

_LIBRARIES = {
    "gdcm": "GDCM", "pylibjpeg": "OpenJPEG (pylibjpeg-openjpeg)", "pyjpegls": "CharLS (pyjpegls)",
    "pydicom": "pydicom",
    "pillow": "libjpeg-turbo (Pillow)", "libjpeg-turbo": "libjpeg-turbo (imagecodecs)",
    "libjxl": "libjxl (imagecodecs)",
}  # fmt: skip
# Encodings that decide which decoder comes first: bits stored and sign.
_TRIED = ((8, 0), (12, 0), (7, 0), (8, 1))


def decoders_of(syntax: TransferSyntax) -> str:
    """Name the libraries that read the frames, the first one first."""
    if not syntax.is_encapsulated:
        return "the server itself"
    if syntax.is_frame_native:
        return "the server itself (zlib)" if "Deflated" in syntax.name else "the server itself"
    names: dict[str, None] = {}
    for bits, sign in _TRIED:
        options = {
            "bits_allocated": 8 if bits <= 8 else 16,
            "bits_stored": bits,
            "pixel_representation": sign,
            "samples_per_pixel": 1,
        }
        names.update(dict.fromkeys(name for name, _ in _decoders(syntax.uid, max(bits, 8), options)))
    return ", ".join(_LIBRARIES[name] for name in names)


def known_to_the_standard() -> Iterator[str]:
    """UIDs of all transfer syntaxes of PS3.6 table A-1."""
    yield from (uid for uid, (_, kind, *_) in UID_dictionary.items() if kind == "Transfer Syntax")


def transfer_syntax_table() -> str:
    """What is decoded, then what is refused."""
    decoded = [
        (syntax.name, f"`{uid}`", "shown, lossy" if syntax.is_lossy else "shown", decoders_of(syntax))
        for uid, syntax in SUPPORTED.items()
    ]
    unknown = (uid for uid in known_to_the_standard() if uid not in SUPPORTED)
    refused = [
        (transfer_syntax_name(uid), f"`{uid}`", "refused", REFUSED.get(uid, "no decoder knows it"))
        for uid in dict.fromkeys((*REFUSED, *unknown))
    ]
    return table(("transfer syntax", "UID", "state", "decoder, or reason"), [*decoded, *refused])
