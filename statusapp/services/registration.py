"""Accounts that people make for themselves, where the operator lets them."""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from sqlalchemy.exc import IntegrityError

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind, Role
from statusapp.domain.errors import AccountExists, RegistrationClosed
from statusapp.extensions import db
from statusapp.models import User
from statusapp.queries.accounts import has_first_account
from statusapp.services import audit
from statusapp.services.credentials import check_email, check_password, hash_password

CLOSED = "Registration is closed. Ask an operator for an account."
NO_OWNER = "There is no account yet. The first one is its owner's, and is made with `flask create_admin`."
TAKEN = "There is an account of this address already. Sign in, or have a link to set its password sent to it."


def check_registration() -> None:
    """See whether anybody may make an account.

    Raises:
        RegistrationClosed: when not; the message says who can help.
    """
    settings: Settings = current_app.config["SETTINGS"]
    if settings.registration != "open":
        raise RegistrationClosed(CLOSED)
    # Else the first stranger would keep the operator from ever being told to make the owner's.
    if not has_first_account():
        raise RegistrationClosed(NO_OWNER)


def register(email: str, password: str, now: datetime) -> int:
    """Make a viewer's account with its password; its id.

    Raises:
        RegistrationClosed: as `check_registration` does.
        InvalidInput: when email or password cannot be used.
        AccountExists: when the address has an account.
    """
    check_registration()
    account = User(
        email=check_email(email),
        password_hash=hash_password(check_password(password)),
        role=Role.VIEWER,
        is_active=True,
        created_at=now,
        password_set_at=now,
    )
    try:
        with write_transaction(db.session) as session:
            session.add(account)
            session.flush()
            actor, after = Actor(account.id, account.email), audit.fields_of(account)
            audit.record(
                session, actor, AuditAction.ADDED, AuditKind.ACCOUNT, account.id, account.email, now, after=after
            )
    except IntegrityError as error:
        raise AccountExists(TAKEN) from error
    return account.id
