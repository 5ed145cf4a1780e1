"""Search: how values match by VR, tried with a key of each kind; and the attributes that are answered by level."""

from pydicom.datadict import dictionary_description, keyword_for_tag

from imageserver.api.dicomweb import search_results
from imageserver.dicom.matching import Between, Condition, Empty, Groups, Like, OneOf, Words
from imageserver.dicom.matching_keys import LITERAL, KeyRefused, Options, attribute_path, parse_keys
from scripts.conformance.document import table

# An attribute of each VR that can be searched for, a value of it, and a range of such values.
EXAMPLES = {
    "UI": ("SOPInstanceUID", "1.2.3", "1.2-1.3"),
    "CS": ("Modality", "CT", "CT-MR"),
    "PN": ("PatientName", "Doe^Jane", "A-B"),
    "LO": ("PatientID", "A-1", "A-B"),
    "SH": ("AccessionNumber", "A1", "A-B"),
    "LT": ("PatientComments", "text", "A-B"),
    "ST": ("InstitutionAddress", "text", "A-B"),
    "UT": ("LabelText", "text", "A-B"),
    "UC": ("LongCodeValue", "text", "A-B"),
    "AE": ("RetrieveAETitle", "HERE", "A-B"),
    "AS": ("PatientAge", "030Y", "030Y-040Y"),
    "DA": ("StudyDate", "20260102", "20260102-20260103"),
    "TM": ("StudyTime", "1200", "1200-1300"),
    "DT": ("AcquisitionDateTime", "20260102", "20260102-20260103"),
    "IS": ("SeriesNumber", "1", "1-2"),
    "DS": ("SliceThickness", "1.5", "1-2"),
    "US": ("Rows", "512", "1-2"),
    "AT": ("FrameIncrementPointer", "00181063", "1-2"),
}
_LEVELS = {
    "study": search_results._STUDY,
    "series": search_results._SERIES,
    "instance": search_results._INSTANCE,
}


def kinds_of_tests(keyword: str, text: str, options: Options) -> set[type]:
    """Return the kinds of tests that a key becomes; none where it is refused."""
    try:
        keys = parse_keys([(attribute_path(keyword), text)], options).keys
    except KeyRefused:
        return set()
    return {type(test) for key in keys if isinstance(key, Condition) for test in key.tests}


def lists_values(keyword: str, span: str, options: Options) -> bool:
    """Tell whether two values with a backslash between are two values."""
    try:
        keys = parse_keys([(attribute_path(keyword), span.replace("-", "\\"))], options).keys
    except KeyRefused:
        return False
    tests = [test for key in keys if isinstance(key, Condition) for test in key.tests]
    return any(isinstance(test, OneOf) and len(test.texts) == 2 for test in tests)


def matching_of(vr: str) -> tuple[str, ...]:
    """Say of a VR which types of matching there are, in the order of the table."""
    keyword, value, span = EXAMPLES[vr]
    single = bool(kinds_of_tests(keyword, value, LITERAL) & {OneOf, Groups, Between})
    wild = bool(kinds_of_tests(keyword, f"{value[:1]}*", LITERAL) & {Like, Groups})
    ranged = Between in kinds_of_tests(keyword, span, LITERAL)
    fuzzy = Words in kinds_of_tests(keyword, value, Options(is_fuzzy=True))
    empty = Empty in kinds_of_tests(keyword, '""', Options(is_empty_matched=True))
    if lists_values(keyword, span, LITERAL):
        listed = "always"
    else:
        can_list = lists_values(keyword, span, Options(is_multiple_matched=True))
        listed = "`multiplevaluematching`" if can_list else "–"
    return (
        "yes" if single else "–",
        "yes" if wild else "–",
        "yes" if ranged else "–",
        listed,
        "`fuzzymatching`" if fuzzy else "–",
        "`emptyvaluematching`" if empty else "–",
    )


def matching_table() -> str:
    """Types of matching by VR (PS3.4 C.2.2.2)."""
    head = ("VR", "single value", "wild card", "range", "list", "fuzzy", "empty value")
    return table(head, ((vr, *matching_of(vr)) for vr in EXAMPLES))


def returned_table() -> str:
    """The attributes that are answered unasked."""
    rows = (
        (level, dictionary_description(int(tag, 16)), f"({tag[:4]},{tag[4:]})", f"`{keyword_for_tag(int(tag, 16))}`",
         "where there is a value" if tag in search_results._CONDITIONAL else "always")
        for level, tags in _LEVELS.items()
        for tag in sorted(tags)
    )  # fmt: skip
    return table(("level", "attribute", "tag", "keyword", "answered"), rows)
