"""Many clients at once, in a process of their own: ``python -m benchmarks.crowd PORT TOKEN FIRST COUNT``.

Each asks for one slice that nobody has asked for before, and all begin together. Prints how long it took, and how
many answers were not pictures.
"""

import http.client
import sys
import threading
import time


def main() -> None:
    """Ask for the slices FIRST to FIRST + COUNT - 1 at the same time."""
    port, token, first, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    barrier = threading.Barrier(count + 1)
    failed: list[int] = []

    def ask(index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        barrier.wait()
        connection.request("GET", f"/slice?index={index}", headers={"Authorization": token})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            failed.append(answer.status)

    threads = [threading.Thread(target=ask, args=(first + index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    barrier.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    print(f"{time.perf_counter() - begun:.3f} {len(failed)}")


if __name__ == "__main__":
    main()
