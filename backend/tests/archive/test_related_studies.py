"""Which studies are of one patient: a wrong one beside a patient's own is worse than a missing one."""

from typing import Any

import pytest

from imageserver.archive.related_studies import is_same_patient

JANE: dict[str, Any] = {
    "patient_id": "7",
    "issuer_of_patient_id": "Hospital A",
    "raw": "Doe^Jane",
    "birth_date": "19600102",
    "sex": "F",
}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"raw": "DOE^JANE^^Dr"},
        {"raw": "Doe^Jane=山田^太郎"},
        {"raw": "Doe^J"},
        {"raw": "Doé^Jane"},
        {"raw": "Roe^Jane"},  # after a marriage: the birth date is the same
        {"birth_date": None},
        {"sex": None},
    ],
)
def test_is_the_same(other: dict[str, Any]) -> None:
    assert is_same_patient(JANE, {**JANE, **other})
    assert is_same_patient({**JANE, **other}, JANE)


@pytest.mark.parametrize(
    "other",
    [
        {"patient_id": "8"},
        {"patient_id": None},
        {"issuer_of_patient_id": "Hospital B"},
        {"issuer_of_patient_id": None},
        {"raw": "Roe^Richard"},
        {"raw": "Roe^Jane", "birth_date": None},
        {"raw": "D^J"},
        {"raw": None},
        {"birth_date": "19600103"},
        {"sex": "M"},
    ],
)
def test_is_another_or_nobody_knows(other: dict[str, Any]) -> None:
    assert not is_same_patient(JANE, {**JANE, **other})
    assert not is_same_patient({**JANE, **other}, JANE)


def test_without_names_the_birth_date_has_to_tell() -> None:
    nameless = {**JANE, "raw": None}
    assert is_same_patient(nameless, nameless)
    assert not is_same_patient({**nameless, "birth_date": None}, {**nameless, "birth_date": None})
