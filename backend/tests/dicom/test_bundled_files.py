"""The files that come with pydicom: every image decodes as pydicom decodes it, or is refused with its reason.

pydicom is the witness, with all its plugins, in a process of its own (`pydicom_witness.py`).
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
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
# The size of the image cannot be read: a delimiter of fragments stands in its place.
UNDECODABLE = {"JPEG2000-embedded-sequence-delimiter.dcm": "3722445056 pixels instead of 1024 x 256"}
# pydicom decodes none of these. The first: see test_decoding.py for values of dcmtk. The second: its 8 bits stand in a
# stream that is declared, and described, otherwise. The third has a Number of Frames of "1A".
UNWITNESSED = {"JPGExtended.dcm", "JPEG-lossy.dcm", "badVR.dcm"}


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The values of each file that pydicom can decode, by name."""
    out = tmp_path_factory.mktemp("witness") / "values.npz"
    script = Path(__file__).with_name("pydicom_witness.py")
    subprocess.run(
        [sys.executable, "-P", str(script), str(FOLDER), str(out)], check=True, capture_output=True
    )
    return dict(np.load(out))


def read(path: Path) -> Header:
    with path.open("rb") as stream:
        return read_header(stream)


@pytest.mark.parametrize("path", [p for p in FILES if p.name in REFUSED], ids=lambda path: path.name)
def test_a_faulty_file_is_refused_with_its_reason(path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        read(path)
    assert caught.value.code == REFUSED[path.name]


@pytest.mark.parametrize("path", [p for p in FILES if p.name not in REFUSED], ids=lambda path: path.name)
def test_every_frame_is_decoded_as_pydicom_does(
    path: Path, witness: dict[str, np.ndarray], decoders: DecoderPool
) -> None:
    with path.open("rb") as stream:
        header = read_header(stream)
        if header.image is None:
            assert path.name not in witness
            return
        if path.name in UNDECODABLE:
            with pytest.raises(UndecodableFrame, match=UNDECODABLE[path.name]):
                decode_frame(stream, header, 0, decoders)
            return
        frames = [decode_frame(stream, header, i, decoders) for i in range(header.image.number_of_frames)]
    rendered = render_frame(frames[0], header, 0).display_values
    assert rendered.dtype == np.uint8
    assert rendered.shape[:2] == (header.image.rows, header.image.columns)
    assert (path.name in witness) is (path.name not in UNWITNESSED)
    if path.name in witness:
        ours = np.stack([frame.stored_values for frame in frames]).astype(np.int64)
        theirs = witness[path.name].reshape(ours.shape).astype(np.int64)
        tolerance = 2 if header.transfer_syntax.is_lossy else 0  # two decoders may round differently
        assert np.abs(ours - theirs).max() <= tolerance


def test_the_list_of_refused_files_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {**REFUSED, **UNDECODABLE}
    with capsys.disabled():
        print(f"\n{len(FILES)} files come with pydicom; refused are:")
        for name, reason in sorted(refused.items()):
            print(f"  {name}: {reason}")
    assert len(refused) <= 6
