import pytest

from imageserver.dicom.splitting import LAST_RESORTS, SPLITTING_ATTRIBUTES, natural_order, words_for


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("echo_time", "30", "echo time 30 ms"),
        ("b_value", "1000", "b-value 1000 s/mm²"),
        ("acquisition_time", "123456.25", "acquired at 12:34:56.25"),
        ("acquisition_time", "20260102123456+0100", "acquired at 12:34:56"),
        ("acquisition_time", "nonsense", "acquired at nonsense"),
        ("image_type", "DERIVED\\PRIMARY", "image type DERIVED / PRIMARY"),
        ("complex_component", "REAL", "real"),
        ("echo", None, "no echo"),
    ],
)
def test_words_for_people(name: str, value: str | None, words: str) -> None:
    assert words_for((name,), (value,)) == words


def test_natural_order() -> None:
    values = [None, "phase 10", "phase 9", "10", "1.5e+03", "9", "-1", "A"]
    expected = ["-1", "9", "10", "1.5e+03", "A", "phase 9", "phase 10", None]
    assert sorted(values, key=natural_order) == expected


def test_what_only_looks_like_a_number_is_a_text() -> None:
    # As numbers they would compare with nothing, and the order would be that of arrival.
    assert sorted(["nan", "inf", "3", "9" * 400], key=natural_order)[0] == "3"
    assert sorted(["b", "nan", "a"], key=natural_order) == ["a", "b", "nan"]


def test_each_attribute_has_one_name() -> None:
    names = (*SPLITTING_ATTRIBUTES, *LAST_RESORTS)
    assert len(set(names)) == len(names)
