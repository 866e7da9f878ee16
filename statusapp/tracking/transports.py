"""Where batches go. A transport is used by one thread at a time, and never by a request."""

from __future__ import annotations

from typing import Protocol


class TransportError(Exception):
    """A batch was not taken.

    Attributes:
        permanent: it never will be; else it is worth another try.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Transport(Protocol):
    """What the shipping thread needs of one."""

    def send(self, document: bytes) -> None:
        """Hand a document over, within seconds.

        Raises:
            TransportError: it was not taken. Any other exception counts as one that is worth another try.
        """

    def reset(self) -> None:
        """Forget connections: this process has been forked from the one that made them."""

    def close(self) -> None:
        """Close connections. Another `send` opens them again."""
