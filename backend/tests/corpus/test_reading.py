"""Names, and what is refused, against dcmtk and iconv."""

import hashlib
from typing import Any

import numpy as np
import pytest

from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.frames import describe_frames
from imageserver.dicom.person_name import patient_name
from imageserver.dicom.reading import FileRefused, Header, read_header
from tests.corpus.conftest import Case, file_cases, read_even_without_pixels, series_cases


def read(case: Case) -> Header:
    return read_even_without_pixels(case.path)


@pytest.mark.parametrize("case", file_cases("patient_name"))
def test_patient_names(case: Case) -> None:
    expected = case.expected["patient_name"]
    if isinstance(expected, str):  # of files that are no pictures only the value is known
        expected = {"value": expected}
    name = patient_name(read(case).dataset)
    assert name.raw == expected["value"]
    groups = expected.get("groups", {})
    for group, text in groups.items():
        components = name.components()[group] or {}
        order = ("family", "given", "middle", "prefix", "suffix")
        assert "^".join(components.get(part, "") for part in order).rstrip("^") == text.rstrip("^")


@pytest.mark.parametrize("case", series_cases())
def test_patient_names_of_series(case: Case) -> None:
    paths = [case.folder / entry["file"] for entry in case.expected["slices_in_order"]]
    names = set()
    for path in paths:
        with path.open("rb") as stream:
            names.add(patient_name(read_header(stream).dataset).raw)
    assert names == {case.expected["patient_name"]["value"]}


# What the tools say about each is in the notes of the corpus; a file that opens has all its pixels.
DAMAGED = {
    "MR_truncated.dcm": "truncated",
    "no_meta.dcm": "not_dicom",  # a stray byte stands before the data set; dcmtk and GDCM refuse it too
    "rtplan_truncated.dcm": "truncated",
    "badVR.dcm": None,
}


def cases_of(folder: str) -> list[Any]:
    return [case for case in file_cases() if case.values[0] is None or case.values[0].folder.name == folder]


@pytest.mark.parametrize("case", cases_of("corrupt"))
def test_damaged_files_are_refused_by_name(case: Case) -> None:
    code = DAMAGED[case.path.name]
    if code is None:
        assert read(case).image is not None
        return
    with pytest.raises(FileRefused) as caught:
        read(case)
    assert caught.value.code == code


@pytest.mark.parametrize("case", cases_of("corrupt"))
def test_refuses_what_dcmtk_refuses(case: Case) -> None:
    """GDCM fills a cut image up with zeros (docs/decisions/0019)."""
    assert case.path.stat().st_size == case.expected["bytes"]
    is_refused = DAMAGED[case.path.name] is not None
    assert is_refused == case.expected["dcmtk_decodes"].startswith("no")
    assert is_refused == (case.expected["dcmdump_rc"] != 0)
    if is_refused:
        return
    with case.path.open("rb") as stream:
        header = read_header(stream)
        assert header.image is not None
        frames = [
            decode_frame(stream, header, index, None)  # type: ignore[arg-type]  # nothing is compressed
            for index in range(header.image.number_of_frames)
        ]
    values = np.stack([frame.stored_values for frame in frames])
    digest = hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
    for said in ("dcmtk_decodes", "gdcm_decodes"):
        assert case.expected[said] == f"yes {list(values.shape)} sha256 {digest[:16]}"


@pytest.mark.parametrize("case", cases_of("not_images"))
def test_objects_without_pictures_are_read(case: Case) -> None:
    assert case.path.stat().st_size == case.expected["bytes"]
    assert case.expected["dcmdump_rc"] == case.expected["gdcminfo_rc"] == 0
    header = read(case)
    assert header.image is None
    assert describe_frames(header) == []
