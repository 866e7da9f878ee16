"""The kinds of checks that there are. To add one, copy a neighbour's file and add its line here."""

from __future__ import annotations

from statusapp.probes import dns, heartbeat, tcp, tls
from statusapp.probes.http_options import HttpOptions
from statusapp.probes.kind import Kind, check_web_address

HTTP = Kind(
    "HTTP",
    ("http", "https"),
    "https://example.org/",
    HttpOptions,
    ("STATUS", "IP", "CONNECTED", "BODY", "HEADER", "CERTIFICATE_EXPIRATION"),
    check_web_address,
)

KINDS = (HTTP, tcp.KIND, tls.KIND, dns.KIND, heartbeat.KIND)
BY_SCHEME = {scheme: kind for kind in KINDS for scheme in kind.schemes}


def kind_of(url: str) -> Kind:
    """The kind of check that an address stands for.

    Raises:
        ValueError: when it is of none.
    """
    kind = BY_SCHEME.get(url.partition(":")[0].lower())
    if kind is None:
        raise ValueError(f"an address begins with one of {', '.join(f'{scheme}:' for scheme in BY_SCHEME)}")
    return kind
