"""Secrets at rest: encrypted with a key that lies outside the database.

The key's fingerprint is in the database, so that a process with another key stops at its start instead of making checks
without their passwords.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app

from config import Settings, SettingsError
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.models import EncryptionKey

_PURPOSE = b"statusapp secrets at rest"


class WrongKey(Exception):
    """A secret cannot be read with this key."""


class Vault:
    """Seals and opens values with one key."""

    def __init__(self, key: str) -> None:
        # The key is a generated one or a long text of the operator's; either way it becomes 32 bytes.
        derived = hashlib.blake2b(key.encode(), digest_size=32, person=_PURPOSE[:16]).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))
        self.fingerprint = hashlib.sha256(derived + _PURPOSE).hexdigest()

    def seal(self, values: dict[str, Any]) -> str:
        """`values` as a text that only this key opens."""
        return self._fernet.encrypt(json.dumps(values).encode()).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """What was sealed.

        Raises:
            WrongKey: when it was sealed with another key, or has been changed since.
        """
        try:
            opened: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise WrongKey("its secrets cannot be read with this ENCRYPTION_KEY") from error
        return opened


@lru_cache(maxsize=8)
def _vault(key: str) -> Vault:
    return Vault(key)


def current_vault() -> Vault:
    """The vault of this installation; needs an application context."""
    settings: Settings = current_app.config["SETTINGS"]
    return _vault(settings.encryption_key)


def check_key() -> None:
    """Remember the key's fingerprint at the first start, and refuse another key at every later one.

    Raises:
        SettingsError: when the database's secrets are encrypted with another key.
    """
    fingerprint = current_vault().fingerprint
    with write_transaction(db.session) as session:
        known = session.get(EncryptionKey, 1)
        if known is None:
            session.add(EncryptionKey(id=1, fingerprint=fingerprint))
        elif known.fingerprint != fingerprint:
            raise SettingsError(
                "ENCRYPTION_KEY is not the key that this database's secrets are encrypted with. Without the setting it "
                "is the file encryption_key in INSTANCE_PATH: bring back that file, or set the old key."
            )
