"""Email addresses, passwords and one-time tokens: what may be used, and what is kept of it."""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from statusapp.domain.errors import InvalidInput

PASSWORD_MIN_LENGTH = 12
# Longer ones are refused before they are hashed: hashing is meant to be slow.
PASSWORD_MAX_LENGTH = 1024
EMAIL_MAX_LENGTH = 254

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

# Argon2id as OWASP advises where memory is dear: 19 MiB and two passes. The library's default of 64 MiB would let eight
# sign-ins at once take half a gigabyte. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_email(email: str) -> str:
    """The normal form of an email address: trimmed and in lower case.

    Raises:
        InvalidInput: when it does not look like an address.
    """
    text = email.strip().lower()
    if not text:
        raise InvalidInput("email", "Enter an email address.")
    if len(text) > EMAIL_MAX_LENGTH or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise InvalidInput("email", "This does not look like an email address.")
    return text


def check_password(password: str) -> str:
    """A password that may be set, unchanged.

    Raises:
        InvalidInput: when it is too short or too long.
    """
    if not password:
        raise InvalidInput("password", "Enter a password.")
    if len(password) < PASSWORD_MIN_LENGTH:
        raise InvalidInput("password", f"Use at least {PASSWORD_MIN_LENGTH} characters.")
    if len(password) > PASSWORD_MAX_LENGTH:
        raise InvalidInput("password", f"Use at most {PASSWORD_MAX_LENGTH} characters.")
    if not _is_encodable(password):
        raise InvalidInput("password", "This password has characters that cannot be used.")
    return password


def hash_password(password: str) -> str:
    """What is stored of a password. It takes some hundredths of a second and 19 MiB, so no lock is held meanwhile."""
    return _hasher.hash(password)


def hash_of_no_password() -> str:
    """A hash that no password fits, for an account whose owner has not chosen one."""
    return _hasher.hash(secrets.token_urlsafe(32))


def fits(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one of a hash. Without a hash it takes as long, and does not fit."""
    if len(password) > PASSWORD_MAX_LENGTH or not _is_encodable(password):
        return False
    try:
        _hasher.verify(password_hash or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(password_hash)


def new_token() -> str:
    """A token of 256 random bits for a cookie or a link. Whoever makes one keeps its `digest` alone."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def is_same(stored: bytes | None, given: bytes) -> bool:
    """Whether two digests are the same, found out in the same time whatever they are."""
    return stored is not None and secrets.compare_digest(stored, given)


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    """The hash that is checked for addresses without an account."""
    return hash_of_no_password()


def _is_encodable(text: str) -> bool:
    """Whether the text has no half of a surrogate pair, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
