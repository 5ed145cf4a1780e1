"""Damaged compressed streams of every codec, decoded beside a neighbour whose stream is whole (T24)."""

import io
import random
import threading
import time
import zlib
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image
from pydicom.pixels.encoders.base import RLELosslessEncoder

from fuzz.campaign import Campaign, Fault
from fuzz.report import Criterion, Options, Report
from fuzz.seeds import bundled
from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.errors import UndecodableFrame
from tests.builders import encapsulated, image, to_bytes
from tests.dicom.compressed_streams import PICTURE, RARE_STREAMS, SMOOTH, STREAMS

COUNT = 350_000
SLOWEST_SECONDS = 20.0
GROWTH_MIB = 128.0
LONGEST_WAIT = 10.0  # as long as the server waits for a free place; all of it is load of the machine
_NEIGHBOUR_PAUSE = 0.05
_SMALL = (SMOOTH >> 4).astype(np.uint8)
# Files of a library, larger than the streams of the tests: 64 x 64 and more.
_BUNDLED = {
    "4.50": "SC_rgb_jpeg_dcmtk.dcm",
    "4.80": "MR_small_jpeg_ls_lossless.dcm",
    "4.90": "MR_small_jp2klossless.dcm",
    "5": "MR_small_RLE.dcm",
}


def run(options: Options) -> Report:
    """Damage one stream of each codec in turn."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    pool = DecoderPool(size=2)
    with Neighbour(pool) as neighbour:
        for codec, data in damaged(options.seed):
            if campaign.is_over():
                break
            campaign.try_one(data, partial(decode, codec, data, pool))
    report = campaign.finish()
    report.outcomes["decoder processes ended"] = pool.ended
    report.outcomes["frames of the neighbour"] = neighbour.served
    report.criteria.append(Criterion("frames that the neighbour lost", neighbour.lost, 0))
    report.criteria.append(
        Criterion("longest wait of the neighbour", round(neighbour.longest, 3), LONGEST_WAIT, "s")
    )
    pool.close()
    return report


def decode(codec: str, data: bytes, pool: DecoderPool) -> str:
    """Read and decode the first frame; anything but values of the right shape or a named refusal is a fault."""
    stream = io.BytesIO(data)
    try:
        header = read_header(stream)
        values = decode_frame(stream, header, 0, pool).stored_values
    except FileRefused as error:
        return f"{codec}: refused {error.code}"
    except UndecodableFrame as error:
        return f"{codec}: {_reason(error)}"
    assert header.image is not None
    if values.shape[:2] != (header.image.rows, header.image.columns):
        raise Fault(f"{codec}: values of another shape")
    return f"{codec}: decoded"


def _reason(error: UndecodableFrame) -> str:
    for words in ("broke on it", "too long", "too much memory"):
        if words in error.detail:
            return f"422, the decoder {words}"
    return "422"


class Neighbour:
    """Somebody whose stream is whole, and who must not notice anything."""

    def __init__(self, pool: DecoderPool) -> None:
        self._pool = pool
        self._data = to_bytes(encapsulated(image(PICTURE), [STREAMS["80"]]), "1.2.840.10008.1.2.4.80")
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.served = self.lost = 0
        self.longest = 0.0

    def __enter__(self) -> "Neighbour":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._is_over.wait(_NEIGHBOUR_PAUSE):
            begin = time.monotonic()
            try:
                stream = io.BytesIO(self._data)
                values = decode_frame(stream, read_header(stream), 0, self._pool).stored_values
                self.lost += not np.array_equal(values, PICTURE)
            except Exception:
                self.lost += 1
            if self.served:  # the first one waits for its process to start
                self.longest = max(self.longest, time.monotonic() - begin)
            self.served += 1


def damaged(seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a codec and a file with a damaged stream, without end; the header stays whole."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    parts = [(codec, *_cut_out(data)) for codec, data in seeds()]
    while True:
        for codec, before, stream, after in parts:
            mutated = damage(stream, chance)
            mutated += b"\0" * (len(mutated) % 2)
            yield codec, before + len(mutated).to_bytes(4, "little") + mutated + after


def damage(stream: bytes, chance: random.Random) -> bytes:
    """Damage a stream at 1 to 8 places: bits, bytes, runs, markers, lengths, cuts, pieces in another order."""
    data = bytearray(stream)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(max(1, len(data)))
        size = min(chance.randint(1, 64), len(data) - at)
        kind = chance.randrange(8)
        if kind <= 2 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 3:
            data[at : at + size] = chance.randbytes(size)
        elif kind == 4:
            data[at : at + size] = bytes([chance.choice((0, 0xFF, 0x80, 0x7F))]) * size
        elif kind == 5:
            data[at : at + 4] = chance.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "big")
        elif kind == 6:
            place = chance.randrange(max(1, len(data)))
            data[place:place] = data[at : at + size]
        elif chance.random() < 0.3:
            del data[at:]
    return bytes(data) or b"\0"


def _cut_out(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the file up to the length of its first fragment, the stream, and what follows."""
    header = read_header(io.BytesIO(data))
    assert header.pixel_data is not None
    offset, length = next(fragment for fragment in header.pixel_data.fragments[1:] if fragment[1])
    return data[: offset - 4], data[offset : offset + length], data[offset + length :]


def seeds() -> list[tuple[str, bytes]]:
    """Return the name of each codec with a file; some codecs have a second, larger one."""
    grey, small = image(PICTURE, BitsStored=12, HighBit=11), image(_SMALL)
    streams = [
        ("JPEG", small, "4.50", _pillow(_SMALL, "JPEG")),
        ("JPEG progressive", small, "4.55", RARE_STREAMS["55 of 8 bits"]),
        ("JPEG arithmetic", small, "4.52", RARE_STREAMS["52 of 8 bits"]),
        ("JPEG of 12 bits", grey, "4.55", RARE_STREAMS["55 of 12 bits"]),
        ("JPEG lossless", grey, "4.57", STREAMS["57"]),
        ("JPEG-LS", grey, "4.80", STREAMS["80"]),
        ("JPEG 2000", grey, "4.90", _pillow(PICTURE, "JPEG2000", no_jp2=True, num_resolutions=2)),
        ("HTJ2K", grey, "4.201", STREAMS["201"]),
        ("JPEG XL", grey, "4.110", RARE_STREAMS["110"]),
        ("JPEG XL", small, "4.112", RARE_STREAMS["112"]),
        ("RLE", grey, "5", _rle()),
        ("deflated frame", grey, "8.1", zlib.compress(PICTURE.tobytes(), wbits=-15)),
    ]
    made = [
        (name, to_bytes(encapsulated(dataset, [stream]), f"1.2.840.10008.1.2.{number}"))
        for name, dataset, number, stream in streams
    ]
    names = {number: name for name, _, number, _ in streams}
    files = bundled()
    return made + [(names[number], files[file]) for number, file in _BUNDLED.items()]


def _pillow(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _rle() -> bytes:
    rows, columns = PICTURE.shape
    return RLELosslessEncoder.encode(
        PICTURE.tobytes(), rows=rows, columns=columns, number_of_frames=1, samples_per_pixel=1, bits_allocated=16,
        bits_stored=12, pixel_representation=0, photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
    )  # fmt: skip
