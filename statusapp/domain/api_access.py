"""What programs may do by a token: its scopes, what the role of its account leaves of them, and how it is written."""

from __future__ import annotations

import re
import string
import zlib
from collections.abc import Iterable
from enum import StrEnum

from statusapp.domain.enums import Role, Scope

# What an account must be to do what a scope is for. Of the first three each includes the ones before it.
LEAST_ROLE = {Scope.READ: Role.VIEWER, Scope.WRITE: Role.STAFF, Scope.ADMIN: Role.OWNER, Scope.INGEST: Role.STAFF}
_LADDER = (Scope.READ, Scope.WRITE, Scope.ADMIN)

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 16
# 62 to the power of 43 is a little more than 2 to the power of 256.
SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6


class Prefix(StrEnum):
    """What a token begins with, so that people and programs that look for leaked ones know what it is."""

    TOKEN = "sa_"  # noqa: S105 - the beginning that all of them have
    CLIENT_SECRET = "sas_"  # noqa: S105
    ACCESS_TOKEN = "sat_"  # noqa: S105


_SHAPES = {
    Prefix.TOKEN: re.compile(f"sa_([0-9A-Za-z]{{{ID_LENGTH}}})_[0-9A-Za-z]{{{SECRET_LENGTH + _CHECKSUM_LENGTH}}}"),
    Prefix.CLIENT_SECRET: re.compile(f"sas_()[0-9A-Za-z]{{{SECRET_LENGTH + _CHECKSUM_LENGTH}}}"),
    Prefix.ACCESS_TOKEN: re.compile(f"sat_()[0-9A-Za-z]{{{SECRET_LENGTH + _CHECKSUM_LENGTH}}}"),
}


def is_client_id(text: str) -> bool:
    """Whether a text can be a client's id at all. Only such are looked for."""
    return len(text) == ID_LENGTH and all(character in ALPHABET for character in text)


def mask_of(scopes: Iterable[Scope]) -> int:
    """Scopes as they are stored: a bit each."""
    return sum(1 << scope for scope in set(scopes))


def scopes_of(mask: int) -> frozenset[Scope]:
    """The scopes of a stored number."""
    return frozenset(scope for scope in Scope if mask >> scope & 1)


def with_included(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes with those that they include: whoever may write may read."""
    given = frozenset(scopes)
    highest = max((_LADDER.index(scope) for scope in given if scope in _LADDER), default=-1)
    return given | frozenset(_LADDER[: highest + 1])


def is_allowed(scopes: Iterable[Scope], role: Role, wanted: Scope) -> bool:
    """Whether a token may do something: its scopes include it, and its account may do it now."""
    return wanted in with_included(scopes) and role >= LEAST_ROLE[wanted]


def role_within(scopes: Iterable[Scope], role: Role) -> Role:
    """As whom a token acts: never as more than its scopes are for, and never as more than its account is now."""
    included = with_included(scopes)
    return min(role, max((LEAST_ROLE[scope] for scope in _LADDER if scope in included), default=Role.VIEWER))


def write_token(prefix: Prefix, client_id: str, secret: str) -> str:
    """A token's text. Its end is a checksum, so that a mistyped one needs no look into the database."""
    body = f"{prefix}{client_id}_{secret}" if prefix is Prefix.TOKEN else f"{prefix}{secret}"
    return body + _checksum(body)


def prefix_of(text: str) -> Prefix | None:
    """Which kind of token a text claims to be; None for those that have no prefix, as sessions.

    A session's token is random and may begin like one of these by chance, but is shorter than all of them.
    """
    for prefix in Prefix:
        if text.startswith(prefix) and len(text) > len(prefix) + SECRET_LENGTH:
            return prefix
    return None


def read_token(prefix: Prefix, text: str) -> str | None:
    """The client's id in a token of that kind, empty where it holds none; None when it is not whole."""
    found = _SHAPES[prefix].fullmatch(text)
    if found is None or _checksum(text[:-_CHECKSUM_LENGTH]) != text[-_CHECKSUM_LENGTH:]:
        return None
    return found[1]


def _checksum(body: str) -> str:
    """CRC-32 in base 62, as the tokens of GitHub and npm have it."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
