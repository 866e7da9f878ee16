"""What a command says when the database cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

Result = TypeVar("Result")


def with_database(work: Callable[[], Result]) -> Result:
    """What `work` returns; a database that cannot be used becomes one clear line."""
    try:
        return work()
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(
            f"the database cannot be used ({error.orig}). Is DATABASE_URL right, and has `flask db upgrade` been run?"
        ) from error
