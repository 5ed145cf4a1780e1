"""What happens around every request, as plain ASGI: request id, access log, security headers, hosts, limits."""

import logging
import re
import time
import uuid
from collections.abc import Collection
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imageserver.api.problems import problem_response, respond_to_unexpected
from imageserver.errors import NotAcceptable
from imageserver.logs import request_id
from imageserver.settings import host_without_port

access_log = logging.getLogger("imageserver.access")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # addresses carry UIDs
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",  # fetches allowed by CORS are not affected
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "max-age=31536000"

MAX_BODY_BYTES = 1024 * 1024
MAX_LOGIN_BODY_BYTES = 8 * 1024
MAX_UNREAD_BYTES = 64 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
MAX_ACCEPT_PARTS = 64
HEADER_OVERHEAD = len(": \r\n")
_STORE = re.compile(r"/dicomweb/studies(/[^/]*)?")


class RequestContext:
    """Gives each request an id, adds the security headers, and writes one access line when it is answered.

    The line has the route's template instead of the address, because addresses carry UIDs and query strings may
    carry names.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = uuid.uuid4().hex
        token = request_id.set(identifier)
        scope.setdefault("state", {})["request_id"] = identifier
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identifier
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = HSTS
                if "origin" not in headers.get("vary", "").lower():
                    headers.add_vary_header("Origin")
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            fields = _access_fields(scope, status, time.perf_counter() - started)
            access_log.log(_access_level(fields), "request", extra=fields)
            request_id.reset(token)


def _access_fields(scope: Scope, status: int, seconds: float) -> dict[str, Any]:
    route = scope.get("route")
    return {
        "method": scope["method"],
        "route": getattr(route, "path", None),
        "status": status,
        "code": scope["state"].get("code"),
        "milliseconds": round(seconds * 1000, 1),
        "user": scope["state"].get("username"),
    }


def _access_level(fields: dict[str, Any]) -> int:
    # A container's health check asks every few seconds; its lines would bury the set-up link.
    is_quiet_probe = fields["route"] in {"/healthz", "/readyz"} and fields["status"] == 200
    return logging.DEBUG if is_quiet_probe else logging.INFO


class CatchUnexpected:
    """Answers 500 inside the CORS layer, so that a page may read the problem and its request id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an error after the first byte can only end the connection."""
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http" or has_started:
                raise
            await respond_to_unexpected(error)(scope, receive, send)


class AllowedHosts:
    """Refuses requests under a host name that the settings do not know (DNS rebinding, poisoned links)."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 400."""
        if scope["type"] == "http":
            values = Headers(scope=scope).getlist("host")
            if len(values) != 1 or host_without_port(values[0]) not in self.hosts:
                response = problem_response(
                    400,
                    "host_not_allowed",
                    "Host not allowed",
                    "The server is not reachable under this host name. IMAGESERVER_ALLOWED_HOSTS lists more names.",
                    {"Cross-Origin-Resource-Policy": "cross-origin"},  # a page may tell it from silence
                )
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


class HeaderLimit:
    """Refuses more request headers, and more kinds of answers, than any client needs; the parser has no limit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 406, or 431 and close the connection."""
        if scope["type"] == "http":
            headers = scope["headers"]
            size = sum(len(name) + len(value) + HEADER_OVERHEAD for name, value in headers)
            if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
                response = problem_response(
                    431,
                    "headers_too_large",
                    "Request headers too large",
                    f"A request may have at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes together.",
                    {"Connection": "close"},
                )
                await response(scope, receive, send)
                return
            accepted = b",".join(value for name, value in headers if name == b"accept")
            if accepted.count(b",") >= MAX_ACCEPT_PARTS:
                detail = f"The header Accept may have at most {MAX_ACCEPT_PARTS} parts."
                response = problem_response(406, NotAcceptable.code, NotAcceptable.title, detail)
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope.setdefault("state", {})["is_head"] = True  # who streams need not make what is dropped here
        await self.app({**scope, "method": "GET"}, receive, send_without_body)


class BodyLimit:
    """Refuses bodies that are larger than any request here needs, counted while they arrive.

    A connection whose request was answered before its body was read is closed where more than a little is to come:
    the server would read all of it otherwise.
    """

    def __init__(self, app: ASGIApp, store_bytes: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.store_bytes = store_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 413 and close the connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope)
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        received = 0
        is_whole = int(declared) <= MAX_UNREAD_BYTES and "transfer-encoding" not in headers

        async def count() -> Message:
            nonlocal received, is_whole
            message = await receive()
            received += len(message.get("body", b""))
            is_whole = is_whole or not message.get("more_body", False)
            if received > limit:
                raise ClientDisconnect  # ends whatever reads the body
            return message

        async def send_unless_too_large(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_whole:
                MutableHeaders(scope=message)["Connection"] = "close"
            if received <= limit:
                await send(message)

        try:
            await self.app(scope, count, send_unless_too_large)
        except ClientDisconnect:
            if received <= limit:
                raise
        if received > limit:
            await _too_large(limit)(scope, receive, send)

    def _limit(self, scope: Scope) -> int:
        if _is_store(scope):
            return self.store_bytes
        return MAX_LOGIN_BODY_BYTES if scope["path"].startswith("/auth/") else MAX_BODY_BYTES


def _is_store(scope: Scope) -> bool:
    """Tell whether a request stores instances: the one whose body may be large."""
    return scope["method"] == "POST" and _STORE.fullmatch(scope["path"]) is not None


def _too_large(limit: int) -> ASGIApp:
    detail = f"The request body may have at most {limit} bytes here."
    return problem_response(413, "content_too_large", "Content too large", detail, {"Connection": "close"})
