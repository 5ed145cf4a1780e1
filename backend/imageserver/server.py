"""``imageserver serve``: the API's processes, and beside them what has to happen once per start."""

import errno
import logging
import signal
import socket
import sys
import threading

import uvicorn
from uvicorn.supervisors import Multiprocess

from imageserver.accounts.keys import load_signing_keys
from imageserver.connections import Connection
from imageserver.database import Database
from imageserver.settings import Settings
from imageserver.startup import StartRefused, make_state_dir, prepare_until_done

STOP_SECONDS = 5
PORT_ERRORS = (errno.EADDRINUSE, errno.EACCES)  # taken, or reserved for root

logger = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve the API until a signal ends it.

    Raises
    ------
    StartRefused, KeysRefused
        If the server must not run with these settings; found before it listens, or when the database answers.
    """
    make_state_dir(settings)
    load_signing_keys(settings.state_dir, settings.signing_keys_file)  # refuse before anything listens
    listener = _listen(settings)
    config = make_config(settings)
    refusals: list[str] = []
    stopping = threading.Event()
    # uvicorn's single process raises the signal again when it has stopped in order: that is a success. The
    # supervisor of several brings a handler of its own, which must stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = uvicorn.Server(config) if settings.workers == 1 else Multiprocess(config, sockets=[listener])

    def refuse(message: str) -> None:
        refusals.append(message)
        if isinstance(server, uvicorn.Server):
            server.should_exit = True
        else:
            server.should_exit.set()

    database = Database(settings.effective_database_url)
    preparing = threading.Thread(
        target=prepare_until_done, args=(settings, database, stopping, refuse), name="prepare", daemon=True
    )
    preparing.start()
    try:
        if isinstance(server, uvicorn.Server):
            server.run(sockets=[listener])
        else:
            server.run()
    except KeyboardInterrupt:
        pass
    finally:
        stopping.set()
        listener.close()
    if refusals:
        raise StartRefused(refusals[0])


def make_config(settings: Settings) -> uvicorn.Config:
    """Say how uvicorn serves the API: whom it believes about the client, what it does not log."""
    return uvicorn.Config(
        "imageserver.cli:application",
        factory=True,
        http=Connection,
        workers=settings.workers,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        name = "PORT" if error.errno in PORT_ERRORS else "HOST"
        raise StartRefused(
            f"IMAGESERVER_{name}: cannot listen on {settings.host}, port {settings.port} ({error.strerror})"
        ) from None
    listener.listen()  # who connects before the workers are there waits for them
    listener.set_inheritable(True)
    host, port = listener.getsockname()[:2]
    logger.info(f"running on http://{f'[{host}]' if ':' in host else host}:{port}")
    return listener
