"""The guard at the door to the network: every connection of every probe is judged here, at connect time."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from statusapp.domain.addresses import refusal


class Refused(Exception):
    """A connection that must not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses may be connected to. `allow_private`: also private and loopback ranges."""

    allow_private: bool = True

    def check(self, address: str) -> None:
        """Let an address pass.

        Raises:
            Refused: when it must not be connected to.
        """
        reason = refusal(address, self.allow_private)
        if reason is not None:
            raise Refused(reason)

    def open_socket(self, family: int, kind: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
        """A socket for libcurl to connect to `address`, as (ip, port, ...).

        Raises:
            Refused: when it must not be connected to.
        """
        self.check(address[0])
        return _Handed(family, kind, protocol)


class _Handed(socket.socket):
    """A socket that libcurl gets: it takes a duplicate of the descriptor, and ours goes with this object."""

    def __del__(self) -> None:
        self.close()
