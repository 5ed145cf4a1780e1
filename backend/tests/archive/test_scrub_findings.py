"""What follows where the content of a file is not what it was, and where it is again."""

from sqlalchemy import select

from imageserver.archive.models import Instance
from imageserver.database import Database
from tests.archive.kept_index import Kept, files, flip
from tests.builders import image, uid
from tests.folders import Folder


def test_a_file_whose_content_is_back_is_shown_again(database: Database, folder: Folder, kept: Kept) -> None:
    path = folder.write("file", image())
    kept.look()
    kept.scrub()
    flip(path, 500)
    kept.scrub()
    kept.look()
    assert files(database)[b"file"].code == "integrity_mismatch"
    flip(path, 500)
    kept.scrub()
    kept.look()
    assert (files(database)[b"file"].state, files(database)[b"file"].code) == ("indexed", None)


def test_a_replaced_file_is_shown_again(database: Database, folder: Folder, kept: Kept) -> None:
    path = folder.write("file", image())
    kept.look()
    kept.scrub()
    flip(path, 500)
    kept.scrub()
    folder.write("file", image(), age=60)
    kept.look()
    assert (files(database)[b"file"].state, files(database)[b"file"].sha256) == ("indexed", None)
    assert kept.scrub() == 1
    assert kept.damage == [(uid("study of", "series"), uid("series"))]


def test_a_damaged_copy_does_not_hide_the_good_one(database: Database, folder: Folder, kept: Kept) -> None:
    folder.write("a", image())
    copy = folder.write("b", image())
    kept.look()
    kept.scrub()
    flip(copy, 500)
    kept.scrub()
    assert files(database)[b"b"].code == "integrity_mismatch"
    assert files(database)[b"a"].state == "indexed"
    with database.reading() as session:
        assert session.scalars(select(Instance.refused_code)).all() == [None]
