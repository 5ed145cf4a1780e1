"""Of several processes on one database, one keeps the index."""

import os
import socket

import pytest
from sqlalchemy import update

from imageserver.archive.lease import Lease, LeaseLost
from imageserver.archive.models import IndexState
from imageserver.database import Database


def set_owner(database: Database, **values: object) -> None:
    with database.writing() as session:
        session.execute(update(IndexState).values(**values))


def test_one_takes_it(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    assert first.take()
    assert not second.take()
    assert first.take(), "the owner renews it"


def test_it_is_given_back(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    assert first.take()
    first.release()
    assert second.take()


def test_a_lease_that_is_not_held_is_not_given_back(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    assert first.take()
    second.release()
    assert not second.take()


def test_it_runs_out(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    assert first.take()
    set_owner(database, lease_until=1.0)
    assert second.take()
    with pytest.raises(LeaseLost), database.writing() as session:
        first.keep(session)


def test_the_owner_keeps_it_while_it_writes(database: Database) -> None:
    lease = Lease(database)
    assert lease.take()
    set_owner(database, lease_until=1.0)
    with database.writing() as session:
        lease.keep(session)
    assert not Lease(database).take()


def test_a_restart_does_not_wait_for_a_process_that_has_died(database: Database) -> None:
    Lease(database).take()
    host = socket.gethostname()[:32]
    set_owner(database, lease_owner=f"{host}:{os.getpid()}:of a former process", lease_until=4e9)
    assert Lease(database).take()


def test_a_process_of_another_machine_may_be_alive(database: Database) -> None:
    Lease(database).take()
    set_owner(database, lease_owner="another-machine:1:0000", lease_until=4e9)
    assert not Lease(database).take()
