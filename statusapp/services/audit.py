"""The audit log: who has changed what, and how it was before. Secrets are known to have changed and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.instants import to_us
from statusapp.domain.web_addresses import HIDDEN, masked
from statusapp.extensions import Base
from statusapp.models import AuditEntry
from statusapp.services.vault import WrongKey, current_vault

# Encrypted columns. Each of the secrets in them is told by name.
SEALED = frozenset({"secrets"})
SECRET = frozenset({"password", "password_hash", "secret", "token", "token_hash", "destination"})
# Columns of text that hold JSON.
_JSON_TEXTS = frozenset({"options", "conditions"})
# What each entry says anyway.
_PASSED_OVER = frozenset({"id", "created_at", "updated_at", "touched_at"})
LONGEST_VALUE = 1000
LONGEST_NAME = 254


def record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    kind: AuditKind,
    subject_id: int | None,
    subject: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write into the caller's transaction what was done. A change that changes nothing is not written.

    Args:
        subject: its name, which is known longer than the thing itself.
        before: its fields before; None for what was not there.
        after: its fields now; None for what is gone. Of both, what differs is kept, and of secrets only that.
    """
    changes = differences(before or {}, after or {})
    if action is AuditAction.CHANGED and not changes:
        return
    session.add(
        AuditEntry(
            at=to_us(now),
            account_id=actor.account_id,
            actor=actor.name[:LONGEST_NAME],
            via=actor.via,
            action=action,
            kind=kind,
            subject_id=subject_id,
            subject=subject[:LONGEST_NAME],
            changes=changes,
        )
    )


def fields_of(row: Base, **more: Any) -> dict[str, Any]:
    """The columns of a row as `record` takes them, as they are now; `more` for what other tables say of it."""
    return {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs} | more


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each field that differs, with its value before and after, fit to be stored and shown."""
    old, new = _opened(before), _opened(after)
    return {
        name: [_shown(name, old.get(name)), _shown(name, new.get(name))]
        for name in dict.fromkeys([*old, *new])
        if name not in _PASSED_OVER and old.get(name) != new.get(name)
    }


def _opened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with each value of an encrypted column, a JSON text and a mapping in a field of its own.

    So a change of one of many is seen as that, and secrets are compared by what they are: sealing gives another text
    each time. What is empty is None.
    """
    found: dict[str, Any] = {}
    for name, given in fields.items():
        value = _read(name, given)
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": one for key, one in value.items()}
        else:
            found[name] = None if value in ("", [], ()) else value
    return found


def _read(name: str, value: Any) -> Any:
    """What a column holds. What another key has sealed stays as it is, and differs from all others."""
    if not value:
        return value
    if name in _JSON_TEXTS:
        return json.loads(value)
    try:
        return current_vault().open(value) if name in SEALED else value
    except WrongKey:
        return value


def _shown(name: str, value: Any) -> Any:
    """A value as JSON keeps it."""
    outer, _, inner = name.partition(".")
    shown: Any = value
    if value is None:
        shown = None
    elif isinstance(value, bytes) or outer in SEALED or (inner or outer) in SECRET:
        shown = HIDDEN
    elif isinstance(value, Mapping):
        shown = {str(key): _shown(str(key), one) for key, one in value.items()}
    elif isinstance(value, list | tuple):
        shown = [_shown(name, one) for one in value]
    elif isinstance(value, set | frozenset):
        shown = sorted((_shown(name, one) for one in value), key=str)
    elif isinstance(value, Enum) or not isinstance(value, bool | int | float):
        shown = _text(name, value)
    return shown


def _text(name: str, value: Any) -> str:
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = masked(str(value)) if name == "url" or name.endswith("_url") else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
