"""The list of files that are not shown, and the table of their codes."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import imageserver
from imageserver.archive import checksums, deletions, listing, reading
from imageserver.archive.files import UNREADABLE
from imageserver.archive.index_writer import Outcome
from imageserver.archive.problems import MEANINGS, SORTABLE, count_problems, find_problems
from imageserver.database import Database
from tests.builders import image, to_bytes, uid
from tests.folders import Folder

Look = Callable[..., Outcome]
PACKAGE = Path(imageserver.__file__).parent


def refusals() -> Iterator[str]:
    """Codes of all `FileRefused(…)` and skipped files in the source."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id == "FileRefused":
                    yield from constants(node.args[:1])
                if node.func.id == "ReadFile":
                    names = [getattr(argument, "id", "") for argument in node.args]
                    after = next(
                        (names.index(name) + 1 for name in ("REFUSED", "SKIPPED") if name in names), 99
                    )
                    yield from constants(node.args[after : after + 1])


def constants(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant):
            yield node.value


def test_each_code_of_the_source_has_a_meaning_and_no_other_has() -> None:
    named = {UNREADABLE, reading.CONFLICT, checksums.INTEGRITY_MISMATCH, deletions.DELETED}
    named |= set(listing.SKIP_REASONS)
    assert set(MEANINGS) == set(refusals()) | named


def test_files_are_listed_with_reasons(database: Database, folder: Folder, look: Look) -> None:
    folder.write("good", image())
    folder.write("copy", image())
    folder.write("name/of/junk", b"junk")
    folder.write("cut", to_bytes(image(instance=2))[:-100])
    folder.write("other", image(PatientName="Other^Content"))
    (folder.path / "link").symlink_to("nowhere")
    look()
    with database.reading() as session:
        found = {problem.path: problem for problem in find_problems(session)}
        assert count_problems(session) == {
            "conflict": 1,
            "not_dicom": 1,
            "symbolic_link": 1,
            "truncated": 1,
        }
    assert set(found) - {b"good", b"copy", b"other"} == {b"name/of/junk", b"cut", b"link"}
    cut, link = found[b"cut"], found[b"link"]
    assert (cut.code, cut.series_instance_uid) == ("truncated", uid("series"))
    assert cut.size == (folder.path / "cut").stat().st_size
    assert cut.mtime_ns == (folder.path / "cut").stat().st_mtime_ns
    assert (link.size, link.mtime_ns) == (None, None)
    assert all(problem.reason and problem.read_at for problem in found.values())


def test_order_pages_and_codes(database: Database, folder: Folder, look: Look) -> None:
    for name, content in {"b": b"junk", "a": b"longer junk", "c": b""}.items():
        folder.write(name, content)
    look()
    with database.reading() as session:
        assert [p.path for p in find_problems(session)] == [b"a", b"b", b"c"]
        assert [p.path for p in find_problems(session, 1, 1)] == [b"b"]
        assert [p.path for p in find_problems(session, sort="-size")] == [b"a", b"b", b"c"]
        assert [p.path for p in find_problems(session, sort="size")] == [b"c", b"b", b"a"]
        assert [p.path for p in find_problems(session, codes=["empty"])] == [b"c"]
        for column in SORTABLE:
            down = [p.path for p in find_problems(session, sort=f"-{column}")]
            assert down == [p.path for p in find_problems(session, sort=column)][::-1]
