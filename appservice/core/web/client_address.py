"""The client's address of a request, also behind a reverse proxy. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Networks = Sequence[IPv4Network | IPv6Network]

_HOST_BITS = 64


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def bucket_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or an IPv6 network of 64 bits, which one customer has."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> _HOST_BITS << _HOST_BITS, _HOST_BITS)))
    return str(parsed)


def is_within(address: str, networks: Networks) -> bool:
    """Return whether an address lies in one of the networks; what is no address does not."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def client_of(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """Return the client's address: the last one in `X-Forwarded-For` that no trusted proxy is, else the peer.

    `forwarded` are the header's values. What a client wrote itself stands before what proxies wrote: it never counts.
    """
    client = peer
    for each in reversed([part.strip() for value in forwarded for part in value.split(",")]):
        if not is_within(client, trusted) or _parsed(each) is None:
            break
        client = each
    return client
