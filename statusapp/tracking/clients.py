"""Who asked, cut down: the network instead of the address, well-known names instead of the user agent's own text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from statusapp.tracking.fields import MAX_AGENT
from statusapp.tracking.options import Addresses

OTHER_AGENT = "other"

# Everything that may come out; so nothing else that somebody writes into a User-Agent ever does. What stands first is
# taken first: most browsers call themselves by the names of others too.
_PRODUCTS = (
    "Googlebot", "Google-InspectionTool", "bingbot", "YandexBot", "DuckDuckBot", "Baiduspider", "Applebot", "GPTBot",
    "ClaudeBot", "CCBot", "facebookexternalhit", "Twitterbot", "LinkedInBot", "Slackbot", "Discordbot", "TelegramBot",
    "WhatsApp", "UptimeRobot", "Pingdom", "StatusCake", "statusapp", "Prometheus", "kube-probe", "ELB-HealthChecker",
    "GoogleHC", "HeadlessChrome", "EdgA", "EdgiOS", "Edg", "OPR", "Vivaldi", "YaBrowser", "SamsungBrowser", "UCBrowser",
    "CriOS", "FxiOS", "Firefox", "Chromium", "Chrome", "Safari", "curl", "Wget", "HTTPie", "PostmanRuntime", "insomnia",
    "python-requests", "python-httpx", "python-urllib3", "Python-urllib", "aiohttp", "Go-http-client", "okhttp",
    "Apache-HttpClient", "Java", "Dalvik", "CFNetwork", "axios", "node-fetch", "undici", "node", "Ruby", "Faraday",
    "GuzzleHttp", "PHP", "libwww-perl", "reqwest", "Dart", "Werkzeug", "ApacheBench", "k6", "Mozilla",
)  # fmt: skip
_SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Macintosh", "macOS"), ("Android", "Android"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def cut_address(text: str, policy: str) -> str:
    """A client's address as it may be kept: an IPv4 one without its last 8 bits, an IPv6 one without its last 80.

    An IPv4 address inside an IPv6 one (::ffff:192.0.2.1) is taken out first. What is no address is none at all.
    """
    if policy == Addresses.OFF:
        return ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if policy == Addresses.FULL:
        return str(address)
    keep = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, keep), strict=False).network_address)


class Agents:
    """Shortens user agents."""

    def __init__(self, more_products: Iterable[str] = ()) -> None:
        """With `more_products` recognised before the well-known ones."""
        names = (*more_products, *_PRODUCTS)
        self._names = {name.lower(): (place, name) for place, name in enumerate(names)}
        alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        # The major version only, and none of more than three digits, in which something else might hide.
        self._find = re.compile(rf"(?<![\w-])({alternatives})(?![\w-])(?:/v?(\d{{1,3}})(?!\d))?", re.IGNORECASE).findall

    def shorten(self, text: str) -> str:
        """Product, major version and system, as in "Firefox/128 Windows"; OTHER_AGENT for one that is not known."""
        found = [(*self._names[name.lower()], version) for name, version in self._find(text)]
        if not found:
            return OTHER_AGENT if text else ""
        _, product, version = min(found)
        system = next((name for mark, name in _SYSTEMS if mark in text), "")
        if product == "Safari":
            version = next(iter(re.findall(r"Version/(\d{1,3})(?!\d)", text)), "")
        return f"{product}{'/' * bool(version)}{version} {system}".strip()[:MAX_AGENT]
