"""Where a request comes from."""

from fastapi import Request

from imageserver.accounts.networks import client_network


def client_address(request: Request) -> str | None:
    """Return the address of the client, or of the first hop that is no trusted proxy."""
    return request.client.host[:64] if request.client else None


def network_of(request: Request) -> str:
    """Return the network that failures are counted for."""
    return client_network(client_address(request))
