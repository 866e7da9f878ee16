"""What can go wrong in a use case, in words that may be shown to whoever asked.

DomainError
+-- InvalidInput       a value cannot be used; `field` names it
+-- AccountExists      the first account has been made already, or an address has an account
+-- RegistrationClosed nobody may make an account, or not yet
+-- WrongToken         a one-time token is unknown or was replaced
+-- TokenRefused       a token of the API is good for nothing; the message says why
+-- WrongCredentials   email and password do not belong together, or the account is closed
+-- NotFound           there is nothing of this number or name
+-- InvalidMove        an incident cannot pass to this status from the one it has
"""

from __future__ import annotations


class DomainError(Exception):
    """A use case cannot go on. The message is a sentence for people and holds no secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DomainError):
    """The value of `field` cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class AccountExists(DomainError):
    """The account that was to be made exists."""


class RegistrationClosed(DomainError):
    """Nobody may make an account for themselves."""


class WrongToken(DomainError):
    """The one-time token does not open anything."""


class TokenRefused(DomainError):
    """A token of the API, or an application's secret, is good for nothing, or not any more."""


class WrongCredentials(DomainError):
    """Nobody is signed in by these credentials. The message never says which part was wrong."""


class NotFound(DomainError):
    """There is nothing of this number or name."""


class InvalidMove(DomainError):
    """An incident cannot pass to this status from the one it has."""
