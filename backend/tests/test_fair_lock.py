"""The lock goes round in order."""

import threading
import time

import pytest

from imageserver.fair_lock import FairLock


def test_waiters_get_it_in_the_order_of_asking() -> None:
    lock, order, threads = FairLock(), [], []
    assert lock.acquire(timeout=0)

    def take(number: int) -> None:
        assert lock.acquire(timeout=10)
        order.append(number)
        lock.release()

    for number in range(8):
        threads.append(threading.Thread(target=take, args=(number,)))
        threads[-1].start()
        while len(lock._waiting) <= number:
            time.sleep(0.001)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == list(range(8))


@pytest.mark.parametrize("timeout", [0, 0.02])
def test_who_gives_up_is_passed_over(timeout: float) -> None:
    lock = FairLock()
    assert lock.acquire(timeout=0)
    assert not lock.acquire(timeout=timeout)
    lock.release()
    assert lock.acquire(timeout=0)
