"""The Native DICOM Model (PS3.19 A.1): its forms come from the standard's schema and its table of equivalents."""

import contextlib
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.dicom_json import header_json
from imageserver.dicom.dicom_xml import NAMESPACE, MalformedDicomXml, read_dicom_xml, write_dicom_xml
from imageserver.dicom.json_values import Json
from imageserver.dicom.limits import Limits
from imageserver.dicom.reading import FileRefused, read_header
from tests.header_json import json_of, private_element

Q = f"{{{NAMESPACE}}}"


def document(content: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return f'{head}<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">{content}</NativeDicomModel>'.encode()


def attributes_of(dataset: Json) -> list[ET.Element]:
    return list(ET.fromstring(write_dicom_xml(dataset)))


def roundtrip(dataset: Json) -> Json:
    return read_dicom_xml(write_dicom_xml(dataset))


# PS3.18 table F.3.1-1, "XML to JSON mapping", and the attributes of the example in F.4.
EQUIVALENTS: list[tuple[str, Json]] = [
    (
        '<DicomAttribute tag="00080005" vr="CS" keyword="SpecificCharacterSet">'
        '<Value number="1">ISO_IR 192</Value></DicomAttribute>',
        {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}},
    ),
    (
        '<DicomAttribute tag="00080061" vr="CS" keyword="ModalitiesInStudy">'
        '<Value number="1">CT</Value><Value number="2">PET</Value></DicomAttribute>',
        {"00080061": {"vr": "CS", "Value": ["CT", "PET"]}},
    ),
    (
        '<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1">'
        "<Alphabetic><FamilyName>Wang</FamilyName><GivenName>XiaoDong</GivenName></Alphabetic>"
        "<Ideographic><FamilyName>王</FamilyName><GivenName>小東</GivenName></Ideographic>"
        "</PersonName></DicomAttribute>",
        {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東"}]}},
    ),
    (
        '<DicomAttribute tag="00201206" vr="IS" keyword="NumberOfStudyRelatedSeries">'
        '<Value number="1">4</Value></DicomAttribute>',
        {"00201206": {"vr": "IS", "Value": [4]}},
    ),
    (
        '<DicomAttribute tag="00101030" vr="DS" keyword="PatientWeight">'
        '<Value number="1">72.5</Value></DicomAttribute>',
        {"00101030": {"vr": "DS", "Value": [72.5]}},
    ),
    (
        '<DicomAttribute tag="00280009" vr="AT" keyword="FrameIncrementPointer">'
        '<Value number="1">00181063</Value></DicomAttribute>',
        {"00280009": {"vr": "AT", "Value": ["00181063"]}},
    ),
    (
        '<DicomAttribute tag="00101002" vr="SQ" keyword="OtherPatientIDsSequence"><Item number="1">'
        '<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"><Value number="1">54321</Value>'
        "</DicomAttribute></Item>"
        '<Item number="2"><DicomAttribute tag="00100020" vr="LO" keyword="PatientID">'
        '<Value number="1">24680</Value></DicomAttribute></Item></DicomAttribute>',
        {
            "00101002": {
                "vr": "SQ",
                "Value": [
                    {"00100020": {"vr": "LO", "Value": ["54321"]}},
                    {"00100020": {"vr": "LO", "Value": ["24680"]}},
                ],
            }
        },
    ),
    (
        '<DicomAttribute tag="00281201" vr="OW" keyword="RedPaletteColorLookupTableData">'
        "<InlineBinary>z0x9c8v7</InlineBinary></DicomAttribute>",
        {"00281201": {"vr": "OW", "InlineBinary": "z0x9c8v7"}},
    ),
    (
        '<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData">'
        '<BulkData uri="http://localhost/bulk?a=1&amp;b=%20"/></DicomAttribute>',
        {"7FE00010": {"vr": "OW", "BulkDataURI": "http://localhost/bulk?a=1&b=%20"}},
    ),
    (
        '<DicomAttribute tag="00100040" vr="CS" keyword="PatientSex"/>',
        {"00100040": {"vr": "CS"}},
    ),
]


class TestEquivalents:
    @pytest.mark.parametrize(("xml", "json"), EQUIVALENTS)
    def test_json_is_written_as_the_standard_has_it(self, xml: str, json: Json) -> None:
        assert write_dicom_xml(json).decode() == document(xml).decode().replace("?><N", "?>\n<N")

    @pytest.mark.parametrize(("xml", "json"), EQUIVALENTS)
    def test_xml_is_read_as_the_standard_has_it(self, xml: str, json: Json) -> None:
        assert read_dicom_xml(document(xml)) == json

    def test_the_namespace_may_be_left_out_or_have_a_prefix(self) -> None:
        xml, json = EQUIVALENTS[0]
        assert read_dicom_xml(f"<NativeDicomModel>{xml}</NativeDicomModel>".encode()) == json
        prefixed = xml.replace("<", "<n:").replace("<n:/", "</n:")
        root = f'<n:NativeDicomModel xmlns:n="{NAMESPACE}">{prefixed}</n:NativeDicomModel>'
        assert read_dicom_xml(root.encode()) == json

    def test_pieces_may_be_cut_anywhere(self) -> None:
        content = document("".join(xml for xml, _ in EQUIVALENTS))
        assert read_dicom_xml(content[at : at + 1] for at in range(len(content))) == read_dicom_xml(content)


class TestPrivateElements:
    def test_the_tag_is_normalized_beside_its_creator(self) -> None:
        dataset = json_of(private_element(b"\x01\x02")).dataset
        [creator, element] = [one for one in attributes_of(dataset) if one.get("tag", "").startswith("0029")]
        assert (creator.get("tag"), creator.get("privateCreator")) == ("00290010", None)
        assert (element.get("tag"), element.get("privateCreator")) == ("00290010", "SIEMENS CSA HEADER")
        assert roundtrip(dataset) == dataset

    def test_a_block_is_reserved_where_none_is(self) -> None:
        xml = (
            '<DicomAttribute tag="00090002" vr="UN" privateCreator="ACME"><InlineBinary>AAE=</InlineBinary>'
            '</DicomAttribute><DicomAttribute tag="00090010" vr="LO"><Value number="1">OTHER</Value></DicomAttribute>'
        )
        assert read_dicom_xml(document(xml)) == {
            "00090010": {"vr": "LO", "Value": ["OTHER"]},
            "00090011": {"vr": "LO", "Value": ["ACME"]},
            "00091102": {"vr": "UN", "InlineBinary": "AAE="},
        }

    def test_the_first_element_of_a_block_is_no_group_length(self) -> None:
        dataset = {"00090010": {"vr": "LO", "Value": ["ACME"]}, "00091000": {"vr": "LO", "Value": ["a"]}}
        assert roundtrip(dataset) == dataset

    def test_two_blocks_of_one_creator_stay_apart(self) -> None:
        dataset = {
            "00090010": {"vr": "LO", "Value": ["ACME"]},
            "00090011": {"vr": "LO", "Value": ["ACME"]},
            "00091002": {"vr": "LO", "Value": ["a"]},
            "00091102": {"vr": "LO", "Value": ["b"]},
        }
        assert roundtrip(dataset) == dataset

    def test_one_without_creator_keeps_its_tag(self) -> None:
        dataset = {"00091002": {"vr": "UN", "InlineBinary": "AAE="}}
        assert attributes_of(dataset)[0].attrib == {"tag": "00091002", "vr": "UN"}
        assert roundtrip(dataset) == dataset

    def test_too_many_creators_are_refused(self) -> None:
        xml = "".join(f'<DicomAttribute tag="00090002" vr="LO" privateCreator="C{n}"/>' for n in range(0xF1))
        with pytest.raises(MalformedDicomXml):
            read_dicom_xml(document(xml))


class TestValues:
    def test_empty_ones_among_others_keep_their_place(self) -> None:
        dataset = {"00200037": {"vr": "DS", "Value": [None, 1.5, None, 2]}}
        assert roundtrip(dataset) == dataset
        left_out = '<DicomAttribute tag="00200037" vr="DS"><Value number="2">1.5</Value></DicomAttribute>'
        assert read_dicom_xml(document(left_out))["00200037"]["Value"] == [None, 1.5]

    def test_values_are_ordered_by_their_number(self) -> None:
        content = _attribute('<Value number="2">B</Value><Value number="1">A</Value>')
        assert read_dicom_xml(content)["00100020"]["Value"] == ["A", "B"]

    def test_lines_of_a_text_stay(self) -> None:
        dataset = {"00104000": {"vr": "LT", "Value": ["one\r\ntwo\n\tthree < & > \" ' ]]>"]}}
        assert roundtrip(dataset) == dataset

    def test_what_xml_has_no_way_to_say_is_replaced(self) -> None:
        assert roundtrip({"00104000": {"vr": "LT", "Value": ["a\x0cb\x1b\ud800"]}}) == {
            "00104000": {"vr": "LT", "Value": ["a\ufffdb\ufffd\ufffd"]}
        }

    @pytest.mark.parametrize(
        ("vr", "value"),
        [("UV", "18446744073709551615"), ("DS", "1.23456789012345678"), ("FD", "nan"), ("FL", "-inf")],
    )
    def test_numbers_that_json_would_not_keep_are_texts(self, vr: str, value: str) -> None:
        dataset = {"00081111": {"vr": vr, "Value": [value]}}
        assert roundtrip(dataset) == dataset

    def test_name_parts_that_are_empty_keep_the_place_of_the_others(self) -> None:
        dataset: Json = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Adams^^Quincy^Rev.^B.A."}, None]}}
        name = attributes_of(dataset)[0][0][0]
        assert [(part.tag.removeprefix(Q), part.text) for part in name] == [
            ("FamilyName", "Adams"),
            ("MiddleName", "Quincy"),
            ("NamePrefix", "Rev."),
            ("NameSuffix", "B.A."),
        ]
        assert roundtrip(dataset) == dataset

    def test_group_lengths_are_left_out(self) -> None:
        xml = '<DicomAttribute tag="00080000" vr="UL"><Value number="1">8</Value></DicomAttribute>'
        assert read_dicom_xml(document(xml)) == {}
        assert attributes_of({"00080000": {"vr": "UL", "Value": [8]}}) == []

    def test_bulk_data_by_uuid(self) -> None:
        xml = '<DicomAttribute tag="00090002" vr="OB"><BulkData uuid="0d49f815"/></DicomAttribute>'
        assert read_dicom_xml(document(xml))["00090002"]["BulkDataURI"] == "urn:uuid:0d49f815"

    def test_other_encodings_of_xml(self) -> None:
        xml = '<DicomAttribute tag="00100020" vr="LO"><Value number="1">é</Value></DicomAttribute>'
        for encoding in ("ISO-8859-1", "UTF-16", "windows-1252"):
            content = document(xml, f'<?xml version="1.0" encoding="{encoding}"?>').decode().encode(encoding)
            assert read_dicom_xml(content)["00100020"]["Value"] == ["é"]


def _attribute(content: str, vr: str = "LO", tag: str = "00100020") -> bytes:
    return document(f'<DicomAttribute tag="{tag}" vr="{vr}">{content}</DicomAttribute>')


class TestMalformed:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"not xml",
            b"\xff\xfe\x00",
            document("")[:-1],
            b"<Other/>",
            b'<NativeDicomModel xmlns="urn:other"/>',
            document("<Value>1</Value>"),
            document("text"),
            document('<DicomAttribute vr="LO"/>'),
            document('<DicomAttribute tag="0010002" vr="LO"/>'),
            document('<DicomAttribute tag="00100020"/>'),
            document('<DicomAttribute tag="00100020" vr="ZZ"/>'),
            document('<DicomAttribute tag="00100020" vr="LO"/>' * 2),
            _attribute("text"),
            _attribute("<Value>1</Value><BulkData uri='a'/>"),
            _attribute("<BulkData uri='a'/><BulkData uri='b'/>", "OB"),
            _attribute("<BulkData/>", "OB"),
            _attribute("<InlineBinary>AAE=</InlineBinary>"),
            _attribute("<InlineBinary>%%</InlineBinary>", "OB"),
            _attribute("<Value number='0'>1</Value>"),
            _attribute("<Value number='1'>1</Value><Value number='1'>2</Value>"),
            _attribute("<Value number='1000000000'>1</Value>"),
            _attribute("<Value number='x'>1</Value>"),
            _attribute("<Value>1.5</Value>", "IS"),
            _attribute("<Value>one</Value>", "DS"),
            _attribute("<Value>1.5</Value>", "US"),
            _attribute("<Value>" + "9" * 5000 + "</Value>", "UV"),
            _attribute("<Value>0010</Value>", "AT"),
            _attribute("<Value>Doe^John</Value>", "PN"),
            _attribute("<Value>x</Value>", "SQ"),
            b'<?xml version="1.0" encoding="no-such"?><NativeDicomModel/>',
        ],
    )
    def test_it_is_refused(self, content: bytes) -> None:
        with pytest.raises(MalformedDicomXml):
            read_dicom_xml(content)

    @pytest.mark.parametrize(
        "declaration",
        [
            '<!DOCTYPE NativeDicomModel [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>',
            '<!DOCTYPE NativeDicomModel [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE NativeDicomModel SYSTEM "http://127.0.0.1:1/x.dtd">',
            "<!DOCTYPE NativeDicomModel>",
        ],
    )
    def test_a_document_type_is_refused_with_all_entities(self, declaration: str) -> None:
        with pytest.raises(MalformedDicomXml, match="document type"):
            read_dicom_xml(document("&a;", declaration))

    def test_messages_quote_no_value(self) -> None:
        with pytest.raises(MalformedDicomXml) as found:
            read_dicom_xml(_attribute("<Value>secret</Value>", "DS"))
        assert str(found.value) == "(0010,0020) has a value that is none of VR DS."


