"""What a host can set. Wrong values are refused when the options are made, not when the first request comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statusapp.tracking.fields import MAX_WEIGHT
from statusapp.tracking.wire import MAX_SERVICE


class Addresses(StrEnum):
    """How much of a client's address is kept."""

    CUT = "cut"  # To /24 (IPv4) and /48 (IPv6): the network, not the person.
    FULL = "full"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """Settings of `RequestTracking`. The defaults keep nothing that points at a person but the host's own user id.

    Attributes:
        service: what this application is called; 1 to 64 characters.
        host: which machine it runs on; empty for its host name.
        sample_rate: the part of requests that is recorded, 0.0001 to 1. Errors and slow ones always are. Each record
            says how many requests it stands for, so that sums come out right.
        slow_s: from how many seconds on a request is slow in this sense.
        ignored_paths: beginnings of paths that are not recorded, such as "/static/".
        addresses: "cut", "full" or "off".
        keep_users: whether the user id is kept.
        keep_agents: whether product and system of the client's program are kept.
        keep_messages: whether scrubbed messages of errors are kept; without, class and place still are.
        agent_products: names of client programs to be recognised beside the well-known ones, such as ("ShopApp",).
        secret_names: names whose values are secrets, beside the well-known ones, such as ("iban",).
        route_of: gives the route template of a request from its WSGI environment, where no integration does; None for
            one that matched nothing. It must never give the path itself.
        user_of: gives the user's id from the WSGI environment, where no integration does.
        buffer_size: how many records may wait in a process, 100 to 1,000,000; more are dropped and counted.
        flush_s: how long a record waits at most before it is shipped, 0.05 to 60 seconds.

    Raises:
        ValueError: with a sentence that says which option cannot be used, and why.
    """

    service: str = "web"
    host: str = ""
    sample_rate: float = 1.0
    slow_s: float = 1.0
    ignored_paths: tuple[str, ...] = ()
    addresses: str = Addresses.CUT
    keep_users: bool = True
    keep_agents: bool = True
    keep_messages: bool = True
    agent_products: tuple[str, ...] = ()
    secret_names: tuple[str, ...] = ()
    route_of: Callable[[dict[str, Any]], str | None] | None = None
    user_of: Callable[[dict[str, Any]], object] | None = None
    buffer_size: int = 10_000
    flush_s: float = 0.5

    def __post_init__(self) -> None:
        _check_name("service", self.service, 1)
        _check_name("host", self.host, 0)
        _check_number("sample_rate", self.sample_rate, 1 / MAX_WEIGHT, 1)
        _check_number("slow_s", self.slow_s, 0, 24 * 3600)
        _check_number("buffer_size", self.buffer_size, 100, 1_000_000)
        _check_number("flush_s", self.flush_s, 0.05, 60)
        if not isinstance(self.buffer_size, int):
            raise ValueError(f"buffer_size must be a whole number, not {self.buffer_size!r}")
        for name in ("ignored_paths", "agent_products", "secret_names"):
            _check_texts(name, getattr(self, name))
        for path in self.ignored_paths:
            if not path.startswith("/"):
                raise ValueError(f"ignored_paths must begin with a slash, unlike {path!r}")
        if self.addresses not in tuple(Addresses):
            raise ValueError(f"addresses must be one of {', '.join(Addresses)}, not {self.addresses!r}")
        for name in ("keep_users", "keep_agents", "keep_messages"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, not {getattr(self, name)!r}")
        for name in ("route_of", "user_of"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise ValueError(f"{name} must be a function of the WSGI environment, not {getattr(self, name)!r}")


def _check_name(option: str, value: object, least: int) -> None:
    if not isinstance(value, str) or not least <= len(value) <= MAX_SERVICE or not value.isprintable():
        raise ValueError(f"{option} must be a text of {least} to {MAX_SERVICE} printable characters, not {value!r}")


def _check_number(option: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{option} must be a number from {low:g} to {high:g}, not {value!r}")


def _check_texts(option: str, values: object) -> None:
    if not isinstance(values, tuple) or not all(isinstance(text, str) and text for text in values):
        raise ValueError(f"{option} must be a tuple of texts that are not empty, not {values!r}")
