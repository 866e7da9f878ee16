"""The blueprint of the pages that open before anybody has signed in."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("auth", __name__, url_prefix="/auth")
