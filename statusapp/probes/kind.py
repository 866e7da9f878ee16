"""What a kind of check consists of. A new kind is one file with a `Kind` in it and one line in `kinds.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from statusapp.domain.observations import Observation
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.guard import Guard

# Fills in the result and returns the facts for the conditions, or None when there is nothing left to judge.
# Raises `ProbeFailed`, `Refused` or OSError for what goes wrong; the deadline is kept outside.
Probe = Callable[[Target, ProbeResult, Guard], Awaitable[Observation | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of check.

    Attributes:
        label: what people call it.
        schemes: how the addresses of this kind begin, before the colon.
        example: an address, for messages.
        options: the class of its options, a frozen dataclass.
        placeholders: what conditions may ask for, beside [RESPONSE_TIME].
        check_address: raises ValueError with a sentence for an address that cannot be checked.
        probe: makes the check; None for HTTP, which has a loop of its own.
    """

    label: str
    schemes: tuple[str, ...]
    example: str
    options: type[Any]
    placeholders: tuple[str, ...]
    check_address: Callable[[str], None]
    probe: Probe | None = None


def check_host_and_port(address: str) -> None:
    """Refuse what is not scheme://host:port and no more."""
    parts = urlsplit(address)
    if not parts.hostname or not parts.port or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("it must name a host and a port, and nothing else")


def check_host(address: str) -> None:
    """Refuse what is not scheme://host with or without a port."""
    parts = urlsplit(address)
    if not parts.hostname or parts.port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("it must name a host, with or without a port")


def check_web_address(address: str) -> None:
    """Refuse what is not an http or https address."""
    parts = urlsplit(address)
    if not parts.hostname or parts.port == 0:
        raise ValueError("it must name a host")
