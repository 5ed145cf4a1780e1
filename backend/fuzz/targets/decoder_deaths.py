"""Decoder processes that crash, abort, hang or eat memory on order, each as often as the others (T24)."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fuzz.campaign import Campaign, Fault
from fuzz.report import Criterion, Options, Report
from imageserver.dicom.decoder_pool import DecoderFailure, DecoderPool
from imageserver.dicom.decoder_template import SCRIPT

COUNT = 400
GROWTH_MIB = 16.0
_SECONDS = 2.0
_STAND_IN = Path(__file__).parents[2] / "tests" / "dicom" / "stand_in_decoder.py"
_ORDERS = {b"crash": "broke on it", b"abort": "broke on it", b"eat": "too much memory", b"hang": "too long"}


def run(options: Options) -> Report:
    """Give the orders in turn; after each one the next process must serve within a second."""
    campaign = Campaign(options, slowest_seconds=_SECONDS + 2, growth_mib=GROWTH_MIB)
    command = [sys.executable, "-P", str(_STAND_IN), str(SCRIPT)]
    pool = DecoderPool(size=1, seconds=_SECONDS, command=command)
    pool.warm_up()
    waits = [0.0]

    def act(order: bytes) -> str:
        _fail(pool, order)
        begin = time.monotonic()
        pool.decode({}, b"decode")
        waits.append(time.monotonic() - begin)
        return order.decode()

    report = campaign.run(_orders(), act)
    report.outcomes["decoder processes ended"] = pool.ended
    report.criteria.append(Criterion("longest refill", round(max(waits), 3), 1, "s"))
    pool.close()
    return report


def _fail(pool: DecoderPool, order: bytes) -> None:
    try:
        pool.decode({}, order)
    except DecoderFailure as error:
        if _ORDERS[order] not in str(error):
            raise Fault(f"{order.decode()}: {error}") from error
    else:
        raise Fault(f"{order.decode()} was answered")


def _orders() -> Iterator[bytes]:
    while True:
        yield from _ORDERS
