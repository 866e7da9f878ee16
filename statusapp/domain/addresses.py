"""Where a check may go: the judgement on an address that is about to be connected to.

It is made on the address itself, at connect time and on every hop, because a name may have resolved to another
address when it was looked at before (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Services that hand out credentials to whoever asks from inside; most lie in the link-local range besides.
_METADATA = {
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254")
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_6TO4 = ipaddress.ip_network("2002::/16")


@lru_cache(maxsize=4096)
def refusal(address: str, allow_private: bool) -> str | None:
    """Why a check must not connect to `address`, or None when it may.

    Args:
        address: as text, IPv4 or IPv6, perhaps with a zone.
        allow_private: whether private and loopback ranges are targets too. Metadata and link-local addresses never are.
    """
    try:
        inner = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return f"{address} is not an address"
    if inner in _METADATA:
        return f"{address} is a cloud metadata service, which is never checked"
    if inner.is_link_local:
        return f"{address} is a link-local address, which is never checked"
    if inner.is_multicast or inner.is_unspecified or inner == ipaddress.ip_address("255.255.255.255"):
        return f"{address} is no address of a server"
    if not allow_private and (not inner.is_global or inner in _SHARED):
        return f"{address} is a private address, and ALLOW_PRIVATE_TARGETS is false"
    return None


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries (mapped, compatible, NAT64, 6to4, Teredo), else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    number = int(address)
    inner = address.ipv4_mapped
    if address in _NAT64 or 1 < number <= 0xFFFFFFFF:
        inner = ipaddress.IPv4Address(number & 0xFFFFFFFF)
    elif address in _6TO4:
        inner = ipaddress.IPv4Address((number >> 80) & 0xFFFFFFFF)
    elif address.teredo is not None:
        inner = address.teredo[1]
    return inner or address
