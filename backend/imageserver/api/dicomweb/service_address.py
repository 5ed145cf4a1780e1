"""The address of the service, as it stands in answers: ``RetrieveURL``, ``BulkDataURI``, capabilities."""

from fastapi import Request

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LEAVES_THE_PORT_OUT = "python-requests/"
# Any of them says that the connection is not the client's own, so that its port says nothing.
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")


def service_address(request: Request) -> str:
    """Return the address of the service as its client calls it, without a slash at the end."""
    return f"{server_address(request)}/dicomweb"


def server_address(request: Request) -> str:
    """Return the address of the server as its client calls it, without a slash at the end.

    `dicomweb-client` for Python leaves the port out of ``Host``; an address without it would lead nowhere. So it gets
    the port of the connection, unless a proxy stands in between. For others no port means the scheme's own, whatever
    port that is mapped to.
    """
    base = request.base_url
    server = request.scope.get("server")
    if (
        base.port is None
        and request.headers.get("user-agent", "").startswith(_LEAVES_THE_PORT_OUT)
        and server is not None
        and server[1] not in (None, _DEFAULT_PORTS.get(base.scheme))
        and not any(name in request.headers for name in _OF_PROXIES)
    ):
        base = base.replace(port=server[1])
    return str(base).rstrip("/")
