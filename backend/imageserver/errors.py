"""The tree of errors. Every room raises these; only ``api.problems`` knows which HTTP status each one gets.

::

    AppError
      NotFound            NoVolume  SeriesNotFound  InstanceNotFound  SliceNotFound
                          StudyNotFound  MeasurementNotFound  TokenNotFound
      Invalid             InvalidParameter  MalformedBody  WeakPassword
      Unauthenticated     NotAuthenticated  InvalidToken  InvalidCredentials  TokenExpired  SessionEnded
      Forbidden           OriginNotAllowed  InsufficientScope
      Conflict            SetupDone  TooManyMeasurements  TooManyTokens  VolumeChanged
      PreconditionFailed  MeasurementChanged
      PreconditionRequired
      Gone                FileGone  FileReplaced  IntegrityMismatch
      NotAcceptable
      NotOffered
      RangeNotSatisfiable
      TooLarge
      TooSlow
      UnsupportedMediaType


      TooLarge            SearchTooBroad
      TooMany             TooManyAttempts  TooManyRequests
      Undecodable         UnsupportedTransferSyntax  UndecodableFrame  NotAVolume
      Unavailable         DatabaseUnavailable  DataDirectoryUnavailable  StoreUnavailable  Busy
      StorageFull         StoreFull

``code`` is the stable machine-readable name of the problem, ``title`` its short text. The message given to the
constructor says what is wrong this time; it never carries a patient's name, ID or birth date, nor a path.
"""

from typing import Any, ClassVar


