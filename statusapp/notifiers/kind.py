"""What a kind of channel is: how its destination is checked and shown, and how a message is sent to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from statusapp.domain.messages import Message
from statusapp.probes.guard import Guard

# What a channel's secrets hold: the whole address, passwords and the like, by name.
Destination = Mapping[str, Any]


class DeliveryError(Exception):
    """A message was not taken.

    `permanent` is when trying again would not help; `retry_after` the seconds that the receiver asked us to wait.
    """

    def __init__(self, message: str, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after


class InvalidDestination(ValueError):
    """A channel cannot lead there; the message says what would be right and holds no secret."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What all sending of an installation has in common, and the one sending's own deadline and time.

    `now` is in seconds since the epoch. `smtp_url` is the setting, for channels without a server of their own.
    """

    guard: Guard
    user_agent: str
    smtp_url: str | None
    deadline_s: float
    now: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of channel.

    `check` returns the destination as it is kept, or raises `InvalidDestination`. `show` is what operators may see of
    it. `secrets` are the texts that no answer may repeat. `send` returns what the receiver said, or raises
    `DeliveryError`.
    """

    name: str
    label: str
    example: str
    check: Callable[[Destination], dict[str, Any]]
    show: Callable[[Destination], str]
    secrets: Callable[[Destination], tuple[str, ...]]
    send: Callable[[Destination, Message, Sending], str]


def is_permanent(status_code: int) -> bool:
    """Whether an HTTP status says that the same message will never be taken."""
    return 400 <= status_code < 500 and status_code not in (408, 425, 429)