class TestLimits:
    def test_depth(self) -> None:
        def nested(depth: int) -> bytes:
            start = '<DicomAttribute tag="00081140" vr="SQ"><Item number="1">'
            return document(start * depth + "</Item></DicomAttribute>" * depth)

        read_dicom_xml(nested(32), Limits(depth=32))
        for depth in (33, 100_000):
            with pytest.raises(MalformedDicomXml):
                read_dicom_xml(nested(depth), Limits(depth=32))

    def test_attributes(self) -> None:
        xml = "".join(f'<DicomAttribute tag="0010{n:04X}" vr="LO"/>' for n in range(1, 12))
        assert len(read_dicom_xml(document(xml), Limits(elements=11))) == 11
        with pytest.raises(MalformedDicomXml):
            read_dicom_xml(document(xml), Limits(elements=10))

    def test_values(self) -> None:
        content = _attribute("<Value>1</Value>" * 11, "DS")
        with pytest.raises(MalformedDicomXml):
            read_dicom_xml(content, Limits(most_elements=10))

    def test_bytes(self) -> None:
        content = _attribute("<Value>" + "x" * 1000 + "</Value>")
        with pytest.raises(MalformedDicomXml):
            read_dicom_xml(content, Limits(loaded_bytes=1000))


_characters = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=12)
_words = _characters.map(str.strip).filter(bool)
_parts = _words.filter(lambda text: not set(text) & set("^=\\"))
_names = st.dictionaries(
    st.sampled_from(["Alphabetic", "Ideographic", "Phonetic"]),
    st.lists(_parts, min_size=1, max_size=5).map("^".join),
    min_size=1,
)
_doubles = st.floats(allow_nan=False, allow_infinity=False)
_integers = st.integers(-(2**53) + 1, 2**53 - 1)
_keys = st.integers(0x00080001, 0x7FDFFFFE).map(lambda tag: f"{tag & 0xFFFEFFFF:08X}")


