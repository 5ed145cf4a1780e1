"""Files that break the standard, beside each other in one folder, through the whole server."""

import numpy as np
from fastapi.testclient import TestClient
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from tests.api.conftest import Index
from tests.builders import acr_nema, image, raw_elements, to_bytes, uid, with_bytes, write_elements
from tests.folders import Folder

NO_UIDS = dict.fromkeys(["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])


def odd_files() -> dict[str, bytes]:
    """Each by what is odd about it; all hold the same pixels, each under a patient of its own."""
    number = iter(range(1, 100))

    def one(**attributes: object) -> dict[str, object]:
        return {"PatientID": f"ODD-{next(number)}", **attributes}

    as_un = [
        element if element.tag == 0x7FE00010 else element._replace(VR="UN")
        for element in raw_elements(image(series="un", **one()))
    ]
    return {
        "no uid at all": to_bytes(image(**one(**NO_UIDS)), meta=False),
        "empty uids": to_bytes(image(**one(**dict.fromkeys(NO_UIDS, ""))), media_storage_uid="x"),
        "letters in a uid": to_bytes(with_bytes(image(series=6, **one()), "SeriesInstanceUID", b"1.2.abc")),
        "a uid too long": to_bytes(
            with_bytes(image(series=7, **one()), "SeriesInstanceUID", b"1." * 50 + b"1")
        ),
        "two uids": to_bytes(with_bytes(image(series=8, **one()), "SeriesInstanceUID", b"1.2.3\\1.2.4")),
        "implicit, no meta": to_bytes(image(series=1, **one()), ImplicitVRLittleEndian, meta=False),
        "big endian, no meta": to_bytes(image(series=2, **one()), ExplicitVRBigEndian, meta=False),
        "zeros behind": to_bytes(image(series=3, **one())) + bytes(300),
        "un": write_elements(as_un),
        "group lengths": write_elements(raw_elements(image(series=4, **one())), has_group_lengths=True),
        "acr-nema": acr_nema(**one()),
    }


def test_each_is_shown_and_right(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("proper", image(series="proper"))
    files = odd_files()
    for name, data in files.items():
        folder.write(name, data)
    folder.write("no description of the pixels", image(series=5, Rows=None, PatientID="REFUSED"))
    index()
    expected = signed_in.get("/slice", params={"series": uid("proper")}).content
    listed = signed_in.get("/volumes").json()
    assert listed["index"] == {
        **listed["index"], "state": "ready", "indexed": len(files) + 1, "refused": 1
    }  # fmt: skip
    shown = {
        volume["patient"]["patient_id"]: signed_in.get(
            "/slice", params={"series": volume["series_instance_uid"]}
        )
        for volume in listed["volumes"]
    }
    assert len(shown) == len(files) + 1
    assert {patient: answer.status_code for patient, answer in shown.items()} == dict.fromkeys(shown, 200)
    assert [patient for patient, answer in shown.items() if answer.content != expected] == []


def test_files_without_uid_are_slices_of_one_series(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    for number in range(3):
        pixels = np.full((8, 8), number, np.uint16)
        folder.write(str(number), to_bytes(image(pixels, InstanceNumber=None, **NO_UIDS), meta=False))
    index()
    [volume] = signed_in.get("/volumes").json()["volumes"]
    assert volume["slice_count"] == 3
    answers = [
        signed_in.get("/slice", params={"series": volume["series_instance_uid"], "index": at})
        for at in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.headers["X-SOP-Instance-UID"] for answer in answers}) == 3
