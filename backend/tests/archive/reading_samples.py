"""What the index and the metadata say of a set of files, as short digests; run it to record them anew.

python -m tests.archive.reading_samples
"""

import hashlib
import io
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.sequence import Sequence as Items
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from imageserver.archive import reading_rules
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.made_metadata import make_metadata
from imageserver.archive.reading import read_file
from tests.builders import enhanced, image, item, to_bytes, uid

RECORD = Path(__file__).with_name("reading_samples.json")


def samples() -> dict[str, bytes]:
    """Files of the kinds that reading rules are about."""
    whole = to_bytes(image())
    japanese = image(SpecificCharacterSet="ISO_IR 192", PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう")
    private = image()
    private.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", b"\1\2")
    colour = image(np.zeros((4, 4, 3), np.uint8), Modality="US")
    places = [(0.0, 0.0, float(z)) for z in range(3)]
    sequences = image(
        ReferencedImageSequence=Items([item(ReferencedSOPInstanceUID="1.2")]), SliceThickness=1.5
    )
    nameless = image(StudyInstanceUID="", SeriesInstanceUID="not a UID", SOPInstanceUID=None)
    return {
        "plain": whole,
        "implicit": to_bytes(image(), ImplicitVRLittleEndian),
        "big endian": to_bytes(image(), ExplicitVRBigEndian),
        "deflated": to_bytes(image(), DeflatedExplicitVRLittleEndian),
        "without meta": to_bytes(image(), meta=False),
        "without pixels": to_bytes(image(PixelData=None)),
        "without uids": to_bytes(nameless, media_storage_uid=uid("media")),
        "japanese": to_bytes(japanese),
        "private": to_bytes(private),
        "colour": to_bytes(colour),
        "enhanced": to_bytes(enhanced(places)),
        "sequences": to_bytes(sequences),
        "cut": whole[:-20],
        "cut header": whole[:300],
        "padded": whole + bytes(64),
        "junk": b"this is no image, and long enough to be looked at" * 4,
    }


def index_digests() -> dict[str, str]:
    """Digest of what the index keeps of each sample."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for sample, content in samples().items():
            Path(name, "file").write_bytes(content)
            (path,) = DataDirectory(Path(name)).walk()
            assert isinstance(path, FoundFile)
            values = asdict(read_file(DataDirectory(Path(name)), path))
            del values["identity"]
            if values["instance"]:
                del values["instance"]["has_other_class"]  # for who stores a file; the index does not keep it
                content, *others = values["instance"]["metadata"]
                values["instance"]["metadata"] = [json.loads(content), *others]  # its layout says nothing
            found[sample] = _digest(values)
    return found


def metadata_digests() -> dict[str, str]:
    """Digest of the metadata of each sample."""
    made = {sample: make_metadata(io.BytesIO(content)) for sample, content in samples().items()}
    return {sample: _digest([json.loads(found.content), found.findings]) for sample, found in made.items()}


def record() -> dict[str, Any]:
    """All of it, with the versions of the rules."""
    return {
        "reading_version": reading_rules.READING_VERSION,
        "index": index_digests(),
        "metadata_version": reading_rules.METADATA_VERSION,
        "metadata": metadata_digests(),
    }


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=repr).encode()).hexdigest()[:12]


if __name__ == "__main__":
    RECORD.write_text(json.dumps(record(), indent=2) + "\n", encoding="utf-8")
