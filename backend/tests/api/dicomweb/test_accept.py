"""What a client accepts, and what it gets (PS3.18 8.7; RFC 9110, section 12.5.1)."""

import time

import pytest
from starlette.requests import Request

from imageserver.api.dicomweb.accept import TextAnswer, accepted, choose_text_answer, media_ranges
from imageserver.api.dicomweb.dicom_answers import DicomAnswer, dicom_answers
from imageserver.api.dicomweb.frame_answers import FrameAnswer, choose_frame_answer
from imageserver.dicom.frame_forms import Form
from imageserver.errors import NotAcceptable

JPEG_LS = "1.2.840.10008.1.2.4.80"
EXPLICIT = "1.2.840.10008.1.2.1"
IN_PARTS, ALONE = False, True
MULTIPART = 'multipart/related; type="application/octet-stream"'


def request(accept: str | None, query: str = "") -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


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


class TestCompressedFrames:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("image/jls", FrameAnswer(Form.STORED, ALONE, "image/jls")),
            ("image/x-jls", FrameAnswer(Form.STORED, ALONE, "image/jls")),
            ('multipart/related; type="image/x-jls"', FrameAnswer(Form.STORED, IN_PARTS, "image/jls")),
            ('multipart/related; type="image/jp2"', FrameAnswer(Form.JPEG_2000, IN_PARTS, "image/jp2")),
            ("image/jp2; transfer-syntax=*", FrameAnswer(Form.JPEG_2000, ALONE, "image/jp2")),
            ("image/dicom-rle", FrameAnswer(Form.RLE, ALONE, "image/dicom-rle")),
            ("image/jpeg, image/dicom-rle;q=0.5", FrameAnswer(Form.RLE, ALONE, "image/dicom-rle")),
        ],
    )
    def test_by_the_media_types_of_the_standard(self, accept: str, expected: FrameAnswer) -> None:
        assert choose_frame_answer(request(accept), JPEG_LS, 1) == expected

    @pytest.mark.parametrize(
        "accept",
        ["image/jpeg", "image/jls; transfer-syntax=1.2.840.10008.1.2.4.81", "image/jxl", "image/gif"],
    )
    def test_what_there_is_not_names_what_there_is(self, accept: str) -> None:
        with pytest.raises(NotAcceptable, match=r"image/jls \(1\.2\.840\.10008\.1\.2\.4\.80\)"):
            choose_frame_answer(request(accept), JPEG_LS, 1)


class TestWholeInstances:
    PARTS = 'multipart/related; type="application/dicom"'

    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            (None, [DicomAnswer(IN_PARTS, (EXPLICIT,))]),
            (f"{PARTS}; transfer-syntax=*", [DicomAnswer(IN_PARTS, ("*",))]),
            ("application/dicom; transfer-syntax=*", [DicomAnswer(ALONE, ("*",))]),
            (
                f"{PARTS}; transfer-syntax={JPEG_LS}, {PARTS};q=0.5, application/dicom;q=0.2",
                [DicomAnswer(IN_PARTS, (JPEG_LS, EXPLICIT)), DicomAnswer(ALONE, (EXPLICIT,))],
            ),
            ("application/*", [DicomAnswer(ALONE, (EXPLICIT,))]),
            ("*/*, multipart/related;q=0", [DicomAnswer(ALONE, (EXPLICIT,))]),
        ],
    )
    def test_one(self, accept: str | None, expected: list[DicomAnswer]) -> None:
        assert dicom_answers(request(accept), 1) == expected

    def test_several_need_several_parts(self) -> None:
        with pytest.raises(NotAcceptable, match="single instance"):
            dicom_answers(request("application/dicom"), 2)

    @pytest.mark.parametrize("accept", ["image/png", 'multipart/related; type="image/png"', "text/html"])
    def test_something_else(self, accept: str) -> None:
        with pytest.raises(NotAcceptable, match="application/dicom"):
            dicom_answers(request(accept), 1)


class TestQuery:
    def test_it_goes_before_the_header(self) -> None:  # PS3.18 8.7.8.1
        query = "accept=application%2Fdicom%3Btransfer-syntax%3D*"
        one, other = accepted(request("text/html", query))
        assert (one.media_type, one.parameters) == ("application/dicom", {"transfer-syntax": "*"})
        assert other.media_type == "text/html"

    def test_the_header_holds_where_there_is_nothing_of_it(self) -> None:
        assert choose_text_answer(request("*/*", "accept=image/tiff")) == TextAnswer("application/dicom+json")
        with pytest.raises(NotAcceptable):
            choose_text_answer(request(None, "accept=image/tiff"))

    def test_a_plus_that_was_not_escaped(self) -> None:
        assert (
            accepted(request(None, "accept=application/dicom+json"))[0].media_type == "application/dicom+json"
        )


class TestText:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            (None, TextAnswer("application/dicom+json")),
            ("application/dicom+json", TextAnswer("application/dicom+json")),
            ("application/json", TextAnswer("application/json")),
            ("application/json;q=0.9, application/dicom+json", TextAnswer("application/dicom+json")),
            ("text/html, */*;q=0.8", TextAnswer("application/dicom+json")),
            ("application/dicom+json; charset=utf-8", TextAnswer("application/dicom+json")),
            ('multipart/related; type="application/dicom+xml"', TextAnswer("application/dicom+xml", True)),
            ("application/dicom+xml", TextAnswer("application/dicom+xml", True)),
            ("*/*, application/dicom+json;q=0", TextAnswer("application/dicom+xml", True)),
        ],
    )
    def test_by_the_name_that_is_accepted(self, accept: str | None, expected: TextAnswer) -> None:
        assert choose_text_answer(request(accept)) == expected

    @pytest.mark.parametrize(
        "accept",
        ["text/xml", "application/dicom+json; charset=latin-1", 'multipart/related; type="image/png"'],
    )
    def test_what_there_is_not(self, accept: str) -> None:
        with pytest.raises(NotAcceptable, match=r"application/dicom\+xml"):
            choose_text_answer(request(accept))
