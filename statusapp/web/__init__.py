"""The web side: one package per blueprint."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the blueprints."""
