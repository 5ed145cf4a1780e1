"""What a file says, without its pixel values."""

import io
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom.dataset import Dataset

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.limits import Finding
from imageserver.dicom.pixel_data import PixelData
from imageserver.dicom.transfer_syntax import TransferSyntax


@dataclass(frozen=True)
class Header:
    """What a file says, without its pixel values.

    Attributes
    ----------
    dataset : pydicom.Dataset
        All elements of the data set but the pixel data and private ones. Read values through
        `text_values`, `number_values` and `sequence_items`.
    file_meta : pydicom.Dataset
        Group 0002; empty where the file has none.
    transfer_syntax : TransferSyntax
        As declared, or as found where the declaration is missing or wrong.
    image : ImagePixel or None
        Shape and type of the pixel values; None where there is no pixel data.
    pixel_data : PixelData or None
        Where the pixel values stand.
    warnings : tuple of Finding
        What was tolerated.
    inflated : bytes or None
        The data set of a deflated file, which `pixel_data` then points into; a header is not made to be kept.
    """

    dataset: Dataset
    file_meta: Dataset
    transfer_syntax: TransferSyntax
    image: ImagePixel | None
    pixel_data: PixelData | None
    warnings: tuple[Finding, ...] = ()
    inflated: bytes | None = field(default=None, repr=False)

    @property
    def transfer_syntax_uid(self) -> str:
        """The UID of the transfer syntax."""
        return self.transfer_syntax.uid

    def pixel_stream(self, stream: BinaryIO) -> BinaryIO:
        """Return the stream that `pixel_data` points into: the file, or the inflated data set."""
        return stream if self.inflated is None else io.BytesIO(self.inflated)
