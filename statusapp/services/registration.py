"""Accounts that people make for themselves, where the operator lets them."""

from __future__ import annotations

from datetime import datetime

from flask import current_app

from config import Settings
from statusapp.domain.enums import Role
from statusapp.domain.errors import AccountExists, RegistrationClosed
from statusapp.models import User
from statusapp.queries.accounts import has_first_account
from statusapp.services.accounts import insert_account
from statusapp.services.credentials import check_email, check_password, hash_password

CLOSED = "Registration is closed. Ask an operator for an account."
NO_OWNER = "There is no account yet. The first one is its owner's, and is made with `flask create_admin`."
SIGN_IN = "Sign in, or have a link to set its password sent to it."


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
        return insert_account(account, None, now)
    except AccountExists as error:
        raise AccountExists(f"{error} {SIGN_IN}") from error
