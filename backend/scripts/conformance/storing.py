"""Storing: the Failure Reasons that an answer may have, and the status codes that follow."""

from imageserver.api.dicomweb.store_answer import status_of
from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState
from scripts.conformance.document import table

MEANINGS = {
    FailureReason.PROCESSING_FAILURE: "the disk or the database failed; the instance can be sent again",
    FailureReason.DUPLICATE_INSTANCE: "an instance with this SOP Instance UID and other bytes is there",
    FailureReason.OUT_OF_RESOURCES: "there is no room",
    FailureReason.DOES_NOT_MATCH_SOP_CLASS: "file meta information and data set name different SOP Classes",
    FailureReason.OTHER_STUDY: "the Study Instance UID is not the one of the address, or not that of its series here",
    FailureReason.CANNOT_UNDERSTAND: "not DICOM, damaged, without UIDs, or beyond the limits",
}


def failure_reason_table() -> str:
    """Failure Reason (0008,1197), and the status where all instances of a request have it."""
    rows = (
        (f"`{reason:04X}`", MEANINGS[reason], str(status_of([_refused(reason)]))) for reason in FailureReason
    )
    return table(("Failure Reason", "meaning", "status where no instance was stored"), rows)


def _refused(reason: FailureReason) -> StoreOutcome:
    return StoreOutcome(StoreState.REFUSED, failure_reason=reason)
