"""Files cut at every byte: none of them may pass for a whole one (T21)."""

import io
import zlib

from fuzz.campaign import Campaign, Fault
from fuzz.pipeline import read
from fuzz.report import Options, Report
from fuzz.seeds import bundled, synthetic
from imageserver.dicom.reading import FileRefused, read_header

COUNT = 300_000
SLOWEST_SECONDS = 1.0
GROWTH_MIB = 64.0


def run(options: Options) -> Report:
    """Cut the synthetic seeds, and then as many bundled ones as it takes, the smallest first."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    for data in [*synthetic().values(), *sorted(bundled().values(), key=len)]:
        end = end_of_image(data)
        for length in range(len(data)):
            if campaign.is_over():
                return campaign.finish()
            campaign.try_one(data[:length], lambda cut=data[:length], end=end: judge(cut, end))  # type: ignore[misc]
    return campaign.finish()


def judge(cut: bytes, end: int) -> str:
    """Read a cut file; that it is shown although bytes of its image are missing is a fault."""
    found = read(cut)
    if isinstance(found, str):
        return found
    if found.image is None:
        return "accepted without a picture"
    if len(cut) < end:
        raise Fault("a cut image is accepted")
    return "accepted whole"


def end_of_image(data: bytes) -> int:
    """Return the position behind the last byte that the image needs; 0 where the file has none or is refused."""
    try:
        header = read_header(io.BytesIO(data))
    except FileRefused:
        return 0
    if header.image is None or header.pixel_data is None:
        return 0
    if header.inflated is not None:
        return len(data) - _behind_deflated(data)
    if header.pixel_data.is_encapsulated:
        return sum(header.pixel_data.fragments[-1])
    return header.pixel_data.offset + header.image.native_length


def _behind_deflated(data: bytes) -> int:
    """Return how many bytes follow the deflated data set; it ends itself (RFC 1951)."""
    start = _start_of_data_set(data)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(data[start:])
    return len(inflater.unused_data)


def _start_of_data_set(data: bytes) -> int:
    """Return where group 0002 ends, by its group length (PS3.10 7.1)."""
    return 128 + 4 + 12 + int.from_bytes(data[140:144], "little")
