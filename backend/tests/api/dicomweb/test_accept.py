"""What a client accepts, and what it gets (PS3.18 8.7; RFC 9110, section 12.5.1)."""

import time

import pytest
from starlette.requests import Request

from imageserver.api.dicomweb.accept import (
    FrameAnswer,
    choose_frame_answer,
    media_ranges,
    require_dicom_json,
)
from imageserver.dicom.frame_forms import Form
from imageserver.errors import NotAcceptable

JPEG_LS = "1.2.840.10008.1.2.4.80"
IN_PARTS, ALONE = False, True
MULTIPART = 'multipart/related; type="application/octet-stream"'


def request(accept: str | None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "headers": headers})


class TestMediaRanges:
    def test_the_best_first_and_equals_in_their_order(self) -> None:
        found = media_ranges("a/a;q=0.5, b/b, c/c; q=0.8, d/d, e/e;q=0")
        assert [one.media_type for one in found] == ["b/b", "d/d", "c/c", "a/a"]

    def test_quoted_parameters_may_hold_what_separates(self) -> None:
        [one] = media_ranges('Multipart/Related; Type="a/b, c;d"; transfer-syntax=*')
        assert one.media_type == "multipart/related"
        assert one.parameters == {"type": "a/b, c;d", "transfer-syntax": "*"}

    @pytest.mark.parametrize("header", ["", "  "])
    def test_no_header_accepts_all(self, header: str) -> None:
        assert [one.media_type for one in media_ranges(header)] == ["*/*"]

    def test_a_quality_that_is_none_accepts_nothing(self) -> None:
        assert media_ranges("a/a;q=high") == []

    def test_quotation_marks_that_never_close_cost_no_time(self) -> None:
        before = time.process_time()
        media_ranges('a/a; b="' + '\\"' * 30_000)
        media_ranges("a/a" + ';b="\\"' * 12_000)
        assert time.process_time() - before < 5  # half a minute where each mark is searched to the end


class TestFrames:
    @pytest.mark.parametrize(
        ("accept", "count", "expected"),
        [
            (None, 1, FrameAnswer(Form.NATIVE, IN_PARTS)),
            ("*/*", 2, FrameAnswer(Form.NATIVE, IN_PARTS)),
            ("*/*; transfer-syntax=*", 1, FrameAnswer(Form.STORED, IN_PARTS)),
            (MULTIPART, 1, FrameAnswer(Form.NATIVE, IN_PARTS)),
            (f"{MULTIPART}; transfer-syntax=*", 3, FrameAnswer(Form.STORED, IN_PARTS)),
            (f"{MULTIPART}; transfer-syntax={JPEG_LS}", 3, FrameAnswer(Form.STORED, IN_PARTS)),
            (f"{MULTIPART}; transfer-syntax=1.2.840.10008.1.2.1", 3, FrameAnswer(Form.NATIVE, IN_PARTS)),
            ("multipart/related", 1, FrameAnswer(Form.NATIVE, IN_PARTS)),
            ("application/octet-stream", 1, FrameAnswer(Form.NATIVE, ALONE)),
            ("application/octet-stream; transfer-syntax=*", 1, FrameAnswer(Form.STORED, ALONE)),
            (f"application/octet-stream;q=0.1, {MULTIPART}", 1, FrameAnswer(Form.NATIVE, IN_PARTS)),
            (f'multipart/related; type="image/jpeg", {MULTIPART};q=0.1', 1, FrameAnswer(Form.NATIVE, IN_PARTS)),
            (f"{MULTIPART}; transfer-syntax=1.2.840.10008.1.2.4.50, */*;q=0.1", 1, FrameAnswer(Form.NATIVE, IN_PARTS)),
        ],
    )  # fmt: skip
    def test_what_is_sent(self, accept: str | None, count: int, expected: FrameAnswer) -> None:
        assert choose_frame_answer(request(accept), JPEG_LS, count) == expected

    @pytest.mark.parametrize(
        ("accept", "count"),
        [
            ("image/png", 1),
            ("application/octet-stream", 2),
            ('multipart/related; type="image/jpeg"', 1),
            (f"{MULTIPART}; transfer-syntax=1.2.840.10008.1.2.4.90", 1),
            ("*/*;q=0", 1),
        ],
    )
    def test_what_there_is_not_is_refused_with_what_there_is(self, accept: str, count: int) -> None:
        with pytest.raises(NotAcceptable) as caught:
            choose_frame_answer(request(accept), JPEG_LS, count)
        assert JPEG_LS in caught.value.detail
        assert "1.2.840.10008.1.2.1," in caught.value.detail


class TestJson:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            (None, "application/dicom+json"),
            ("application/dicom+json", "application/dicom+json"),
            ("application/json", "application/json"),
            ("application/json;q=0.9, application/dicom+json", "application/dicom+json"),
            ("text/html, */*;q=0.8", "application/dicom+json"),
        ],
    )
    def test_by_the_name_that_is_accepted(self, accept: str | None, expected: str) -> None:
        assert require_dicom_json(request(accept)) == expected

    def test_xml_there_is_not(self) -> None:
        with pytest.raises(NotAcceptable):
            require_dicom_json(request('multipart/related; type="application/dicom+xml"'))
