"""What became of an instance that somebody sent, in the words of the standard; without a word of HTTP or DIMSE."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class StoreState(StrEnum):
    """What became of it."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same bytes are there: a success
    REFUSED = "refused"


class FailureReason(IntEnum):
    """Failure Reason (0008,1197).

    References
    ----------
    DICOM PS3.18 I.2.2; PS3.4 B.2.3; PS3.7 C.5 (duplicate SOP instance)
    """

    PROCESSING_FAILURE = 0x0110
    DUPLICATE_INSTANCE = 0x0111
    OUT_OF_RESOURCES = 0xA700
    DOES_NOT_MATCH_SOP_CLASS = 0xA900
    OTHER_STUDY = 0xA901  # of A9xx: the Study Instance UID is not the one that was asked for
    CANNOT_UNDERSTAND = 0xC000


@dataclass(frozen=True)
class StoreOutcome:
    """What became of one instance.

    Attributes
    ----------
    state : StoreState
    sop_class_uid, sop_instance_uid, study_instance_uid, series_instance_uid : str or None
        As the file says; None where it cannot be told.
    failure_reason : FailureReason or None
        Of a refused one.
    code : str or None
        Why it was refused, as in docs/problems.md.
    message : str or None
        The same as a sentence; no value of the file in it.
    """

    state: StoreState
    sop_class_uid: str | None = None
    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    failure_reason: FailureReason | None = None
    code: str | None = None
    message: str | None = None
