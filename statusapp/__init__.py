"""Statusapp: health monitoring and a status page. Importing the package imports nothing else, so that a host
application can use `statusapp.tracking` without the server's dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings

__version__ = "0.1.0"


def create_app(settings: Settings | None = None, *, with_web: bool = True) -> Flask:
    """The Flask application. Without `settings` they are read from the environment.

    Args:
        with_web: whether it answers requests. Workers do not: what they never load costs them neither time nor memory.

    Raises:
        config.SettingsError: when the environment holds a value that cannot be used.
    """
    from config import load_settings
    from statusapp.application import build

    return build(settings if settings is not None else load_settings(), with_web=with_web)
