"""Which pages may call the API (docs/decisions/0006-cors-and-hosts-by-settings.md)."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from imageserver.api.problems import problem_response
from imageserver.errors import OriginNotAllowed


class Cors(CORSMiddleware):
    """Starlette's, but a refused preflight is a problem document, and allows nothing of what was asked for."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        if not self.is_allowed_origin(request_headers["origin"]):
            detail = (
                "Pages of this origin may not use the API. IMAGESERVER_CORS_ORIGINS lists those that may."
            )
            return problem_response(403, OriginNotAllowed.code, OriginNotAllowed.title, detail)
        detail = "Pages may not call the API by this method, or with these headers."
        return problem_response(400, "bad_request", "Bad request", detail)
