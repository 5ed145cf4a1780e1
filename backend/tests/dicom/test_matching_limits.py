"""What one search may ask for at most."""

import pytest

from imageserver.dicom.matching import Key
from imageserver.dicom.matching_keys import KeyRefused, Options, attribute_path, parse_keys
from imageserver.dicom.matching_limits import MOST_CONDITIONS, MOST_LISTED

ALL = Options(is_fuzzy=True, is_multiple_matched=True)
LITERAL = Options(is_multiple_matched=True)


def keys(wanted: dict[str, str], options: Options = LITERAL) -> tuple[Key, ...]:
    return parse_keys([(attribute_path(name), text) for name, text in wanted.items()], options).keys


def several(count: int, text: str = "{}") -> str:
    return "\\".join(text.format(number) for number in range(1, count + 1))


def private(count: int, prefix: str = "") -> dict[str, str]:
    return {f"{prefix}0009{number:04X}": "1" for number in range(0x1000, 0x1000 + count)}


@pytest.mark.parametrize(
    "wanted",
    [
        {"PatientID": several(MOST_CONDITIONS + 1, "{}*")},
        {"StudyDate": several(MOST_CONDITIONS + 1, "20200101-{:08}")},
        {"PatientName": several(40, "{}*=a*=b*")},
        private(MOST_CONDITIONS + 1),
        private(MOST_CONDITIONS + 1, "RequestAttributesSequence."),
        private(60) | {"PatientID": several(60, "{}*")},
        {
            tag: several(1000)
            for tag in [*private(MOST_LISTED // 1000 + 1, "RequestAttributesSequence.")]
        },
    ],
    ids=["wild cards", "ranges", "groups", "keys", "keys of items", "together", "lists"],
)  # fmt: skip
def test_more_than_databases_take(wanted: dict[str, str]) -> None:  # T33
    with pytest.raises(KeyRefused, match="At most"):
        keys(wanted)


def test_words_of_names_count_each() -> None:
    with pytest.raises(KeyRefused, match="conditions"):
        keys({"PatientName": several(20, "a{0} b{0} c{0} d{0} e{0} f{0}")}, ALL)


def test_what_is_just_enough() -> None:
    assert keys({"PatientID": several(MOST_CONDITIONS, "{}*")})
    assert keys(private(MOST_CONDITIONS))
    assert keys({"StudyInstanceUID": several(1000, "1.2.{}")})
    assert keys(dict.fromkeys(private(MOST_LISTED // 1000), several(1000)))


def test_keys_without_a_value_do_not_count() -> None:
    assert keys(dict.fromkeys(private(300), "")) == ()
