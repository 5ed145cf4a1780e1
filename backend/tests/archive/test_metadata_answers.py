"""Metadata that were put together before are not read again, unless they are of something else."""

from collections.abc import Callable

import pytest

from imageserver.archive import metadata_answers as module
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.metadata_answers import MetadataAnswers
from imageserver.archive.series_metadata import MetadataList, list_metadata
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]
STUDY, SERIES = uid("study of", "series"), uid("series")
ROOT = "http://localhost/dicomweb/"


@pytest.fixture
def wanted(database: Database, folder: Folder, look: Look) -> MetadataList:
    folder.write_all(volume(3))
    look()
    with database.reading() as session:
        found = list_metadata(session, STUDY, SERIES)
    assert found is not None
    return found


@pytest.fixture
def answers(database: Database, settings: Settings) -> MetadataAnswers:
    return MetadataAnswers(database, DataDirectory(settings.data_dir))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often metadata were put together."""
    times: list[int] = []
    write = module.write_metadata

    def count(*arguments: object) -> object:
        times.append(1)
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_metadata", count)
    return times


def ask(answers: MetadataAnswers, wanted: MetadataList, root: str = ROOT) -> bytes:
    return b"".join(answers.pieces([wanted], root))


def test_the_same_again(answers: MetadataAnswers, wanted: MetadataList, written: list[int]) -> None:
    first = ask(answers, wanted)
    assert first.count(b'"00080018"') == 3
    assert ask(answers, wanted) == first
    assert len(written) == 1


def test_another_content_or_address(
    answers: MetadataAnswers, wanted: MetadataList, written: list[int]
) -> None:
    ask(answers, wanted)
    ask(answers, wanted._replace(tag='"another"'))
    ask(answers, wanted, "http://elsewhere/dicomweb/")
    ask(answers, wanted._replace(study_instance_uid="1.2.3"))
    assert len(written) == 4


def test_what_was_not_complete(answers: MetadataAnswers, wanted: MetadataList, written: list[int]) -> None:
    one_gone = wanted._replace(instance_ids=(*wanted.instance_ids, 999_999))
    for _ in range(2):
        ask(answers, one_gone)
    assert len(written) == 2


def test_an_answer_that_nobody_took_to_its_end(
    answers: MetadataAnswers, wanted: MetadataList, written: list[int]
) -> None:
    pieces = answers.pieces([wanted], ROOT)
    next(pieces)
    del pieces
    assert ask(answers, wanted).endswith(b"]")
    assert len(written) == 2


def test_memory_is_bounded(
    database: Database,
    settings: Settings,
    wanted: MetadataList,
    written: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = DataDirectory(settings.data_dir)
    size = len(ask(MetadataAnswers(database, directory), wanted))
    answers = MetadataAnswers(database, directory, max_bytes=2 * size)
    for tag in ("a", "b", "c", "a"):  # of three, two are remembered
        ask(answers, wanted._replace(tag=tag))
    assert len(written) == 5
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", size - 1)
    for _ in range(2):
        ask(answers, wanted)
    assert len(written) == 7
