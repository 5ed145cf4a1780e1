"""The Image Pixel module: what pixel data must look like, and whether all of it is there."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset

from imageserver.dicom.limits import FileRefused, Finding, Limits
from imageserver.dicom.number_values import integer
from imageserver.dicom.text_values import text
from imageserver.dicom.transfer_syntax import TransferSyntax, is_supported

if TYPE_CHECKING:
    from imageserver.dicom.pixel_data import PixelData

_FLOAT_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
# 12, packed without gaps, stood in PS3.5 8.1.1 until 2004; 64 is beyond what image objects have, and unambiguous.
_INTEGER_BITS = (1, 8, 12, 16, 32, 64)
_GREY = "MONOCHROME2"
_SAMPLES_OF = {"MONOCHROME1": 1, _GREY: 1, "PALETTE COLOR": 1, "ARGB": 4, "CMYK": 4}  # all others: 3

_VIDEO_ONLY = "YBR_PARTIAL_420"  # PS3.3 C.7.6.3.1.2

UNSUPPORTED_PHOTOMETRIC = "unsupported_photometric_interpretation"
BAD_BITS_STORED = "bad_bits_stored"
UNFIT_PHOTOMETRIC = "unfit_photometric_interpretation"


@dataclass(frozen=True)
class ImagePixel:
    """Shape and type of the frames of an object (PS3.3 C.7.6.3).

    Attributes
    ----------
    rows, columns, samples_per_pixel, number_of_frames : int
    bits_allocated, bits_stored, high_bit : int
    is_signed : bool
        Pixel Representation is 1.
    photometric_interpretation : str
    planar_configuration : int
        1 where each colour has a plane of its own.
    is_float : bool
        Float or Double Float Pixel Data.
    findings : tuple of Finding
        What in the description was corrected.
    """

    rows: int
    columns: int
    samples_per_pixel: int
    number_of_frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric_interpretation: str
    planar_configuration: int
    is_float: bool = False
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def is_subsampled(self) -> bool:
        """Whether two neighbours share their colour samples (4:2:2)."""
        return self.photometric_interpretation in ("YBR_FULL_422", "YBR_PARTIAL_422")

    @property
    def samples_per_frame(self) -> int:
        """Number of samples of one decoded frame."""
        return self.rows * self.columns * self.samples_per_pixel

    @property
    def native_frame_bits(self) -> int:
        """Number of bits of one frame in native encoding."""
        bits = self.samples_per_frame * self.bits_allocated
        return bits * 2 // 3 if self.is_subsampled else bits

    @property
    def native_length(self) -> int:
        """Number of bytes of all frames in native encoding, without the pad byte (PS3.5 8.1.1)."""
        return (self.native_frame_bits * self.number_of_frames + 7) // 8

    @property
    def stored_type(self) -> np.dtype:
        """The numpy type of the stored values, in the byte order of this machine; 12 bits need 16."""
        if self.is_float:
            return np.dtype(f"f{self.bits_allocated // 8}")
        return np.dtype(f"{'i' if self.is_signed else 'u'}{(self.bits_allocated + 7) // 8}")


def read_image_pixel(dataset: Dataset, pixel_keyword: str, limits: Limits) -> ImagePixel:
    """Read the Image Pixel module.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The whole data set, without pixel values.
    pixel_keyword : str
        PixelData, FloatPixelData or DoubleFloatPixelData: whichever the object has.
    limits : Limits
        For the size and the number of frames.

    Returns
    -------
    ImagePixel
        Where Samples per Pixel, Bits Stored, High Bit, Pixel Representation, Planar Configuration or
        Photometric Interpretation is missing, the value that the others leave open: 1, all bits, the top bit,
        unsigned, 0, MONOCHROME2 or RGB. The samples and the Photometric Interpretation fit each other.

    Raises
    ------
    FileRefused
        ``bad_image`` if no picture can be described by these values, ``too_large_image``, ``too_many_frames``.
    """
    rows = _required(dataset, "Rows", 1, 65535)
    columns = _required(dataset, "Columns", 1, 65535)
    if rows * columns > limits.pixels_per_frame:
        raise FileRefused("too_large_image", f"A frame has {rows} x {columns} pixels.")
    findings: list[Finding] = []
    declared = _declared_photometric(dataset)
    samples = integer(dataset, "SamplesPerPixel") or (_SAMPLES_OF.get(declared, 3) if declared else 1)
    is_float = pixel_keyword in _FLOAT_BITS
    allocated = _FLOAT_BITS.get(pixel_keyword) or _required(dataset, "BitsAllocated", 1, 64)
    if samples not in (1, 3, 4) or allocated not in _INTEGER_BITS:
        raise FileRefused(
            "bad_image", f"Pixels of {samples} samples with {allocated} bits allocated are not supported."
        )
    stored = _bits_stored(dataset, allocated, findings)
    return ImagePixel(
        rows=rows,
        columns=columns,
        samples_per_pixel=samples,
        number_of_frames=_number_of_frames(dataset, limits),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=_high_bit(dataset, stored, allocated),
        is_signed=integer(dataset, "PixelRepresentation") == 1,
        photometric_interpretation=_fitting_photometric(declared, samples, findings),
        planar_configuration=1 if integer(dataset, "PlanarConfiguration") == 1 else 0,
        is_float=is_float,
        findings=tuple(findings),
    )


def _declared_photometric(dataset: Dataset) -> str | None:
    """Photometric Interpretation as the standard writes it; capitals and the 2 of MONOCHROME2 get lost."""
    declared = (text(dataset, "PhotometricInterpretation") or "").upper()
    return _GREY if declared == "MONOCHROME" else declared or None


def _fitting_photometric(declared: str | None, samples: int, findings: list[Finding]) -> str:
    """Return what the samples can mean: one sample is never a colour, several are never grey."""
    if declared is None:
        return "RGB" if samples == 3 else _GREY
    if samples == _SAMPLES_OF.get(declared, 3):
        return declared
    if samples > 1:
        raise FileRefused("bad_image", f"Pixels of {samples} samples cannot be {declared[:16]}.")
    message = f"Pixels of one sample cannot be {declared[:16]}; they are shown as grey values."
    findings.append(Finding(UNFIT_PHOTOMETRIC, message))
    return _GREY


def _bits_stored(dataset: Dataset, allocated: int, findings: list[Finding]) -> int:
    """Bits Stored; all bits where the value is missing or impossible."""
    value = integer(dataset, "BitsStored")
    if value is not None and not 1 <= value <= allocated:
        message = f"{value} bits stored of {allocated} are impossible; all {allocated} are taken."
        findings.append(Finding(BAD_BITS_STORED, message))
        value = None
    return allocated if value is None else value


def _required(dataset: Dataset, keyword: str, low: int, high: int) -> int:
    value = integer(dataset, keyword)
    if value is None:
        raise FileRefused("bad_image", f"The file has pixel data, but no {keyword}.")
    if not low <= value <= high:
        raise FileRefused("bad_image", f"{keyword} is {value}; {low} to {high} is possible.")
    return value


def _number_of_frames(dataset: Dataset, limits: Limits) -> int:
    """Number of Frames; 0 and absence mean one (a common mistake, and PS3.3 C.7.6.6)."""
    value = integer(dataset, "NumberOfFrames")
    if value is not None and value < 0:
        raise FileRefused("bad_image", f"NumberOfFrames is {value}.")
    if value is not None and value > limits.frames:
        raise FileRefused("too_many_frames", f"NumberOfFrames is {value}; up to {limits.frames} are taken.")
    return value or 1


def _high_bit(dataset: Dataset, stored: int, allocated: int) -> int:
    value = integer(dataset, "HighBit")
    return value if value is not None and stored - 1 <= value < allocated else stored - 1


def check_complete(image: ImagePixel, pixel_data: "PixelData", syntax: TransferSyntax) -> list[Finding]:
    """Check that pixel data holds what the Image Pixel module asks for.

    Returns
    -------
    list of Finding
        What was tolerated: more bytes than asked for.

    Raises
    ------
    FileRefused
        ``truncated_pixel_data`` where bytes or fragments are missing, ``wrong_transfer_syntax`` where native
        data is in fragments, ``unsupported_photometric_interpretation`` for YBR_PARTIAL_420, which only video has.
    """
    if pixel_data.is_encapsulated:
        return _check_fragments(image, pixel_data, syntax)
    if image.photometric_interpretation == _VIDEO_ONLY:
        raise FileRefused(
            UNSUPPORTED_PHOTOMETRIC, f"{_VIDEO_ONLY} is for video; native pixels cannot have it."
        )
    if pixel_data.length < image.native_length:
        raise FileRefused(
            "truncated_pixel_data",
            f"The pixel data has {pixel_data.length} bytes, its description asks for {image.native_length}.",
        )
    surplus = pixel_data.length - image.native_length - image.native_length % 2
    if surplus <= 0:
        return []
    return [
        Finding(
            "surplus_pixel_data", f"The pixel data has {surplus} bytes more than its description asks for."
        )
    ]


def _check_fragments(image: ImagePixel, pixel_data: "PixelData", syntax: TransferSyntax) -> list[Finding]:
    if not syntax.is_encapsulated:
        raise FileRefused("wrong_transfer_syntax", f"The pixel data is in fragments, unlike {syntax.name}.")
    frames = image.number_of_frames if is_supported(syntax.uid) else 1  # a video is one stream of many frames
    filled = sum(1 for _, length in pixel_data.fragments[1:] if length)
    if filled < frames:
        raise FileRefused("truncated_pixel_data", f"{frames} frames cannot be in {filled} fragments.")
    return []
