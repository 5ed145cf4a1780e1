"""Whole folders that are odd: the answer is a picture that is right, or a code and a sentence."""

import os
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset

from tests.api.conftest import Index
from tests.builders import CORONAL, image, to_bytes, uid, volume
from tests.folders import Folder

SERIES = uid("series")


def detail(client: TestClient, series: str = SERIES) -> dict[str, Any]:
    answer = client.get(f"/volumes/{series}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def codes(body: dict[str, Any], name: str = "warnings") -> list[str]:
    return [finding["code"] for finding in body[name]]


def junk(seed: int) -> dict[str, bytes]:
    """Files of all kinds that are no images, as they lie in real folders."""
    shuffle = random.Random(seed)
    whole = to_bytes(image(series="cut", instance=seed))
    return {
        "empty": b"",
        "noise": shuffle.randbytes(300),
        "text.txt": b"Dear colleague, the images are on the disk.",
        "program.exe": b"MZ" + bytes(126) + b"DICM" + shuffle.randbytes(50),
        "archive.zip": b"PK\x03\x04" + shuffle.randbytes(200),
        "picture.jpg": b"\xff\xd8\xff\xe0" + shuffle.randbytes(200),
        ".DS_Store": b"\x00\x00\x00\x01Bud1" + bytes(100),
        "preamble only": bytes(128) + b"DICM",
        "cut in the header": whole[:300],
        "cut in the pixels": whole[:-40],
        "scrambled": bytes(128) + b"DICM" + shuffle.randbytes(400),
        "no image": to_bytes(image(series=f"report {seed}", PixelData=None, Rows=None, Modality="SR")),
    }


class TestJunk:
    def test_half_of_the_folder_in_every_kind(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        slices = volume(36)
        folder.write_all(slices)
        for seed in range(3):
            for name, content in junk(seed).items():
                folder.write(f"{seed}/{name}", content)
        index()
        answer = signed_in.get("/slice")
        assert answer.headers["X-SOP-Instance-UID"] == slices[18].SOPInstanceUID
        assert signed_in.get("/patient").json()["name"] == "Doe, Jane"
        body = detail(signed_in)
        assert (body["verdict"], codes(body), body["excluded"]) == ("volume", ["window_guessed"], [])
        listed = signed_in.get("/volumes").json()
        assert listed["index"]["state"] == "ready"
        assert listed["volumes"][0]["series_instance_uid"] == SERIES

    def test_every_series_in_it_answers_with_a_picture_or_a_code(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        for name, content in junk(1).items():
            folder.write(name, content)
        index()
        for found in signed_in.get("/volumes").json()["volumes"]:
            answer = signed_in.get("/slice", params={"series": found["series_instance_uid"]})
            assert answer.status_code in (200, 422)
            if answer.status_code == 422:
                assert answer.json()["code"]
                assert answer.json()["detail"]


class TestLargeStudy:
    COUNT, BROKEN = 5000, 2500

    def files(self) -> dict[str, bytes]:
        """One small CT slice a thousandfold: only UID, number and position change."""
        template = to_bytes(
            image(
                np.zeros((2, 2), np.uint16),
                SOPInstanceUID="2.25.5550000",
                InstanceNumber=6660000,
                ImagePositionPatient=["0", "0", "7770000"],
            )
        )
        return {
            f"{number:05}": template.replace(b"5550000", b"555%04d" % number)
            .replace(b"6660000", b"666%04d" % (self.COUNT - number))
            .replace(b"7770000", b"777%04d" % number)
            for number in range(self.COUNT)
        }

    def test_one_of_five_thousand_is_broken(
        self, app: FastAPI, signed_in: TestClient, folder: Folder
    ) -> None:
        for name, content in self.files().items():
            is_broken = int(name) == self.BROKEN
            folder.write(name, content[:-3] if is_broken else content)
        assert app.state.archive.keeper.look_and_wait(300)
        body = detail(signed_in)
        assert (body["slice_count"], body["verdict"]) == (self.COUNT, "volume")
        assert body["middle"]["sop_instance_uid"] == f"2.25.555{self.BROKEN}"
        [refused] = [found for found in body["warnings"] if found["code"].startswith("refused")]
        assert refused["sop_instance_uids"] == [f"2.25.555{self.BROKEN}"]
        answer = signed_in.get("/slice")  # the broken one is in the middle, and is never replaced silently
        assert answer.status_code == 422
        assert answer.json()["slice"]["index"] == self.BROKEN
        assert signed_in.get("/slice", params={"index": self.BROKEN - 1}).status_code == 200


class TestTwoPatients:
    JANE = {"PatientName": "Doe^Jane", "PatientID": "J-1"}  # noqa: RUF012  never changed
    RICHARD = {"PatientName": "Roe^Richard", "PatientID": "R-2"}  # noqa: RUF012  never changed

    def both(self, first: int, second: int) -> list[Dataset]:
        other = volume(second, **self.RICHARD)
        for number, dataset in enumerate(other):
            dataset.SOPInstanceUID = uid("richard", number)
        return [*volume(first, **self.JANE), *other]

    def test_with_one_series_uid_are_never_one_volume(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(self.both(7, 5))
        index()
        body = detail(signed_in)
        assert (body["verdict"], body["slice_count"], body["middle"]["count"]) == ("volume", 12, 7)
        assert [(stack["count"], stack["differs_by"]) for stack in body["stacks"]] == [
            (7, "patient 1 of 2"),
            (5, "patient 2 of 2"),
        ]
        assert {"patient_names_differ", "patient_ids_differ"} <= set(codes(body))
        [other] = [found for found in body["excluded"] if found["code"] == "other_patient"]
        assert set(other["sop_instance_uids"]) == {uid("richard", number) for number in range(5)}
        patient = signed_in.get("/patient").json()
        assert (patient["name"], patient["patient_id"]) == ("Doe, Jane", "J-1")
        assert patient["other_names"] == [{"name": "Roe, Richard", "count": 5}]
        assert all("Roe" not in finding["message"] for finding in (*body["excluded"], *body["warnings"]))

    def test_the_picture_is_of_the_patient_that_is_named(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(self.both(4, 5))
        index()
        assert signed_in.get("/patient").json()["name"] == "Roe, Richard"
        of_richard = {uid("richard", number) for number in range(5)}
        for number in range(5):
            answer = signed_in.get("/slice", params={"index": number})
            assert answer.headers["X-SOP-Instance-UID"] in of_richard
        other = signed_in.get("/slice", params={"stack": 1, "index": 0})
        assert other.headers["X-SOP-Instance-UID"] not in of_richard

    def test_with_one_study_uid_are_two_series(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", image(series="a", study="one", **self.JANE))
        folder.write("b", image(series="b", study="one", **self.RICHARD))
        index()
        names = {
            series: signed_in.get("/patient", params={"series": uid(series)}).json()["name"]
            for series in ("a", "b")
        }
        assert names == {"a": "Doe, Jane", "b": "Roe, Richard"}


class TestAttributes:
    def test_empty_uids(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        empty = {"StudyInstanceUID": "", "SeriesInstanceUID": "", "SOPInstanceUID": ""}
        folder.write_all(volume(5, **empty))
        index()
        [found] = signed_in.get("/volumes").json()["volumes"]
        body = detail(signed_in, found["series_instance_uid"])
        assert (body["verdict"], body["slice_count"]) == ("volume", 5)
        assert "derived_uid" in codes(body)
        assert signed_in.get("/slice").headers["X-Slice-Count"] == "5"

    @pytest.mark.parametrize(
        ("name", "shown", "reason"),
        [
            (None, None, "absent"),
            ("", None, "empty"),
            ("^^^^", None, "empty"),
            (["Doe^Jane", "Roe^Richard"], "Doe, Jane", None),
        ],
        ids=["absent", "empty", "delimiters", "two names"],
    )
    def test_patient_names(
        self,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        name: str | Sequence[str] | None,
        shown: str | None,
        reason: str | None,
    ) -> None:
        folder.write_all(volume(3, PatientName=name))
        index()
        patient = signed_in.get("/patient").json()
        assert (patient["name"], patient["reason"]) == (shown, reason)
        assert codes(patient) == (["several_patient_names"] if isinstance(name, list) else [])
        assert signed_in.get("/slice").status_code == 200

    @pytest.mark.parametrize(
        "date", ["20261399", "00000000", "yesterday", "2026-01-02", "99999999", "19000229"]
    )
    def test_nonsense_dates(self, signed_in: TestClient, folder: Folder, index: Index, date: str) -> None:
        folder.write_all(
            volume(3, StudyDate=date, PatientBirthDate=date, StudyTime="99:99", AcquisitionTime="x")
        )
        index()
        assert detail(signed_in)["study_date"] is None
        assert signed_in.get("/patient").json()["birth_date"] is None
        assert signed_in.get("/slice").headers["X-Slice-Count"] == "3"


class TestBrokenGeometry:
    def test_every_picture_can_be_reached_and_every_fault_is_named(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        slices = volume(20)
        del slices[4]
        slices[2].SliceThickness = 2
        lost = image(instance=30, ImagePositionPatient=None)
        bad = image(instance=31, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])
        big = image(np.zeros((16, 16), np.uint16), instance=32)
        turned = image(instance=33, ImageOrientationPatient=list(CORONAL))
        everything = [*slices, lost, bad, big, turned]
        folder.write_all(everything)
        index()
        body = detail(signed_in)
        assert body["ordering"] == "position"
        assert {"gap", "bad_orientation"} <= set(codes(body))
        assert {"missing_position", "other_size", "other_geometry"} <= set(codes(body, "excluded"))
        seen = set()
        for stack in body["stacks"]:
            for number in range(stack["count"]):
                answer = signed_in.get("/slice", params={"stack": stack["stack"], "index": number})
                assert answer.status_code == 200
                seen.add(answer.headers["X-SOP-Instance-UID"])
        assert seen == {dataset.SOPInstanceUID for dataset in everything}


class TestLargeFiles:
    def sparse(self, folder: Folder, dataset: Dataset, length: int) -> None:
        """Write a file whose pixel data is a hole of zeros, so that it takes no room on the disk."""
        head = to_bytes(dataset)
        pixels = len(dataset.PixelData)
        path = folder.write("large", head[:-pixels][:-4] + length.to_bytes(4, "little"))
        with path.open("r+b") as file:
            file.truncate(len(head) - pixels + length)
        os.utime(path, (1e9, 1e9))

    @pytest.mark.parametrize(
        ("shape", "frames"), [((512, 512), 400), ((10_000, 10_000), 1)], ids=["many frames", "one frame"]
    )
    def test_a_file_of_200_megabytes_shows_its_middle(
        self,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        shape: tuple[int, int],
        frames: int,
    ) -> None:
        dataset = image(Rows=shape[0], Columns=shape[1])
        dataset.NumberOfFrames = frames
        length = frames * shape[0] * shape[1] * 2
        self.sparse(folder, dataset, length)
        assert folder.path.joinpath("large").stat().st_size > length
        index()
        answer = signed_in.get("/slice")
        assert (answer.status_code, answer.headers["X-Frame-Number"]) == (200, str(frames // 2 + 1))
