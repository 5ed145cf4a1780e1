"""The table of measurements. Each row belongs to one user, and outlives the files that it was made on."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from imageserver.database import Base, UtcDateTime

ID_LENGTH = 36
UID_LENGTH = 64


class Measurement(Base):
    """A measurement of one user; the user is part of the key, so that the identifiers of two never meet.

    No foreign key leads to the index: it can be made again from the files, and files vanish for a while. With the
    account its measurements go.
    """

    __tablename__ = "measurements"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    version: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(Text)
    study_instance_uid: Mapped[str] = mapped_column(String(UID_LENGTH))
    series_instance_uid: Mapped[str] = mapped_column(String(UID_LENGTH))
    sop_instance_uid: Mapped[str] = mapped_column(String(UID_LENGTH))
    frame_number: Mapped[int]
    plane: Mapped[str] = mapped_column(String(16))
    points: Mapped[list[list[float]]] = mapped_column(JSON)
    measured: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    updated: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(None, "user_id", "study_instance_uid"),
        Index(None, "user_id", "series_instance_uid"),
    )
