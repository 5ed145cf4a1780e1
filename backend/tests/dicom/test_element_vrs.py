"""VRs of elements, seen in the JSON of their header."""

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from tests.builders import image
from tests.header_json import json_of, private_element


class TestPrivateElements:
    def test_they_stand_with_their_creator(self) -> None:
        found = json_of(private_element(b"\x01\x02")).dataset
        assert found["00290010"] == {"vr": "LO", "Value": ["SIEMENS CSA HEADER"]}
        assert found["00291010"] == {"vr": "OB", "InlineBinary": "AQI="}

    def test_in_implicit_vr_the_creator_tells_the_vr(self) -> None:
        """(0029,xx10) of SIEMENS CSA HEADER is OB in the dictionary of private elements that comes with pydicom."""
        found = json_of(private_element(b"\x01\x02"), ImplicitVRLittleEndian).dataset
        assert found["00290010"] == {"vr": "LO", "Value": ["SIEMENS CSA HEADER"]}
        assert found["00291010"] == {"vr": "OB", "InlineBinary": "AQI="}

    def test_of_an_unknown_creator_they_are_bytes(self) -> None:
        dataset = image()
        dataset.private_block(0x0029, "NOBODY KNOWS", create=True).add_new(0x10, "OB", b"\x01\x02")
        assert json_of(dataset, ImplicitVRLittleEndian).dataset["00291010"]["vr"] == "UN"


class TestSignLeftOpen:
    @pytest.mark.parametrize(("pixel_representation", "value"), [(0, 65000), (1, -536)])
    def test_us_or_ss_follows_the_pixel_representation(self, pixel_representation: int, value: int) -> None:
        kind = np.int16 if pixel_representation else np.uint16
        dataset = image(np.zeros((4, 4), kind))
        dataset.add_new(0x00280106, "SS" if pixel_representation else "US", value)
        vr = "SS" if pixel_representation else "US"
        assert json_of(dataset, ImplicitVRLittleEndian).dataset["00280106"] == {"vr": vr, "Value": [value]}
