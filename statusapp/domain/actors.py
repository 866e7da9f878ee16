"""Who does something: an account, whoever sits at the command line, or the product itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose doing a change is. `name` is the account's email address, so that it is known after the account is gone.

    `via` is the API client by which it was done, None for people themselves.
    """

    account_id: int | None
    name: str
    via: str | None = None


COMMAND_LINE = Actor(None, "command line")
SYSTEM = Actor(None, "system")
