"""How whole instances are sent: alone or as parts, and in which transfer syntaxes (PS3.18 8.7.3, 10.4.4)."""

from typing import NamedTuple

from fastapi import Request

from imageserver.api.dicomweb.accept import DICOM, MULTIPART, accepted
from imageserver.api.multipart import OCTETS
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN
from imageserver.errors import NotAcceptable


class DicomAnswer(NamedTuple):
    """One way of sending that the client accepts.

    Attributes
    ----------
    is_single_part : bool
    wanted : tuple of str
        Transfer syntaxes, the best first; ``*`` for as stored.
    """

    is_single_part: bool
    wanted: tuple[str, ...]


def dicom_answers(request: Request, count: int) -> list[DicomAnswer]:
    """Return the ways in which the client accepts instances, the best first.

    Parameters
    ----------
    request : Request
        With its headers.
    count : int
        Of the instances; several need several parts.

    Raises
    ------
    NotAcceptable
        If there is no such way.

    References
    ----------
    DICOM PS3.18 8.7.3.5.2: without a transfer syntax the default, explicit VR little endian, is meant.
    """
    found: dict[bool, list[str]] = {}
    for wanted in accepted(request):
        syntax = wanted.parameters.get("transfer-syntax", EXPLICIT_VR_LITTLE_ENDIAN)
        if wanted.takes_parts_of(DICOM):
            found.setdefault(False, []).append(syntax)
        elif wanted.takes(DICOM) and count == 1:
            found.setdefault(True, []).append(syntax)
    if not found:
        alone = f", or {DICOM}" if count == 1 else f"; {DICOM} alone for a single instance only"
        raise NotAcceptable(f'There is {MULTIPART}; type="{DICOM}"{alone}.')
    return [DicomAnswer(is_single, tuple(dict.fromkeys(wanted))) for is_single, wanted in found.items()]


def wants_bulk_data(request: Request) -> bool:
    """Tell whether it is the bulk data that are wanted of instances; they had no address of their own once.

    References
    ----------
    DICOM PS3.18 10.4.4
    """
    for wanted in accepted(request):
        if wanted.takes(DICOM) or wanted.takes_parts_of(DICOM):
            return False
        if wanted.takes_parts_of(OCTETS):
            return True
    return False
