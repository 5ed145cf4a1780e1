"""``GET /docs``: Swagger UI from local files, without inline script, under a policy of its own.

The assets come with the package ``fastapi-offline``; its application class is not used, because its page starts
Swagger UI by an inline script.
"""

from pathlib import Path
from typing import Literal

import fastapi_offline
from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

router = APIRouter(include_in_schema=False)

ASSETS = Path(fastapi_offline.__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Medical Image Server API</title>
<link rel="icon" href="/docs/favicon.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
});
"""


@router.get("/docs")
def get_docs_page() -> HTMLResponse:
    """Show the API with *Try it out* and *Authorize*."""
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/start.js")
def get_docs_start() -> Response:
    """Start Swagger UI; a file of its own, because the policy allows no inline script."""
    return Response(START, media_type="text/javascript")


@router.get("/docs/{name}")
def get_docs_asset(name: Literal["swagger-ui.css", "swagger-ui-bundle.js", "favicon.png"]) -> FileResponse:
    """Serve one of Swagger UI's files."""
    return FileResponse(ASSETS / name, headers={"Cache-Control": "public, max-age=86400"})
