"""Tables of the index: what was found in the data directory and what it says. Only tables; queries live elsewhere.

The index can always be made again from the files. So values that are only stored and shown are kept as JSON, and
columns exist for what is searched and sorted.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from imageserver.database import Base

UID = String(64)
# Compared by code points, as SQLite does anyway, so that a range of an index is all that begins with some letters.
KEY = Text().with_variant(Text(collation="C"), "postgresql")
INDEX_STATE_ID = 1


class Study(Base):
    """A study (PS3.3 C.7.2)."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    study_date: Mapped[str | None] = mapped_column(String(8))
    study_time: Mapped[str | None] = mapped_column(Text)
    study_description: Mapped[str | None] = mapped_column(Text)
    accession_number: Mapped[str | None] = mapped_column(Text)
    # What its series say together (`study_entries.py`): only shown.
    patient: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    modalities: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")


class Series(Base):
    """A series (PS3.3 C.7.3), with the arrangement of its slices, made again whenever an instance comes or goes."""

    __tablename__ = "series"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    series_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    modality: Mapped[str | None] = mapped_column(Text)
    series_description: Mapped[str | None] = mapped_column(Text)
    series_number: Mapped[int | None] = mapped_column(BigInteger)
    series_date: Mapped[str | None] = mapped_column(String(8))
    series_time: Mapped[str | None] = mapped_column(Text)
    # What the default series is chosen by (docs/decisions/0016: volumes first, segmentations and dose last).
    rank: Mapped[int] = mapped_column(default=0)
    slice_count: Mapped[int] = mapped_column(default=0)
    study_moment: Mapped[str] = mapped_column(Text, default="")
    verdict: Mapped[str] = mapped_column(String(32), default="")
    arrangement: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # The middle slice of the arrangement, so that a list of series need not read that.
    middle_sop_instance_uid: Mapped[str | None] = mapped_column(UID)
    middle_frame_number: Mapped[int | None]
    patient: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    # Instances were added since it was arranged.
    is_stale: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (Index("ix_series_is_stale", id, sqlite_where=is_stale, postgresql_where=is_stale),)


class VolumeEntry(Base):
    """A series with pictures as the list of volumes sorts and filters it: narrow, and each order is an index.

    Follows from the series, its study and its patient (`entries.write_entries`). Texts are folded for sorting; what is
    missing is the empty text, because the databases disagree about the place of NULL.
    """

    __tablename__ = "volume_entries"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    series_instance_uid: Mapped[str] = mapped_column(KEY)
    rank: Mapped[int] = mapped_column()
    slice_count: Mapped[int] = mapped_column()
    study_moment: Mapped[str] = mapped_column(KEY)
    modality: Mapped[str] = mapped_column(KEY)
    verdict: Mapped[str] = mapped_column(KEY)
    patient_name: Mapped[str] = mapped_column(KEY)
    patient_id: Mapped[str] = mapped_column(KEY)
    accession_number: Mapped[str] = mapped_column(KEY)
    description: Mapped[str] = mapped_column(KEY)

    __table_args__ = (
        Index(
            "ix_volume_entries_default",
            rank, slice_count.desc(), study_moment.desc(), series_instance_uid,
            postgresql_include=["series_id"],
        ),
        Index(
            "ix_volume_entries_default_of_modality",
            modality, rank, slice_count.desc(), study_moment.desc(), series_instance_uid,
            postgresql_include=["series_id"],
        ),
        *(
            Index(f"ix_volume_entries_{name}", name, "series_instance_uid", postgresql_include=["series_id"])
            for name in (
                "slice_count", "study_moment", "modality", "verdict", "patient_name", "patient_id",
                "accession_number", "description",
            )
        ),
    )  # fmt: skip


class VolumeWord(Base):
    """A word by which a volume is found (`dicom/search_key.py`): a search for its beginning is a range of the key."""

    __tablename__ = "volume_words"

    word: Mapped[str] = mapped_column(KEY, primary_key=True)
    series_id: Mapped[int] = mapped_column(
        ForeignKey("volume_entries.series_id", ondelete="CASCADE"), primary_key=True
    )

    __table_args__ = (Index("ix_volume_words_series_id_word", series_id, word), {"sqlite_with_rowid": False})


class VolumePrefix(Base):
    """How many volumes have a word that begins so: kept for short beginnings, which take long to count."""

    __tablename__ = "volume_prefixes"

    prefix: Mapped[str] = mapped_column(KEY, primary_key=True)
    volumes: Mapped[int] = mapped_column()


class StudyEntry(Base):
    """A study as the list of studies sorts and filters it; as `VolumeEntry`, made by `study_entries.py`.

    Counts are those of its series with pictures; the series without (reports, presentation states) are counted apart.
    """

    __tablename__ = "study_entries"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(KEY)
    # The series that stands for the study; of a study without pictures the empty text.
    series_instance_uid: Mapped[str] = mapped_column(KEY)
    study_moment: Mapped[str] = mapped_column(KEY)
    modality: Mapped[str] = mapped_column(KEY)
    verdict: Mapped[str] = mapped_column(KEY)
    patient_name: Mapped[str] = mapped_column(KEY)
    patient_id: Mapped[str] = mapped_column(KEY)
    accession_number: Mapped[str] = mapped_column(KEY)
    description: Mapped[str] = mapped_column(KEY)
    series_count: Mapped[int] = mapped_column()
    slice_count: Mapped[int] = mapped_column()
    series_without_pictures: Mapped[int] = mapped_column()

    __table_args__ = tuple(
        Index(f"ix_study_entries_{name}", name, "study_instance_uid", postgresql_include=["study_id"])
        for name in (
            "study_moment", "modality", "verdict", "patient_name", "patient_id", "accession_number", "description",
            "series_count", "slice_count",
        )
    )  # fmt: skip


