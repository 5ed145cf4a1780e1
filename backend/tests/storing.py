"""Requests that store instances, as clients send them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from pydicom.dataset import Dataset

from imageserver.settings import Settings
from tests.builders import to_bytes

BOUNDARY = "a-boundary"
STUDIES = "/dicomweb/studies"
# Continued parameters (RFC 2231) for which the library of Python raises what it does not tell of.
ODD_PARAMETERS = ["a*0=x; a*=y", "a*" + "9" * 5000 + "=x"]


def related(parts: Iterable[bytes], kind: str = "application/dicom", boundary: str = BOUNDARY) -> bytes:
    """Join parts of one type to a body of ``multipart/related``."""
    head = f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()


def content_type(kind: str = "application/dicom", boundary: str = BOUNDARY) -> dict[str, str]:
    return {"Content-Type": f'multipart/related; type="{kind}"; boundary={boundary}'}


def store(
    client: TestClient, instances: Sequence[Dataset | bytes], study: str | None = None, **headers: str
) -> Response:
    """Store instances in one request."""
    parts = [one if isinstance(one, bytes) else to_bytes(one) for one in instances]
    address = STUDIES if study is None else f"{STUDIES}/{study}"
    answer: Response = client.post(address, content=related(parts), headers={**content_type(), **headers})
    return answer


def reasons(answer: Response) -> dict[str, int]:
    """Failure Reason by SOP Instance UID."""
    return {
        item["00081155"]["Value"][0]: item["00081197"]["Value"][0]
        for item in answer.json().get("00081198", {}).get("Value", [])
    }


def stored_uids(answer: Response) -> list[str]:
    """SOP Instance UIDs that the answer names as stored."""
    found: list[Any] = answer.json().get("00081199", {}).get("Value", [])
    return [item["00081155"]["Value"][0] for item in found]


def files_in(settings: Settings, folder: str = "") -> list[Path]:
    """All files of the store, or of one of its hidden folders; those of hidden folders only there."""
    assert settings.store_dir is not None
    root = settings.store_dir / folder
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".")
    )