def _several(values: st.SearchStrategy[Any], vr: str) -> st.SearchStrategy[Json]:
    lists = st.lists(st.one_of(st.none(), values), min_size=1, max_size=4)
    return lists.filter(lambda one: any(value is not None for value in one)).map(
        lambda value: {"vr": vr, "Value": value}
    )


_plain = st.one_of(
    _several(_words, "LO"),
    _several(_names, "PN"),
    _several(_doubles, "FD"),
    _several(_integers, "SL"),
    _several(_integers, "IS"),
    st.sampled_from(
        [{"vr": "OB", "InlineBinary": "AAE="}, {"vr": "SH"}, {"vr": "OW", "BulkDataURI": "bulkdata/1/2"}]
    ),
)
_datasets = st.recursive(
    st.dictionaries(_keys.filter(lambda key: not key.endswith("0000")), _plain, max_size=4),
    lambda inner: st.dictionaries(
        _keys.filter(lambda key: not key.endswith("0000")),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: {"vr": "SQ", "Value": items}),
        max_size=2,
    ),
    max_leaves=6,
)


class TestRoundTrip:
    @given(_datasets)
    def test_of_any_data_set(self, dataset: Json) -> None:
        assert roundtrip(dataset) == dataset

    @given(st.binary(max_size=200))
    def test_bytes_that_are_nothing_raise_one_kind_of_error(self, content: bytes) -> None:
        with pytest.raises(MalformedDicomXml):
            read_dicom_xml(content)

    @given(st.data())
    def test_documents_that_were_changed_raise_one_kind_of_error(self, data: st.DataObject) -> None:
        content = bytearray(document("".join(xml for xml, _ in EQUIVALENTS)))
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(MalformedDicomXml):
            read_dicom_xml(bytes(content))

    @pytest.mark.skipif("DICOM_CORPUS_DIR" not in os.environ, reason="needs the corpus")
    def test_of_the_corpus(self) -> None:
        files = [path for path in sorted(Path(os.environ["DICOM_CORPUS_DIR"]).rglob("*")) if path.is_file()]
        assert sum(map(compare_file, files)) > 100


def compare_file(path: Path) -> bool:
    with path.open("rb") as stream:
        try:
            dataset = header_json(read_header(stream, with_private=True)).dataset
        except FileRefused:
            return False
    assert roundtrip(dataset) == in_xml(dataset)
    return True


def in_xml(dataset: Json) -> Json:
    """What XML cannot keep: delimiters at the end of a name, and control characters."""
    return {key: _attribute_in_xml(attribute) for key, attribute in dataset.items()}


def _attribute_in_xml(attribute: Json) -> Json:
    if "Value" not in attribute:
        return attribute
    convert = {"SQ": in_xml, "PN": _name_in_xml}.get(attribute["vr"], _text_in_xml)
    values = [None if value is None else convert(value) for value in attribute["Value"]]
    return {"vr": attribute["vr"], **({"Value": values} if any(one is not None for one in values) else {})}


def _name_in_xml(name: Json) -> Json | None:
    return {group: text.rstrip("^ ") for group, text in name.items() if text.strip("^ ")} or None


def _text_in_xml(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "".join("\ufffd" if char < " " and char not in "\t\r\n" else char for char in value)
