"""Statusapp: health monitoring and a status page. Importing the package imports nothing else, so that a host
application can use `statusapp.tracking` without the server's dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings

__version__ = "0.1.0"


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask application. Without `settings` they are read from the environment.

    Raises:
        config.SettingsError: when the environment holds a value that cannot be used.
    """
    from config import load_settings
    from statusapp.application import build

    return build(settings if settings is not None else load_settings())
