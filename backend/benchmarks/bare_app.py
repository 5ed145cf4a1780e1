"""The bare minimum beside the server: an empty FastAPI app with the same libraries; routes that only check a session.

``python -m benchmarks.bare_app empty`` serves the empty app, ``… beside`` the server with two more routes, ``… files``
a bare ASGI application that reads files and sends them.
"""

import ast
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import imageserver

PACKAGE = Path(imageserver.__file__).parent


def third_party_modules() -> list[str]:
    """The modules outside the package that its files import when they are imported themselves."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if (
            path.name != "decoder_process.py" and "versions" not in path.parts
        ):  # never part of the server process
            names.update(_top_level_imports(path))
    return sorted(name for name in names if not name.startswith("imageserver"))


def _top_level_imports(path: Path) -> list[str]:
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return names


def empty_app() -> Any:
    """An app with one route that says that it is ready."""
    from fastapi import FastAPI

    for name in third_party_modules():
        importlib.import_module(name)
    app = FastAPI()

    @app.get("/readyz")
    def get_readiness() -> dict[str, str]:
        return {"status": "ready"}

    return app


def app_beside() -> Any:
    """The server, with routes that check the session and answer fixed bytes: those of /patient and /slice."""
    from fastapi import Depends, Response

    from imageserver.api.authentication import get_current_user
    from imageserver.main import create_app
    from imageserver.settings import Settings

    app = create_app(Settings())
    folder = Path(os.environ["BENCHMARK_BODIES"])

    @app.get("/bare/patient", dependencies=[Depends(get_current_user)])
    def get_bare_patient() -> Response:
        return Response(_body(folder / "patient"), media_type="application/json")

    @app.get("/bare/slice", dependencies=[Depends(get_current_user)])
    def get_bare_slice() -> Response:
        return Response(_body(folder / "slice"), media_type="image/png")

    return app


def files_app() -> Any:
    """An ASGI application of a dozen lines: reads the file that the path names, each time, and sends it."""
    folder = Path(os.environ["BENCHMARK_BODIES"])

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        is_probe = scope["path"] == "/readyz"
        content = b"" if is_probe else (folder / scope["path"].strip("/")).read_bytes()
        length = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": content})

    return app


_bodies: dict[Path, bytes] = {}


def _body(path: Path) -> bytes:
    if path not in _bodies:
        _bodies[path] = path.read_bytes()
    return _bodies[path]


if __name__ == "__main__":
    import uvicorn

    make = {"empty": empty_app, "beside": app_beside, "files": files_app}[sys.argv[1]]
    port = int(os.environ["BENCHMARK_PORT"])
    uvicorn.run(make(), host="127.0.0.1", port=port, access_log=False, log_config=None)
