"""The table of audit records. Rows are only ever added; they name accounts by value, so that they outlive them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from imageserver.database import Base, UtcDateTime


class Kind(StrEnum):
    """What happened."""

    LOGIN = "login"
    LOGOUT = "logout"
    SETUP = "setup"
    USER_ADDED = "user_added"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of record, not a password
    PASSWORD_RESET = "password_reset"  # noqa: S105
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    AUDIT_READ = "audit_read"
    STUDIES = "studies"
    STUDY = "study"
    THUMBNAIL = "thumbnail"
    VOLUMES = "volumes"
    VOLUME = "volume"
    PATIENT = "patient"
    SLICE = "slice"
    FRAMES = "frames"
    METADATA = "metadata"
    RETRIEVED = "retrieved"
    SEARCH = "search"
    RESLICE = "reslice"
    FILE_PROBLEMS = "file_problems"
    MEASUREMENTS = "measurements"
    MEASUREMENTS_EXPORTED = "measurements_exported"
    MEASUREMENT_SAVED = "measurement_saved"
    MEASUREMENT_DELETED = "measurement_deleted"
    STORED = "stored"
    DELETED = "deleted"
    RESTORED = "restored"
    PURGED = "purged"
    SECURITY_ALERT = "security_alert"  # 110113 of DICOM PS3.16; `reason` says of what


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"


class AuditEvent(Base):
    """One record: who (account, session or token, client address), what (kind, UIDs), when, how it ended."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "session_id", "series_instance_uid", "kind", "time"),
        Index(None, "session_id", "study_instance_uid", "kind", "time"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    time: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    user_id: Mapped[str | None] = mapped_column(String(32))
    username: Mapped[str] = mapped_column(String(64))
    subject_username: Mapped[str | None] = mapped_column(String(64))
    session_id: Mapped[str | None] = mapped_column(String(32))
    study_instance_uid: Mapped[str | None] = mapped_column(String(64))
    series_instance_uid: Mapped[str | None] = mapped_column(String(64))
    sop_instance_uid: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    client_address: Mapped[str | None] = mapped_column(String(64))
    token_id: Mapped[str | None] = mapped_column(String(32))
    token_name: Mapped[str | None] = mapped_column(String(64))
