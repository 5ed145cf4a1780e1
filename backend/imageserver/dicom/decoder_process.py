"""The decoder process: decodes one compressed frame after another for the server, within limits, and may die.

It is started as a script, with none of the server's settings in its environment, and imports nothing of the server.
Native decoders crash, hang and exhaust memory on hostile streams; here that costs one frame.

Requests come on standard input, answers go to standard output. Both are a 4-byte length, that many bytes of JSON, and
then raw bytes whose number the JSON tells (`length`). One zero byte on standard output says that the process is ready.
"""

import contextlib
import json
import os
import resource
import struct
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels.common import PhotometricInterpretation
from pydicom.pixels.decoders.base import (
    DecodeRunner,
    JPEGBaseline8BitDecoder,
    JPEGExtended12BitDecoder,
    get_decoder,
)
from pydicom.pixels.decoders.gdcm import _decode_frame as decode_with_gdcm
from pydicom.pixels.utils import get_j2k_parameters
from pydicom.uid import (
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
)

# Which plugins are tried, in this order: the choice and the licences are in docs/decisions/0017-decoders.md.
PLUGINS: dict[str, tuple[str, ...]] = {
    "1.2.840.10008.1.2.4.50": ("imageserver_8_bit",),
    "1.2.840.10008.1.2.4.51": ("imageserver_12_bit", "imageserver_8_bit"),
    "1.2.840.10008.1.2.4.57": ("gdcm",),
    "1.2.840.10008.1.2.4.70": ("gdcm",),
    "1.2.840.10008.1.2.4.80": ("gdcm",),
    "1.2.840.10008.1.2.4.81": ("gdcm",),
    "1.2.840.10008.1.2.4.90": ("gdcm", "pylibjpeg"),
    "1.2.840.10008.1.2.4.91": ("gdcm", "pylibjpeg"),
    "1.2.840.10008.1.2.4.201": ("pylibjpeg",),
    "1.2.840.10008.1.2.4.202": ("pylibjpeg",),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg",),
    "1.2.840.10008.1.2.5": ("pydicom",),
}
DECODER_DEPENDENCIES = {JPEGBaseline8Bit: ("pillow",), JPEGExtended12Bit: ("gdcm",)}

_MEMORY_BEYOND_START = 1024 * 1024 * 1024
_CPU_SECONDS = 10


def is_available(_uid: str) -> bool:
    """Tell pydicom that both plugins of this module can be used."""
    return True


def decode_8_bit_jpeg(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode baseline JPEG to the samples of the stream, without colour conversion.

    Pillow converts YCbCr to RGB unless asked otherwise. Whether the stream holds RGB is what libjpeg itself goes by:
    the Adobe marker, else the component identifiers; a JFIF marker means YCbCr.
    """
    if _jpeg_precision(source) != 8:
        raise ValueError("not a stream of 8-bit samples")
    image = Image.open(BytesIO(source), formats=("JPEG",))
    if runner.samples_per_pixel == 3:
        transform = image.info.get("adobe_transform")
        identifiers = [layer[0] for layer in getattr(image, "layer", [])]
        holds_rgb = transform == 0 or (transform is None and identifiers == [b"R"[0], b"G"[0], b"B"[0]])
        if holds_rgb:
            runner.set_option("photometric_interpretation", PhotometricInterpretation.RGB)
        else:
            image.draft("YCbCr", image.size)
            if transform == 1:
                runner.set_option("photometric_interpretation", PhotometricInterpretation.YBR_FULL)
    return image.tobytes()


def _jpeg_precision(source: bytes) -> int:
    """Return the sample precision that the frame header (SOF) tells."""
    at = 2
    while at + 4 < len(source):
        if source[at] != 0xFF:
            raise ValueError("not a JPEG stream")
        marker, length = source[at + 1], int.from_bytes(source[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return source[at + 4]
        at += 1 if marker == 0xFF else 2 + length
    raise ValueError("no frame header")


class _AnotherSyntax:
    """A runner that reports another transfer syntax: pydicom's plugin refuses 12-bit JPEG, GDCM itself does not."""

    def __init__(self, runner: DecodeRunner) -> None:
        self._runner = runner
        self.transfer_syntax = JPEGLosslessSV1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)


