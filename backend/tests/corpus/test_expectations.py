"""Every value of the expectations is compared by a test, or is known to be about the references only."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.conftest import VARIABLE

# By the test module that compares them.
COMPARED = {
    "test_headers": {
        "modality", "sop_class", "sop_instance", "series", "study", "transfer_syntax", "transfer_syntaxes", "rows",
        "columns", "frames", "samples", "photometric", "planar", "bits_allocated", "bits_stored", "high_bit",
        "pixel_representation", "window_center", "window_width", "rescale_slope", "rescale_intercept",
        "gantry_tilt", "instance_number", "instance", "has_voi_lut", "has_modality_lut", "pixel_padding", "sizes",
        "files", "raw_hex", "specific_character_set", "sop", "file",
    },
    "test_reading": {
        "patient_name", "value", "groups", "alphabetic", "ideographic", "phonetic", "distinct_patient_names",
        "bytes", "dcmdump_rc", "gdcminfo_rc", "dcmtk_decodes", "gdcm_decodes", "expected",
    },
    "test_order": {
        "distinct_sop_instances", "distinct_positions", "slices_in_order", "mm", "first_mm", "last_mm", "gap_mm",
        "tilted", "distinct_orientations", "stack_vs_normal_degrees", "file_name_order_is_spatial",
        "instance_number_order", "middle", "middle_minus_one", "index", "acceptable_middle", "frames_spatial",
        "middle_frame", "acceptable_middle_frames", "orientations", "stored_order_is_spatial",
    },
    "test_values": {
        "stored_min_max", "modality_min_max", "simpleitk_min_max", "volume_modality_min_max",
        "pixel_sha256_by_file", "distinct_pixel_contents", "frame_pixel_sha256", "reference_frame", "pixel_layout",
    },
    "test_pixels": {"pixel_sha256", "frame_modality_min_max", "reference", "png", "with_overlays_png"},
    "test_api": {"volumes_expected", "case"},
}  # fmt: skip
# How the references came to their values, what they say of each other, and notes.
ABOUT_REFERENCES = {
    "note", "kind", "source", "decoders", "cross_check", "lossy_codec", "truth_from", "decoded_by",
    "decoder_disagreements", "pydicom_pixels", "pydicom_agrees", "dcmdump_utf8", "iconv_utf8", "dcmdump_says",
    "simpleitk_order", "numpy", "dcmtk", "dcmtk_vs_numpy", "png_from", "png_mean", "png_scale",
    "full_size_pixels_sha256",
}  # fmt: skip
_KEYED_BY_DATA = {
    "pixel_sha256_by_file",
    "decoders",
    "cross_check",
    "pydicom_pixels",
    "decoded_by",
    "dcmtk_vs_numpy",
}

pytestmark = pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set")


def expectations() -> dict[str, Any]:
    folder = Path(os.environ[VARIABLE]).resolve().parent / "dicom-expected"
    return {path.parent.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*/expected.json")}


def keys(values: Any) -> Iterator[str]:
    if isinstance(values, list):
        for value in values:
            yield from keys(value)
    if isinstance(values, dict):
        for key, value in values.items():
            yield key
            # Single files are listed by the UID of their series, which test_headers compares.
            if key not in _KEYED_BY_DATA and not (key == "series" and isinstance(value, dict)):
                yield from keys(value)


def test_every_value_is_compared_or_about_the_references() -> None:
    known = ABOUT_REFERENCES.union(*COMPARED.values())
    found = {key for values in expectations().values() for key in keys(values)}
    assert found - known == set()


def test_every_comparison_is_made() -> None:
    """A key that a module compares stands in its source, or in that of `conftest`, which makes cases of it."""
    folder = Path(__file__).parent
    shared = (folder / "conftest.py").read_text("utf-8")
    found = {key for values in expectations().values() for key in keys(values)}
    for module, compared in COMPARED.items():
        source = (folder / f"{module}.py").read_text("utf-8") + shared
        missing = {key for key in compared & found if f'"{key}"' not in source}
        assert missing <= _COMPARED_AS_A_WHOLE, f"{module} does not compare {missing}"


# Parts of values that are compared as a whole, or that a loop names.
_COMPARED_AS_A_WHOLE = {
    "alphabetic", "ideographic", "phonetic", "distinct_patient_names", "case", "expected",
    "file_name_order_is_spatial",
}  # fmt: skip
