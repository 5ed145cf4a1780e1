"""The Store Instances Response Module: what became of each instance, and the status of the whole.

References
----------
DICOM PS3.18 10.5.3, table 10.5.3-1; I.2
"""

from collections.abc import Iterable, Sequence
from typing import Any

from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState

RETRIEVE_URL = "00081190"
_FAILED_SOP_SEQUENCE, _FAILURE_REASON = "00081198", "00081197"
_REFERENCED_SOP_SEQUENCE, _OTHER_FAILURES_SEQUENCE = "00081199", "0008119A"
_SOP_CLASS_UID, _SOP_INSTANCE_UID = "00081150", "00081155"

Item = dict[str, dict[str, Any]]


def status_of(outcomes: Iterable[StoreOutcome]) -> int:
    """Return the status: all stored, some, or none."""
    reasons = [outcome.failure_reason for outcome in outcomes]
    failed = [reason for reason in reasons if reason is not None]
    if not failed:
        return 200
    if len(failed) < len(reasons):
        return 202
    if all(reason is FailureReason.OUT_OF_RESOURCES for reason in failed):
        return 507
    return 409


def response_dataset(outcomes: Sequence[StoreOutcome], root: str) -> Item:
    """Describe what became of the instances, in the DICOM JSON model.

    Parameters
    ----------
    outcomes : sequence of StoreOutcome
        In the order in which the instances came.
    root : str
        The address that the services of DICOMweb begin with.
    """
    stored = [outcome for outcome in outcomes if outcome.state is not StoreState.REFUSED]
    failed = [outcome for outcome in outcomes if outcome.state is StoreState.REFUSED]
    named = [one for one in failed if one.sop_class_uid and one.sop_instance_uid]
    others = [one for one in failed if not (one.sop_class_uid and one.sop_instance_uid)]
    studies = {outcome.study_instance_uid for outcome in stored}
    addresses = [f"{root}/studies/{study}" for study in studies] if len(studies) == 1 else []
    answer: Item = {RETRIEVE_URL: _element("UR", addresses)}
    if named:
        answer[_FAILED_SOP_SEQUENCE] = _element(
            "SQ", [{**_reference(outcome), **_reason(outcome)} for outcome in named]
        )
    if stored:
        answer[_REFERENCED_SOP_SEQUENCE] = _element("SQ", [_stored(outcome, root) for outcome in stored])
    if others:
        answer[_OTHER_FAILURES_SEQUENCE] = _element("SQ", [_reason(outcome) for outcome in others])
    return answer


def _stored(outcome: StoreOutcome, root: str) -> Item:
    address = (
        f"{root}/studies/{outcome.study_instance_uid}/series/{outcome.series_instance_uid}"
        f"/instances/{outcome.sop_instance_uid}"
    )
    return {**_reference(outcome), RETRIEVE_URL: _element("UR", [address])}


def _reference(outcome: StoreOutcome) -> Item:
    return {
        _SOP_CLASS_UID: _element("UI", [outcome.sop_class_uid]),
        _SOP_INSTANCE_UID: _element("UI", [outcome.sop_instance_uid]),
    }


def _reason(outcome: StoreOutcome) -> Item:
    assert outcome.failure_reason is not None
    return {_FAILURE_REASON: _element("US", [int(outcome.failure_reason)])}


def _element(vr: str, values: list[Any]) -> dict[str, Any]:
    return {"vr": vr, "Value": values} if values else {"vr": vr}
