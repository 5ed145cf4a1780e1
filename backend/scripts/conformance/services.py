"""The services of DICOMweb: resources, media types, parameters, status codes, transfer syntaxes that are sent."""

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from imageserver import errors
from imageserver.api.dicomweb.description import Resource, Transaction, dicomweb_resources
from imageserver.api.problems import CODES_OF_STATUS, status_of
from imageserver.dicom.transcoding import targets_of
from imageserver.dicom.transfer_syntax import transfer_syntax_name
from imageserver.main import create_app
from imageserver.settings import Settings
from scripts.conformance.document import table

PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; Python changed its names
_SHORT = {"study_instance_uid": "study", "series_instance_uid": "series", "sop_instance_uid": "instance"}
_TEMPLATE = re.compile(r"{(\w+)(?::\w+)?}")
# Codes that other parts of the API have.
_ELSEWHERE = {
    "conflict", "gone", "invalid_credentials", "measurement_changed", "measurement_not_found", "no_volume",
    "origin_not_allowed", "precondition_failed", "precondition_required", "setup_done", "slice_not_found",
    "token_not_found", "too_many_measurements", "too_many_tokens", "unavailable", "volume_changed", "weak_password",
}  # fmt: skip
_STORED = "1.2.840.10008.1.2"  # which no answer is made in: what comes beside it can be had of every instance


@cache
def resources() -> tuple[Resource, ...]:
    """Return the resources of a server that is configured to offer all."""
    with TemporaryDirectory() as folder:
        places = {name: Path(folder, name) for name in ("data_dir", "state_dir", "store_dir")}
        for place in places.values():
            place.mkdir(mode=0o700)
        app = create_app(Settings.model_validate(places))
        found = dicomweb_resources(app.routes)
        app.state.database.dispose()
    return found


def transactions() -> Iterator[tuple[str, Transaction]]:
    """Yield every request, as it is written in the document, with its transaction."""
    for resource in resources():
        path = _TEMPLATE.sub(lambda match: f"{{{_SHORT.get(match[1], match[1])}}}", resource.path)
        for transaction in resource.transactions:
            yield f"{transaction.method} {path}", transaction


def resource_table() -> str:
    """What every request does, takes and gives."""
    rows = (
        (f"`{request}`", one.title, _list(one.takes), _list(one.gives)) for request, one in transactions()
    )
    return table(("request", "what it does", "takes", "gives"), rows)


def parameter_table() -> str:
    """The query parameters and the status codes of every request."""
    rows = (
        (f"`{request}`", _list(one.parameters), ", ".join(map(str, one.statuses)))
        for request, one in transactions()
    )
    return table(("request", "query parameters", "status codes"), rows)


def status_table() -> str:
    """The status codes of all requests, with the codes that a problem document may have."""
    used = sorted({status for _, one in transactions() for status in one.statuses} | {404, 405, 500})
    rows = (
        (str(status), PHRASES.get(status) or HTTPStatus(status).phrase, _list(sorted(codes_of(status))))
        for status in used
    )
    return table(("status", "meaning", "codes of its problem document"), rows)


def codes_of(status: int) -> set[str]:
    """Return the codes of problems that have this status below ``/dicomweb``."""
    kinds, found = [errors.AppError], set()
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        example = kind("", retry_after=1) if issubclass(kind, errors.TooMany) else kind("")
        if status_of(example, "/dicomweb/") == status:
            found.add(kind.code)
    if status in CODES_OF_STATUS:
        found.add(CODES_OF_STATUS[status])
    return found - _ELSEWHERE - ({errors.AppError.code} if status < 500 else set())


def sent_syntaxes() -> tuple[str, ...]:
    """Return the transfer syntaxes that every instance with readable pixel data can be had in."""
    return targets_of(_STORED, has_pixel_data=True)[1:]


def sent_syntax_table() -> str:
    """The transfer syntaxes that instances can be had in, whatever they are stored in."""
    plain = targets_of(_STORED, has_pixel_data=False)
    rows = [
        (
            transfer_syntax_name(uid),
            f"`{uid}`",
            "every instance" if uid in plain else "instances with pixel data",
        )
        for uid in sent_syntaxes()
    ]
    return table(("transfer syntax", "UID", "of"), [("as stored", "", "every instance"), *rows])


def _list(words: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "–"
