"""What the headers say, attribute by attribute, against dcmdump."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.attributes import Level, instance_address, read_attributes
from imageserver.dicom.number_values import integer, number, numbers
from imageserver.dicom.raw_elements import raw_bytes
from imageserver.dicom.reading import Header
from imageserver.dicom.sequence_items import first_item
from imageserver.dicom.text_values import text
from tests.corpus.conftest import Case, file_cases, read_even_without_pixels, series_cases


def read(case: Case, name: str | None = None) -> Header:
    return read_even_without_pixels(case.folder / name if name else case.path)


def said(header: Header) -> dict[str, Any]:
    """What the server understands, under the names that the expectations use."""
    dataset, image = header.dataset, header.image
    address = instance_address(dataset, header.file_meta)
    series = read_attributes(dataset, Level.SERIES)
    found: dict[str, Any] = {
        "modality": series["modality"],
        "sop_class": text(dataset, "SOPClassUID"),
        "sop_instance": address.sop_instance_uid,
        "series": address.series_instance_uid,
        "study": address.study_instance_uid,
        "transfer_syntax": header.transfer_syntax_uid,
        "window_center": numbers(dataset, "WindowCenter") or None,
        "window_width": numbers(dataset, "WindowWidth") or None,
        "rescale_slope": number(dataset, "RescaleSlope"),
        "rescale_intercept": number(dataset, "RescaleIntercept"),
        "gantry_tilt": number(dataset, "GantryDetectorTilt"),
        "instance_number": integer(dataset, "InstanceNumber"),
        "has_voi_lut": first_item(dataset, "VOILUTSequence") is not None,
        "has_modality_lut": first_item(dataset, "ModalityLUTSequence") is not None,
        "pixel_padding": number(dataset, "PixelPaddingValue", signed=image is not None and image.is_signed),
    }
    if image is not None:
        found |= {
            "rows": image.rows,
            "columns": image.columns,
            "frames": image.number_of_frames,
            "samples": image.samples_per_pixel,
            "photometric": image.photometric_interpretation,
            "planar": integer(dataset, "PlanarConfiguration"),
            "bits_allocated": image.bits_allocated,
            "bits_stored": image.bits_stored,
            "high_bit": image.high_bit,
            "pixel_representation": int(image.is_signed),
        }
    return found


def as_numbers(written: str | None) -> Any:
    return [float(part) for part in written.split("\\")] if written else None


def expected_of(case: Case, found: dict[str, Any]) -> dict[str, Any]:
    values = {name: case.expected[name] for name in found if name in case.expected}
    for name in ("window_center", "window_width"):
        values[name] = as_numbers(values[name])
    for name in ("rescale_slope", "rescale_intercept", "gantry_tilt", "instance_number", "pixel_padding"):
        if name in values:
            values[name] = (as_numbers(values[name]) or [None])[0]
    return values


@pytest.mark.parametrize("case", file_cases("transfer_syntax"))
def test_single_files(case: Case) -> None:
    found = said(read(case))
    expected = expected_of(case, found)
    if expected["modality"] is None:  # a DICOMDIR lists instances, and is none
        for name in ("sop_instance", "series", "study"):
            del expected[name]
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("case", series_cases())
def test_every_file_of_a_series(case: Case) -> None:
    headers = {entry["file"]: read(case, entry["file"]) for entry in case.expected["slices_in_order"]}
    assert len(headers) == case.expected["files"] == len(case.expected["slices_in_order"])
    for entry in case.expected["slices_in_order"]:
        found = said(headers[entry["file"]])
        assert found["sop_instance"] == entry["sop"]
        assert found["instance_number"] == int(entry["instance"])
    first = said(next(iter(headers.values())))
    expected = expected_of(case, first)
    # Windows may differ between slices; the expectation is that of one of them.
    varying = {"window_center", "window_width"}
    assert {n: first[n] for n in expected if n not in varying} == {
        n: expected[n] for n in expected if n not in varying
    }
    windows = [(said(header)["window_center"], said(header)["window_width"]) for header in headers.values()]
    assert (expected["window_center"], expected["window_width"]) in windows
    assert (
        sorted({header.transfer_syntax_uid for header in headers.values()})
        == case.expected["transfer_syntaxes"]
    )
    images = [header.image for header in headers.values() if header.image is not None]
    assert sorted({f"{image.columns}x{image.rows}" for image in images}) == case.expected["sizes"]


def declared(dataset: Dataset) -> str | None:
    value = raw_bytes(dataset, "SpecificCharacterSet")
    return value.decode("ascii").strip(" \0") if value is not None else None


@pytest.mark.parametrize("case", file_cases("patient_name"))
def test_the_bytes_of_names(case: Case) -> None:
    expected = case.expected["patient_name"]
    if isinstance(expected, str):  # of files that are no pictures only the value is known
        return
    dataset = read(case).dataset
    assert (raw_bytes(dataset, "PatientName") or b"").rstrip(b" \0").hex() == expected["raw_hex"]
    assert (declared(dataset) or None) == (expected["specific_character_set"] or None)
