"""What the signed-in account may do beyond opening a page."""

from __future__ import annotations

from flask_login import current_user

from statusapp.domain.enums import Role


def is_owner() -> bool:
    """Whether it may change secrets and delete things."""
    return bool(current_user.account.role >= Role.OWNER)