class AppError(Exception):
    """An expected failure, told to the client by its code.

    Parameters
    ----------
    detail : str
        One sentence for people: what is wrong, which value was found, what is allowed.
    **members
        Further members of the problem document, JSON serialisable (RFC 9457, section 3.2).
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class NotFound(AppError):
    """Nothing is at this address."""

    code = "not_found"
    title = "Not found"


class NoVolume(NotFound):
    """The data directory holds nothing that could be shown."""

    code = "no_volume"
    title = "No DICOM volume found in the data directory"


class StudyNotFound(NotFound):
    """No study has this Study Instance UID."""

    code = "study_not_found"
    title = "Study not found"


class SeriesNotFound(NotFound):
    """No series has this Series Instance UID."""

    code = "series_not_found"
    title = "Series not found"


class InstanceNotFound(NotFound):
    """No instance has this SOP Instance UID."""

    code = "instance_not_found"
    title = "Instance not found"


class SliceNotFound(NotFound):
    """The series has no such stack or slice."""

    code = "slice_not_found"
    title = "Slice not found"


class MeasurementNotFound(NotFound):
    """The user has no measurement by this identifier."""

    code = "measurement_not_found"
    title = "Measurement not found"


class TokenNotFound(NotFound):
    """The user has no token by this identifier."""

    code = "token_not_found"
    title = "Token not found"


class Invalid(AppError):
    """The request cannot be understood."""

    code = "invalid_parameter"
    title = "Invalid parameter"


class InvalidParameter(Invalid):
    """A parameter has a value outside its range."""


class MalformedBody(Invalid):
    """The body of the request is not what its type says."""

    code = "malformed_body"
    title = "Malformed body"


class WeakPassword(Invalid):
    """The chosen password breaks the password rule (NIST SP 800-63B-4, section 3.1.1.2)."""

    code = "weak_password"
    title = "Password not accepted"


class Unauthenticated(AppError):
    """Who is asking is not known."""

    code = "not_authenticated"
    title = "Not authenticated"


class NotAuthenticated(Unauthenticated):
    """No token came with the request, or one in a form that is not understood."""


class InvalidToken(NotAuthenticated):
    """The token that came is not one of ours, or was changed."""


class InvalidCredentials(Unauthenticated):
    """User name and password do not belong together, or the account may not be used."""

    code = "invalid_credentials"
    title = "User name or password is wrong"


class TokenExpired(Unauthenticated):
    """The access token was good, and has run out."""

    code = "token_expired"
    title = "Access token expired"


class SessionEnded(Unauthenticated):
    """The session behind the token or cookie has ended."""

    code = "session_ended"
    title = "Session ended"


class Forbidden(AppError):
    """Known, and not allowed."""

    code = "forbidden"
    title = "Forbidden"


class OriginNotAllowed(Forbidden):
    """The page that sent the request is not on the list of allowed origins."""

    code = "origin_not_allowed"
    title = "Origin not allowed"


class InsufficientScope(Forbidden):
    """The token of a program does not reach this far (RFC 6750, section 3.1). ``scope`` names the rights that do."""

    def __init__(self, detail: str, *, scope: str | None = None, **members: Any) -> None:
        super().__init__(detail, **members)
        self.scope = scope


class Conflict(AppError):
    """The request contradicts the present state."""

    code = "conflict"
    title = "Conflict"


class SetupDone(Conflict):
    """The first account exists already."""

    code = "setup_done"
    title = "Set-up is already done"


class TooManyMeasurements(Conflict):
    """The user has as many measurements in the study as are kept."""

    code = "too_many_measurements"
    title = "Too many measurements"


class TooManyTokens(Conflict):
    """The user has as many tokens for programs as are kept."""

    code = "too_many_tokens"
    title = "Too many tokens"


class PreconditionFailed(AppError):
    """What the client knows is not the present state any more."""

    code = "precondition_failed"
    title = "Precondition failed"


class MeasurementChanged(PreconditionFailed):
    """The measurement is not as the client last saw it; the member `measurement` is the present one, null if gone."""

    code = "measurement_changed"
    title = "Measurement changed"


class PreconditionRequired(AppError):
    """The client must say which state it knows."""

    code = "precondition_required"
    title = "Precondition required"


class VolumeChanged(Conflict):
    """The slices are others than those of the version that was asked for."""

    code = "volume_changed"
    title = "The volume has changed"


class Gone(AppError):
    """What was here is not any more."""

    code = "gone"
    title = "Gone"


class FileGone(Gone):
    """The file behind this instance was removed after it was indexed."""

    code = "file_gone"
    title = "File removed"


class FileReplaced(Gone):
    """The file behind this instance now holds something else."""

    code = "file_replaced"
    title = "File replaced"


class IntegrityMismatch(Gone):
    """The content of the file is not the one that was indexed, although nothing else of it has changed."""

    code = "integrity_mismatch"
    title = "File damaged"


class NotAcceptable(AppError):
    """The server has nothing in a form that the client accepts."""

    code = "not_acceptable"
    title = "Not acceptable"


class RangeNotSatisfiable(AppError):
    """None of the bytes that were asked for are there."""

    code = "range_not_satisfiable"
    title = "Range not satisfiable"


class TooLarge(AppError):
    """The request body is larger than this address accepts."""

    code = "content_too_large"
    title = "Content too large"


class UnsupportedMediaType(AppError):
    """The body of the request is of a type that is not read here."""

    code = "unsupported_media_type"
    title = "Unsupported media type"


class TooSlow(AppError):
    """The body of the request did not come in time."""

    code = "request_timeout"
    title = "Request timed out"


class NotOffered(AppError):
    """The server is not set up for this."""

    code = "store_not_configured"
    title = "Nothing can be stored here"


class SearchTooBroad(TooLarge):
    """Answering the search would take looking into too many data sets (PS3.18 10.6.3)."""

    code = "search_too_broad"
    title = "Search too broad"


class TooMany(AppError):
    """More than is allowed in this time. ``retry_after`` is in seconds."""

    def __init__(self, detail: str, *, retry_after: int, **members: Any) -> None:
        super().__init__(detail, **members)
        self.retry_after = retry_after


class TooManyAttempts(TooMany):
    """Too many failed log-ins for this account or from this address."""

    code = "too_many_attempts"
    title = "Too many attempts"


class TooManyRequests(TooMany):
    """More costly requests of one user at the same time than are answered."""

    code = "too_many_requests"
    title = "Too many requests"


class Undecodable(AppError):
    """The picture cannot be made from what is in the file."""

    code = "undecodable_frame"
    title = "Frame cannot be decoded"


class UnsupportedTransferSyntax(Undecodable):
    """No decoder exists for the transfer syntax of the file."""

    code = "unsupported_transfer_syntax"
    title = "Transfer syntax not supported"


class UndecodableFrame(Undecodable):
    """The pixel data of the frame is damaged, or contradicts its description."""


class NotAVolume(Undecodable):
    """The slices do not fill space, so that nothing else can be cut from them. ``reason`` is a code of its own."""

    code = "not_a_volume"
    title = "Not a volume"


class Unavailable(AppError):
    """A part that is needed is not there just now. ``retry_after`` is in seconds."""

    code = "unavailable"
    title = "Unavailable"
    retry_after: ClassVar[int] = 5


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"
    title = "Database unavailable"


class DataDirectoryUnavailable(Unavailable):
    """The data directory vanished, became empty, or cannot be read."""

    code = "data_directory_unavailable"
    title = "Data directory unavailable"


class StoreUnavailable(Unavailable):
    """The folder for what clients store vanished, or cannot be written."""

    code = "store_unavailable"
    title = "Store unavailable"


class Busy(Unavailable):
    """All places for costly work are taken."""

    code = "busy"
    title = "Busy"


class StorageFull(AppError):
    """There is no room left in the state directory."""

    code = "storage_full"
    title = "Storage full"


class StoreFull(StorageFull):
    """There is no room left in the store."""
