"""Which client addresses count as one: an IPv4 address, or the /64 that an IPv6 customer gets."""

import ipaddress

UNKNOWN = "unknown"


def client_network(address: str | None) -> str:
    """Return the network that failed log-ins are counted for; at most 64 characters."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed.ipv4_mapped)
    return str(parsed)
