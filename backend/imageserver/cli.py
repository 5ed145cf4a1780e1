"""The command ``imageserver``: serve, and what an administrator does beside the running server."""

import argparse
import signal
import sys
from collections.abc import Sequence

import uvicorn
from pydantic import ValidationError

from imageserver.commands import index
from imageserver.database import Database
from imageserver.errors import AppError
from imageserver.logs import configure_logging
from imageserver.main import create_app
from imageserver.migrations import NewerSchema, migrate
from imageserver.settings import Settings

EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
STOP_SECONDS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; the process ends with its exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        settings = Settings()
        configure_logging(settings.log_level)
        sys.exit(parsed.run(settings, parsed))
    except ValidationError as error:
        _refuse(*(f"IMAGESERVER_{_name(item['loc'])}{item['msg']}" for item in error.errors()))
    except NewerSchema as error:
        _refuse(str(error))
    except AppError as error:
        print(f"imageserver: {error.detail}", file=sys.stderr)
        sys.exit(1)


def build_parser() -> argparse.ArgumentParser:
    """Describe all commands."""
    parser = argparse.ArgumentParser(prog="imageserver", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve_parser = commands.add_parser("serve", help="migrate the database and serve the API")
    serve_parser.set_defaults(run=serve)
    index.add_parser(commands)
    return parser


def serve(settings: Settings, _arguments: argparse.Namespace) -> int:
    """Serve the API until a signal ends it."""
    # uvicorn hands the signal on after it has finished; being stopped as asked is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.effective_database_url)
    migrate(database)
    database.dispose()
    uvicorn.run(
        "imageserver.cli:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return 0


def application() -> object:
    """Make the application in a worker process; the settings come from the environment again."""
    settings = Settings()
    configure_logging(settings.log_level)
    return create_app(settings)


def _name(location: tuple[int | str, ...]) -> str:
    return f"{str(location[0]).upper()}: " if location else "…: "


def _refuse(*messages: str) -> None:
    for message in messages:
        print(f"imageserver: start refused: {message}", file=sys.stderr)
    sys.exit(EXIT_CONFIGURATION)
