"""What the server does with a file, without the web and the database: the steps that all hostile input goes through."""

import io

from imageserver.dicom.frames import describe_frames
from imageserver.dicom.reading import FileRefused, Header, read_header


def read(data: bytes) -> Header | str:
    """Read a file; its header, or the code it was refused with. Any other exception is a fault and leaves."""
    try:
        header = read_header(io.BytesIO(data))
    except FileRefused as error:
        if error.header is not None:
            describe_frames(error.header)
        return f"refused {error.code}"
    describe_frames(header)
    return header
