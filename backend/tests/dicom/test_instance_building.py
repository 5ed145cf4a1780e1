"""Files from metadata: how much of the bulk data beside them is held in memory."""

import contextlib
from collections.abc import Iterator

import pytest

from imageserver.dicom.instance_building import BulkValue, MetadataRefused, build_instance
from imageserver.dicom.json_values import Json
from imageserver.dicom.limits import Limits
from tests.builders import image

NATIVE = "1.2.840.10008.1.2.1"
LIMITS = Limits(value_length=1000, loaded_bytes=3000)


def metadata(uses: int) -> Json:
    plain: Json = image(PixelData=None, Rows=None).to_json_dict()
    plain["00090010"] = {"vr": "LO", "Value": ["ACME"]}
    return plain | {
        f"0009{number:04X}": {"vr": "OB", "BulkDataURI": "it"} for number in range(0x1000, 0x1000 + uses)
    }


def value(size: int) -> dict[str, BulkValue]:
    def read() -> Iterator[bytes]:
        yield bytes(size)

    return {"it": BulkValue(NATIVE, [(size, read)])}


def test_values_within_the_limits_are_written() -> None:
    assert sum(map(len, build_instance(metadata(3), value(1000), LIMITS))) > 3000


@pytest.mark.parametrize(("uses", "size"), [(1, 1001), (4, 1000), (1000, 4)])
def test_more_than_the_limits(uses: int, size: int) -> None:
    with pytest.raises(MetadataRefused):
        build_instance(metadata(uses), value(size), LIMITS)


def test_a_frame_longer_than_a_fragment_can_be() -> None:
    plain = image().to_json_dict() | {"7FE00010": {"vr": "OB", "BulkDataURI": "it"}}
    pieces = [(1 << 32, lambda: iter(()))]
    with pytest.raises(MetadataRefused):
        build_instance(plain, {"it": BulkValue("1.2.840.10008.1.2.4.80", pieces)})


@pytest.mark.parametrize(
    "element", [[], None, "x", 3, {}, {"BulkDataURI": {}}, {"vr": 5, "InlineBinary": "AA=="}]
)
def test_pixel_data_that_makes_no_sense(element: object) -> None:
    with contextlib.suppress(MetadataRefused):  # any other error would take the rest of the request along
        build_instance(image().to_json_dict() | {"7FE00010": element}, {})
