from imageserver.dicom.arrangement import Arrangement, Verdict
from imageserver.dicom.several_patients import arrange_patients
from imageserver.dicom.stacks import arrange
from tests.dicom.described import axial, codes, frame, middle


def test_one_patient_is_arranged_as_ever() -> None:
    slices = axial(range(5))
    assert arrange_patients([slices]) == arrange_patients([slices, []]) == arrange(slices)
    assert arrange_patients([[]]).verdict is Verdict.EMPTY


def test_two_patients_at_the_same_places_are_no_4d_volume() -> None:
    first = [frame(z, z, f"a{z}") for z in range(5)]
    second = [frame(z, z, f"b{z}") for z in range(4)]
    arrangement = arrange_patients([first, second])
    assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "a2")
    assert [f.sop_instance_uid for f in arrangement.frames] == [f"a{z}" for z in range(5)]
    assert [(s.stack, s.differs_by, s.count) for s in arrangement.stacks] == [
        (0, "patient 1 of 2", 5),
        (1, "patient 2 of 2", 4),
    ]
    [other] = arrangement.excluded
    assert (other.code, other.sop_instance_uids) == ("other_patient", ("b0", "b1", "b2", "b3"))
    assert other.message == "4 images belong to another patient, in stacks of their own."
    assert other.numbers == {"images": 4, "patients": 1}
    assert "name 2 patients" in arrangement.explanation
    assert Arrangement.from_dict(arrangement.as_dict()) == arrangement


def test_what_is_odd_about_the_first_is_still_said() -> None:
    arrangement = arrange_patients([axial([0, 2, 4, 8]), [frame(1, 1, "other")]])
    assert codes(arrangement.warnings) == ["gap"]
    assert arrangement.excluded[0].message.startswith("1 image belongs to another patient")