class StudyWord(Base):
    """A word by which a study is found, or one of its modalities, marked (`entry_words.exactly`)."""

    __tablename__ = "study_words"

    word: Mapped[str] = mapped_column(KEY, primary_key=True)
    study_id: Mapped[int] = mapped_column(
        ForeignKey("study_entries.study_id", ondelete="CASCADE"), primary_key=True
    )

    __table_args__ = (Index("ix_study_words_study_id_word", study_id, word), {"sqlite_with_rowid": False})


class StudyPrefix(Base):
    """How many studies have a word that begins so, or a modality; as `VolumePrefix`."""

    __tablename__ = "study_prefixes"

    prefix: Mapped[str] = mapped_column(KEY, primary_key=True)
    studies: Mapped[int] = mapped_column()


class Instance(Base):
    """A SOP instance, taken from one file.

    One whose header is sound but whose pixel data is not keeps its place among the slices; ``refused_code`` says why
    it cannot be shown.
    """

    __tablename__ = "instances"

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    sop_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    sop_class_uid: Mapped[str | None] = mapped_column(Text)
    transfer_syntax_uid: Mapped[str | None] = mapped_column(Text)
    instance_number: Mapped[int | None] = mapped_column(BigInteger)
    frames: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    patient: Mapped[dict[str, Any]] = mapped_column(JSON)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    refused_code: Mapped[str | None] = mapped_column(String(40))
    refused_reason: Mapped[str | None] = mapped_column(Text)


class File(Base):
    """One path in the data directory and what became of it.

    The path is kept as bytes, because a file name need not be text; its digest is unique, because a path may be longer
    than an index entry.
    """

    __tablename__ = "files"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(LargeBinary)
    path_digest: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    inode: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), index=True)
    code: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)
    sop_instance_uid: Mapped[str | None] = mapped_column(UID, index=True)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instances.id"), index=True)
    # Which reading rules made the row (`reading_rules.stamp`); rows of others are read again.
    read_by: Mapped[str] = mapped_column(String(24), default="", server_default="")
    # What the scrub found in the file that has this size, time and inode; when, in seconds since 1970, 0 for never.
    sha256: Mapped[str | None] = mapped_column(String(64))
    scrubbed: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", index=True)
    # When this row was written, in seconds since 1970; 0 where a former version wrote it.
    read_at: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class MetadataBase(Base):
    """What the metadata of the instances of a series are compressed against; it never changes."""

    __tablename__ = "metadata_bases"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Deletion(Base):
    """An instance that an administrator deleted, and where its file is.

    ``trash`` names the file in the trash of the store; where it is NULL, the file lies in the data directory, which is
    never changed, and is hidden: every file there that has this UID.
    """

    __tablename__ = "deletions"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(UID, index=True)
    series_instance_uid: Mapped[str] = mapped_column(UID)
    sop_instance_uid: Mapped[str] = mapped_column(UID, index=True)
    path: Mapped[bytes] = mapped_column(LargeBinary)
    trash: Mapped[str | None] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    deleted_at: Mapped[int] = mapped_column(BigInteger)  # seconds since 1970
    deleted_by: Mapped[str] = mapped_column(String(64))


class InstanceMetadata(Base):
    """The header of an instance as DICOM JSON (PS3.18 F), packed (`made_metadata.pack`) against the base of its series.

    Apart from the instances, so that no list of them drags it along.
    """

    __tablename__ = "instance_metadata"

    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True)
    made_by: Mapped[str] = mapped_column(String(24))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class StudyHeader(Base):
    """The attributes of a study in the DICOM JSON model, those that are counted included: what searches answer."""

    __tablename__ = "study_headers"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class StudyKey(Base):
    """A value of an attribute of a study as searches compare it (`dicom/matching_values.py`)."""

    __tablename__ = "study_keys"

    tag: Mapped[str] = mapped_column(KEY, primary_key=True)
    value: Mapped[str] = mapped_column(KEY, primary_key=True)
    study_id: Mapped[int] = mapped_column(
        ForeignKey("study_headers.study_id", ondelete="CASCADE"), primary_key=True
    )

    __table_args__ = (Index("ix_study_keys_study_id_tag", study_id, tag), {"sqlite_with_rowid": False})


class SeriesHeader(Base):
    """The attributes of a series, as `StudyHeader`."""

    __tablename__ = "series_headers"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    # What its instance said of the study: the study's attributes are those of the series that stands for it.
    study_content: Mapped[str] = mapped_column(Text)
    instance_count: Mapped[int] = mapped_column()
    sop_classes: Mapped[list[str]] = mapped_column(JSON)


class SeriesKey(Base):
    """A value of an attribute of a series, as `StudyKey`."""

    __tablename__ = "series_keys"

    tag: Mapped[str] = mapped_column(KEY, primary_key=True)
    value: Mapped[str] = mapped_column(KEY, primary_key=True)
    series_id: Mapped[int] = mapped_column(
        ForeignKey("series_headers.series_id", ondelete="CASCADE"), primary_key=True
    )

    __table_args__ = (Index("ix_series_keys_series_id_tag", series_id, tag), {"sqlite_with_rowid": False})


class IndexState(Base):
    """One row: how far the index is, and which process keeps it."""

    __tablename__ = "index_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16), default="building")
    data_directory: Mapped[str] = mapped_column(Text, default="")
    seen: Mapped[int] = mapped_column(default=0)
    indexed: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    # Files that the present look has still to read, and how long that may take.
    pending: Mapped[int] = mapped_column(default=0, server_default="0")
    remaining_seconds: Mapped[float | None]
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[float] = mapped_column(default=0.0)
