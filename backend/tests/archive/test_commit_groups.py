"""Writing together what waits at the same moment. No test waits for time to pass, only for what others do."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from imageserver.archive import commit_groups
from imageserver.archive.commit_groups import CommitGroups, Take
from imageserver.errors import DatabaseUnavailable, StorageFull

LONGEST = 60.0  # only to end at all


class Interrupted(BaseException):
    """What ends a thread."""


class Clients:
    """Threads that each have a number written, and what became of them."""

    def __init__(self, write: Callable[[Take[int]], Sequence[str]], most: int = 100) -> None:
        self.groups: CommitGroups[int, str] = CommitGroups(write, most)
        self.told: dict[int, Any] = {}
        self.threads: list[threading.Thread] = []

    def add(self, *numbers: int, size: int = 1) -> None:
        """Begin to add numbers, one after the other."""
        for number in numbers:
            before = len(self.groups._queue)
            thread = threading.Thread(target=self._add, args=(number, size), daemon=True)
            self.threads.append(thread)
            thread.start()
            self.wait_for(lambda before=before: len(self.groups._queue) > before)  # type: ignore[misc]

    def _add(self, number: int, size: int) -> None:
        try:
            self.told[number] = self.groups.add(number, size)
        except BaseException as error:
            self.told[number] = error

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + LONGEST
        while not is_so():
            assert time.monotonic() < until
            time.sleep(0.001)

    def end(self) -> dict[int, Any]:
        for thread in self.threads:
            thread.join(LONGEST)
            assert not thread.is_alive()
        assert not self.groups._queue
        assert not self.groups._has_writer
        return self.told


class Writer:
    """Writes once it is let; the first time after it has taken, if so wanted."""

    def __init__(
        self, *, takes_first: bool = False, refuses: Callable[[Sequence[int]], None] | None = None
    ) -> None:
        self.let = threading.Event()
        self.takes_first = takes_first
        self.refuses = refuses or (lambda _: None)
        self.written: list[list[int]] = []

    def __call__(self, take: Take[int]) -> list[str]:
        if self.takes_first:
            take()
        assert self.let.wait(LONGEST)
        numbers = list(take())
        self.written.append(numbers)
        self.refuses(numbers)
        return [f"wrote {number}" for number in numbers]


def test_one_alone() -> None:
    writer = Writer()
    writer.let.set()
    groups = CommitGroups(writer, 100)
    assert [groups.add(1, 1), groups.add(2, 1)] == ["wrote 1", "wrote 2"]
    assert writer.written == [[1], [2]]


def test_those_who_come_before_it_takes_are_written_with_it() -> None:
    clients = Clients(writer := Writer())
    clients.add(1, 2, 3)
    writer.let.set()
    assert clients.end() == {1: "wrote 1", 2: "wrote 2", 3: "wrote 3"}
    assert writer.written == [[1, 2, 3]]


def test_those_who_come_later_are_written_together_next() -> None:
    clients = Clients(writer := Writer(takes_first=True))
    thread = threading.Thread(target=clients._add, args=(1, 1))
    clients.threads.append(thread)
    thread.start()
    clients.wait_for(lambda: clients.groups._has_writer and not clients.groups._queue)
    clients.add(2, 3, 4)
    writer.let.set()
    assert clients.end() == {number: f"wrote {number}" for number in (1, 2, 3, 4)}
    assert writer.written == [[1], [2, 3, 4]]


def test_a_group_is_bounded_and_keeps_the_order() -> None:
    clients = Clients(writer := Writer(), most=5)
    clients.add(1, 2, 3, size=2)
    clients.add(4, size=9)
    clients.add(5, 6)
    writer.let.set()
    clients.end()
    assert writer.written == [[1, 2], [3], [4], [5, 6]]


def test_one_that_fails_takes_no_other_along() -> None:
    def refuse(numbers: Sequence[int]) -> None:
        if 2 in numbers:
            raise StorageFull("no room")

    clients = Clients(writer := Writer(refuses=refuse))
    clients.add(1, 2, 3)
    writer.let.set()
    told = clients.end()
    assert (told[1], told[3]) == ("wrote 1", "wrote 3")
    assert isinstance(told[2], StorageFull)
    assert writer.written == [[1, 2, 3], [1], [2], [3]]


def test_a_database_that_is_away_is_not_asked_for_each() -> None:
    def refuse(_: Sequence[int]) -> None:
        raise DatabaseUnavailable("away")

    clients = Clients(writer := Writer(refuses=refuse))
    clients.add(1, 2, 3)
    writer.let.set()
    told = clients.end()
    assert [type(told[number]) for number in (1, 2, 3)] == [DatabaseUnavailable] * 3
    assert len({id(error) for error in told.values()}) == 3  # each thread has its own
    assert writer.written == [[1, 2, 3]]


@pytest.mark.parametrize("failure", [DatabaseUnavailable("busy"), StorageFull("no room")])
def test_who_fails_before_taking_fails_alone(failure: Exception) -> None:
    let, refused = threading.Event(), []

    def write(take: Take[int]) -> list[str]:
        assert let.wait(LONGEST)
        if not refused:
            refused.append(1)
            raise failure
        return [f"wrote {number}" for number in take()]

    clients = Clients(write)
    clients.add(1, 2, 3)
    let.set()
    assert clients.end() == {1: failure, 2: "wrote 2", 3: "wrote 3"}


@pytest.mark.parametrize("takes_first", [True, False])
def test_a_writer_that_is_interrupted_leaves_nobody_waiting(takes_first: bool) -> None:
    let, interrupted = threading.Event(), []

    def write(take: Take[int]) -> list[str]:
        assert let.wait(LONGEST)
        numbers = list(take()) if takes_first or interrupted else []
        if not interrupted:
            interrupted.append(1)
            raise Interrupted
        return [f"wrote {number}" for number in numbers]

    clients = Clients(write)
    clients.add(1, 2)
    let.set()
    told = clients.end()
    assert isinstance(told[1], Interrupted)
    assert isinstance(told[2], DatabaseUnavailable) if takes_first else told[2] == "wrote 2"


def test_who_waits_too_long_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(writer := Writer())
    clients.add(1)
    monkeypatch.setattr(commit_groups, "WAIT_SECONDS", 0.01)
    with pytest.raises(DatabaseUnavailable):
        clients.groups.add(2, 1)
    writer.let.set()
    assert clients.end() == {1: "wrote 1"}
    assert writer.written == [[1]]


def test_who_is_being_written_waits_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    has_lost_patience, is_taken = threading.Event(), threading.Event()
    writer = Writer()

    def write(take: Take[int]) -> list[str]:
        assert has_lost_patience.wait(LONGEST)
        take()
        is_taken.set()
        return writer(take)

    clients = Clients(write)
    withdraw = clients.groups._withdraw

    def withdraw_too_late(own: Any) -> bool:
        has_lost_patience.set()
        assert is_taken.wait(LONGEST)
        return withdraw(own)

    monkeypatch.setattr(clients.groups, "_withdraw", withdraw_too_late)
    clients.add(1)
    monkeypatch.setattr(commit_groups, "WAIT_SECONDS", 0.01)
    thread = threading.Thread(target=clients._add, args=(2, 1))
    clients.threads.append(thread)
    thread.start()
    assert is_taken.wait(LONGEST)
    assert clients.told == {}
    writer.let.set()
    assert clients.end() == {1: "wrote 1", 2: "wrote 2"}
