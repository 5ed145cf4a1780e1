"""A data directory for tests."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from pydicom.dataset import Dataset

from tests.builders import to_bytes

HOUR = 3600


class Folder:
    """Writes files that were changed an hour ago, so that nothing waits for them to settle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: bytes | Dataset, *, age: float = HOUR) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else to_bytes(content))
        moment = time.time() - age
        os.utime(path, (moment, moment))
        return path

    def write_all(self, datasets: Iterable[Dataset], prefix: str = "slice") -> list[Path]:
        return [self.write(f"{prefix}{number:04}", dataset) for number, dataset in enumerate(datasets)]
