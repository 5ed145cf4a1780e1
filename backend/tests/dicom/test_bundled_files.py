"""The files that come with pydicom: every image decodes as pydicom decodes it, or is refused with its reason.

pydicom's own decoders are the witness; they are called in this process, where GDCM is not.
"""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.dicom.rendering import render_frame
from imageserver.errors import UndecodableFrame

FOLDER = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix == ".dcm")

# Faulty on purpose, and what is wrong with them.
REFUSED = {
    "MR_truncated.dcm": "truncated",
    "meta_missing_tsyntax.dcm": "no_transfer_syntax",
    "nested_priv_SQ.dcm": "bad_image",
    "no_meta.dcm": "not_dicom",
    "rtplan_truncated.dcm": "truncated",
}
# The delimiter stands in place of the size of the image.
UNDECODABLE = {"JPEG2000-embedded-sequence-delimiter.dcm"}
# Of these the witness knows nothing: no decoder without GDCM, or a Number of Frames of "1A".
UNWITNESSED = {"JPGExtended.dcm", "JPEG-lossy.dcm", "SC_rgb_jpeg_gdcm.dcm", "badVR.dcm"}


def read(path: Path) -> Header:
    with path.open("rb") as stream:
        return read_header(stream)


@pytest.mark.parametrize("path", [p for p in FILES if p.name in REFUSED], ids=lambda path: path.name)
def test_a_faulty_file_is_refused_with_its_reason(path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        read(path)
    assert caught.value.code == REFUSED[path.name]


@pytest.mark.parametrize("path", [p for p in FILES if p.name not in REFUSED], ids=lambda path: path.name)
def test_every_frame_is_decoded_as_pydicom_does(path: Path, decoders: DecoderPool) -> None:
    with path.open("rb") as stream:
        header = read_header(stream)
        if header.image is None:
            return
        if path.name in UNDECODABLE:
            with pytest.raises(UndecodableFrame):
                decode_frame(stream, header, 0, decoders)
            return
        frames = [decode_frame(stream, header, i, decoders) for i in range(header.image.number_of_frames)]
    rendered = render_frame(frames[0], header, 0).display_values
    assert rendered.dtype == np.uint8
    assert rendered.shape[:2] == (header.image.rows, header.image.columns)
    if path.name not in UNWITNESSED:
        ours = np.stack([frame.stored_values for frame in frames]).astype(np.int64)
        tolerance = 2 if header.transfer_syntax.is_lossy else 0  # two decoders may round differently
        assert np.abs(ours - witness(path, ours.shape)).max() <= tolerance


def witness(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = read(path).transfer_syntax_uid
        dataset.pixel_array_options(raw=True)
        return dataset.pixel_array.reshape(shape).astype(np.int64)
