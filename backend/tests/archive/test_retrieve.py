"""Instances on their way out: which transfer syntax they leave in, and that a file stays one while it is read."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imageserver.archive.addresses import InstanceAddress
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.retrieve import PIECE, Retrieval, Retriever, StoredInstance, plan
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.errors import FileGone, FileReplaced, IntegrityMismatch, NotAcceptable
from tests.builders import image, to_bytes

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_LS, MPEG_4 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.102"
LARGE = np.zeros((2048, 2048), np.uint16)


def instance(
    path: Path, syntax: str = IMPLICIT, refused: str | None = None, *, pixels: bool = True
) -> StoredInstance:
    status = path.stat()
    identity = FileIdentity(status.st_size, status.st_mtime_ns, status.st_ino)
    file = InstanceFile("1.2.3", path.name.encode(), identity, refused, refused)
    return StoredInstance(
        InstanceAddress("1.2", "1.2.1", "1.2.3"), file, "1.2.840.10008.5.1.4.1.1.2", syntax, pixels
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(to_bytes(image(LARGE), IMPLICIT))
    return path


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    return Retriever(DataDirectory(tmp_path), DecoderPool())


class TestPlan:
    @pytest.mark.parametrize(
        ("stored", "pixels", "wanted", "expected"),
        [
            (IMPLICIT, True, ("*",), IMPLICIT),
            (IMPLICIT, True, (EXPLICIT,), EXPLICIT),
            (IMPLICIT, True, ("1.2.3", JPEG_LS, "*"), JPEG_LS),
            (MPEG_4, True, (EXPLICIT, "*"), MPEG_4),
            (IMPLICIT, False, (JPEG_LS,), EXPLICIT),  # there is nothing to compress
            (DEFLATED, False, (JPEG_LS,), EXPLICIT),
        ],
    )
    def test_the_first_that_there_is(
        self, path: Path, stored: str, pixels: bool, wanted: tuple[str, ...], expected: str
    ) -> None:
        assert plan(instance(path, stored, pixels=pixels), wanted).transfer_syntax_uid == expected

    def test_none(self, path: Path) -> None:
        with pytest.raises(NotAcceptable, match=MPEG_4):
            plan(instance(path, MPEG_4), (EXPLICIT, JPEG_LS))

    def test_a_file_whose_checksum_fails_is_never_given(self, path: Path) -> None:
        with pytest.raises(IntegrityMismatch):
            plan(instance(path, refused="integrity_mismatch"), ("*",))


class TestPieces:
    def test_a_file_is_opened_once_for_each_piece(
        self, path: Path, retriever: Retriever, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = []
        read = DataDirectory.read

        def count(directory: DataDirectory, *arguments: Any) -> Any:
            opened.append(1)
            return read(directory, *arguments)

        monkeypatch.setattr(DataDirectory, "read", count)
        pieces = list(retriever.pieces(Retrieval(instance(path), IMPLICIT)))
        assert b"".join(pieces) == path.read_bytes()
        assert len(opened) == -(-path.stat().st_size // PIECE)

    def test_files_that_are_read_together(self, path: Path, retriever: Retriever) -> None:
        bare = path.with_name("bare")
        bare.write_bytes(path.read_bytes()[132:])
        wanted = [Retrieval(instance(one), IMPLICIT) for one in (path, bare, path)]
        assert retriever.together(wanted) == [path.read_bytes()] * 3
        bare.unlink()
        first, gone, last = retriever.together(wanted)
        assert (first, type(gone), last) == (path.read_bytes(), FileGone, path.read_bytes())

    def test_lengths_are_told_in_order_though_one_is_gone(self, path: Path, retriever: Retriever) -> None:
        length = path.stat().st_size
        gone = path.with_name("gone")
        gone.write_bytes(path.read_bytes())
        wanted = [Retrieval(instance(gone if number in (3, 18) else path), IMPLICIT) for number in range(40)]
        wanted[7] = wanted[7]._replace(transfer_syntax_uid=EXPLICIT)
        wanted[18] = wanted[18]._replace(transfer_syntax_uid=EXPLICIT)
        gone.unlink()
        found = retriever.lengths(wanted)
        assert [number for number, one in enumerate(found) if isinstance(one, FileGone)] == [3, 18]
        assert [number for number, one in enumerate(found) if one is None] == [7]
        assert [one for one in found if isinstance(one, int)] == [length] * 37

    @pytest.mark.parametrize("missing", [128, 132])
    def test_what_is_missing_in_front_is_written_once(
        self, path: Path, retriever: Retriever, missing: int
    ) -> None:
        whole = path.read_bytes()
        path.write_bytes(whole[missing:])
        retrieval = Retrieval(instance(path), IMPLICIT)
        assert b"".join(retriever.pieces(retrieval)) == whole
        assert retriever.lengths([retrieval]) == [len(whole)]

    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
    def test_a_file_that_is_replaced_on_the_way_is_noticed(
        self, path: Path, retriever: Retriever, syntax: str
    ) -> None:
        pieces = retriever.pieces(Retrieval(instance(path), syntax))
        next(pieces)
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        other.replace(path)
        with pytest.raises(FileReplaced):
            list(pieces)

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at open files as Linux lists them")
    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
    def test_nothing_is_open_between_two_pieces(self, path: Path, retriever: Retriever, syntax: str) -> None:
        pieces = retriever.pieces(Retrieval(instance(path), syntax))
        next(pieces)
        assert not [one for one in Path("/proc/self/fd").iterdir() if one.exists() and one.readlink() == path]
        path.unlink()
        (path.parent / "neighbour").write_bytes(b"x")
        with pytest.raises(FileGone):
            next(pieces)

    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
    def test_memory_is_that_of_a_piece(self, path: Path, retriever: Retriever, syntax: str) -> None:
        tracemalloc.start()
        length = sum(map(len, retriever.pieces(Retrieval(instance(path), syntax))))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert length > LARGE.nbytes
        assert most < 4 * PIECE < LARGE.nbytes
