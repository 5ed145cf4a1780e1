"""Compressed frames that leave as they are stored, at known places."""

from array import array
from dataclasses import dataclass
from typing import BinaryIO

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.pixel_data import fragments_by_frame, read_fragments
from imageserver.dicom.reading import Header
from imageserver.dicom.transfer_syntax import TransferSyntax

MOST_FRAGMENTS = 4096


@dataclass(frozen=True)
class FragmentLayout:
    """Where the compressed streams of the frames of a file stand. Small: it is made to be remembered.

    Attributes
    ----------
    transfer_syntax : TransferSyntax
        Of the streams.
    image : ImagePixel
        What the data set says of them.
    starts : array of int
        Which fragment each frame begins with, and the number of all fragments.
    places : array of int
        Offset and length of each fragment, one after the other.
    """

    transfer_syntax: TransferSyntax
    image: ImagePixel
    starts: "array[int]"
    places: "array[int]"

    @property
    def weight(self) -> int:
        """How much memory it takes, in layouts of few fragments."""
        return 1 + len(self.places) // 32

    def read(self, stream: BinaryIO, frame_index: int) -> bytes:
        """Read the stream of one frame; ValueError where it is not there."""
        if not 0 <= frame_index < len(self.starts) - 1:
            raise ValueError("the file has no such frame")
        start, end = self.starts[frame_index : frame_index + 2]
        places = self.places[2 * start : 2 * end]
        data = read_fragments(stream, list(zip(places[::2], places[1::2], strict=True)))
        if len(data) != sum(places[1::2]):
            raise ValueError("its bytes are not there any more")
        return data


def fragment_layout(stream: BinaryIO, header: Header) -> FragmentLayout | None:
    """Tell where the compressed frames of a file stand.

    Parameters
    ----------
    stream : binary file object, seekable
        The file that `header` was read from.
    header : Header
        Of an object with pixel data.

    Returns
    -------
    FragmentLayout or None
        None where nothing is compressed, where the fragments cannot be told apart, and where there are so many of them
        that they are not to be remembered.

    References
    ----------
    DICOM PS3.5 A.4
    """
    image, pixel_data = header.image, header.pixel_data
    if image is None or pixel_data is None or not pixel_data.is_encapsulated or header.inflated is not None:
        return None
    if len(pixel_data.fragments) > MOST_FRAGMENTS:
        return None
    try:
        frames = fragments_by_frame(stream, pixel_data, header.dataset, image.number_of_frames)
    except ValueError:
        return None
    starts, places = array("L", [0]), array("Q")
    for fragments in frames:
        starts.append(starts[-1] + len(fragments))
        for place in fragments:
            places.extend(place)
    return FragmentLayout(header.transfer_syntax, image, starts, places)
