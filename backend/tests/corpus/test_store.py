"""Real files come back from the store byte for byte, or are refused for a reason."""

import hashlib
import os
from pathlib import Path

import pytest

from imageserver.archive.files import DataDirectory
from imageserver.archive.managed_store import Store
from imageserver.archive.store_outcomes import FailureReason, StoreState
from imageserver.database import Database
from imageserver.settings import Settings
from tests.corpus.conftest import VARIABLE
from tests.storing import files_in

CORPUS = os.environ.get(VARIABLE, "")


@pytest.mark.skipif(not CORPUS, reason=f"{VARIABLE} does not name the folder of cases")
def test_every_file_is_stored_as_it_is_or_refused(settings: Settings, database: Database) -> None:
    settings = settings.model_copy(update={"store_dir": settings.state_dir / "store"})
    contents = [path.read_bytes() for path in sorted(Path(CORPUS).rglob("*")) if path.is_file()]
    store = Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))
    with store.run() as run:
        for content in contents:
            run.receive([content])
        outcomes = run.commit()
    store.close()
    kept = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files_in(settings)}
    quarantined = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in files_in(settings, ".quarantine")
    }
    stored = 0
    for content, outcome in zip(contents, outcomes, strict=True):
        digest = hashlib.sha256(content).hexdigest()
        if outcome.state is not StoreState.REFUSED:
            stored += 1
            assert digest in kept
        elif outcome.failure_reason is FailureReason.DUPLICATE_INSTANCE:
            assert digest in quarantined
        else:
            assert digest not in kept
            assert outcome.code
    assert stored > len(contents) // 2
