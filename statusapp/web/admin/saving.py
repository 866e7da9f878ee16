"""How a form becomes a change, or a message beside the field that is at fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_wtf import FlaskForm

from statusapp.domain.errors import DomainError, InvalidInput


def is_saved(form: FlaskForm, save: Callable[[], Any], names: Mapping[str, str] | None = None) -> bool:
    """Whether a form was sent and could be read, and `save` has taken it. What is wrong is told beside its field.

    Args:
        names: the fields of the form by what the service calls them, where these differ.
    """
    if not form.is_submitted() or not form.validate():
        return False
    try:
        save()
    except InvalidInput as error:
        tell(form, (names or {}).get(error.field, error.field), error)
        return False
    return True


def tell(form: FlaskForm, name: str, error: DomainError) -> None:
    """Write what is wrong beside a field, or beside the first where the form has none of the name."""
    field = form[name] if name in form else next(field for field in form if field.name != "csrf_token")
    field.errors = [*field.errors, error.message]


def status_of(form: FlaskForm) -> int:
    """The status of a form's page: 400 when something in it is wrong."""
    return 400 if form.errors else 200