def decode_12_bit_jpeg(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode 12-bit JPEG Extended (process 4) with GDCM, which finds the process in the stream itself."""
    if _jpeg_precision(source) != 12 or runner.bits_allocated != 16:
        raise ValueError("not a stream of 12-bit samples")
    return decode_with_gdcm(source, _AnotherSyntax(runner))  # type: ignore[arg-type]


def decode(request: dict[str, Any], source: bytes) -> tuple[np.ndarray, str]:
    """Decode one frame to stored values, with the photometric interpretation that they then have.

    Raises
    ------
    ValueError
        If no plugin can; the message names each plugin and what it said.
    """
    uid = request["transfer_syntax_uid"]
    options = dict(request["options"])
    if uid in JPEG2000TransferSyntaxes:
        _widen(options, get_j2k_parameters(source).get("precision", 0))
    if uid in (JPEGBaseline8Bit, JPEGExtended12Bit):
        _narrow(options, source)
    buffer = encapsulate([source], has_bot=False)
    failures = []
    for plugin in _plugins(uid, options):
        try:
            values, properties = get_decoder(uid).as_array(
                buffer, index=0, raw=True, decoding_plugin=plugin, **options
            )
        except MemoryError:
            raise
        except Exception as error:  # whatever a decoder raises, the next one is tried
            failures.append(f"{plugin}: {type(error).__name__}")
        else:
            return values, str(properties["photometric_interpretation"])
    raise ValueError("; ".join(failures))


def _plugins(uid: str, options: dict[str, Any]) -> tuple[str, ...]:
    """Return the plugins to try. pyjpegls takes only what GDCM cannot: it searches damaged streams for many seconds."""
    bits, is_signed = options["bits_stored"], options["pixel_representation"] == 1
    if uid in JPEGLSTransferSyntaxes and (bits in (6, 7) or (is_signed and bits < 8)):
        return ("pyjpegls",)
    return PLUGINS[uid]


def _widen(options: dict[str, Any], precision: int) -> None:
    """Make room for a stream that is deeper than Bits Allocated; its top bits would silently be lost."""
    if precision > options["bits_allocated"]:
        options["bits_allocated"] = 16 if precision <= 16 else 32
        options["bits_stored"] = precision


def _narrow(options: dict[str, Any], source: bytes) -> None:
    """Expect bytes from a stream of 8-bit samples, whatever Bits Allocated says; such samples have no sign."""
    with contextlib.suppress(ValueError, IndexError):  # a damaged stream is for the decoders to refuse
        if options["bits_allocated"] == 16 and _jpeg_precision(source) == 8:
            options.update(bits_allocated=8, bits_stored=8, pixel_representation=0)


def _limit_memory() -> None:
    """Allow so much address space beyond what the libraries took."""
    with contextlib.suppress(OSError, ValueError):  # not everywhere is there a /proc
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY_BEYOND_START,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it has nothing to write


def _limit_cpu() -> None:
    """Allow so many seconds from now on; the system ends the process when they are used up."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + _CPU_SECONDS, hard))


def _read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    request = json.loads(stream.read(struct.unpack("<L", head)[0]))
    return request, stream.read(request["length"])


def _write(stream: BinaryIO, answer: dict[str, Any], data: bytes | memoryview = b"") -> None:
    text = json.dumps({**answer, "length": len(data)}).encode()
    stream.write(struct.pack("<L", len(text)) + text)
    stream.write(data)
    stream.flush()


def _answer(
    decoder: Callable[..., tuple[np.ndarray, str]], request: dict[str, Any], source: bytes, out: BinaryIO
) -> None:
    try:
        values, photometric = decoder(request, source)
    except MemoryError:
        _write(out, {"error": "memory"})
        sys.exit(1)
    except Exception as error:  # the answer tells; the server decides
        _write(out, {"error": str(error)})
        return
    flat = np.ascontiguousarray(values)
    answer = {"shape": flat.shape, "dtype": flat.dtype.str, "photometric_interpretation": photometric}
    _write(out, answer, flat.data.cast("B"))


def serve(decoder: Callable[..., tuple[np.ndarray, str]] = decode) -> None:
    """Answer requests until standard input ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # decoders print; that must not get between the answers
        os.dup2(nowhere, descriptor)
    _limit_memory()
    answers.write(b"\0")
    answers.flush()
    while (received := _read(requests)) is not None:
        _limit_cpu()
        _answer(decoder, *received, answers)


def main() -> None:
    """Add the two plugins to pydicom, and serve."""
    JPEGBaseline8BitDecoder.add_plugin("imageserver_8_bit", (__name__, "decode_8_bit_jpeg"))
    JPEGExtended12BitDecoder.add_plugin("imageserver_8_bit", (__name__, "decode_8_bit_jpeg"))
    JPEGExtended12BitDecoder.add_plugin("imageserver_12_bit", (__name__, "decode_12_bit_jpeg"))
    serve()


if __name__ == "__main__":
    main()
