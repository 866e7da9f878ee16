"""What commands share: use cases that refuse, and services and groups that are named on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from statusapp.cli.database import with_database
from statusapp.domain.errors import DomainError
from statusapp.queries.endpoints import find_endpoint, find_group, near_names

Result = TypeVar("Result")


def done(work: Callable[[], Result]) -> Result:
    """What a use case returns; what it refuses becomes one clear line."""
    try:
        return with_database(work)
    except DomainError as error:
        raise click.ClickException(error.message) from error


def endpoint_named(name: str) -> int:
    """The id of the service of this name; without one the command ends and says which names are like it."""
    found = with_database(lambda: find_endpoint(name))
    if found is None:
        near = ", ".join(with_database(lambda: near_names(name)))
        raise click.ClickException(f"there is no endpoint {name!r}." + (f" Did you mean {near}?" if near else ""))
    return found


def group_named(name: str) -> int:
    """The id of the group of this name; without one the command ends."""
    found = with_database(lambda: find_group(name))
    if found is None:
        raise click.ClickException(f"there is no group {name!r}")
    return found
