"""Where a sign-in came from, told so that its owner knows it again and nobody else learns much."""

from __future__ import annotations

import ipaddress

# The first that is found counts: most browsers name others as well.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
LONGEST_PROGRAM = 40


def browser_name(user_agent: str) -> str:
    """A browser as people call it, as in "Firefox on Linux"; of another program what it says of itself first."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    first = user_agent.split(maxsplit=1)[:1]
    return first[0][:LONGEST_PROGRAM] if first else "A program without a name"


def cut_address(address: str | None) -> str:
    """The network that an address is of: its first 24 bits, of IPv6 48. Empty for what is no address."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    inner = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network((inner, 24 if inner.version == 4 else 48), strict=False))
