"""Who is asking: a browser that wants a page, or a program that wants JSON."""

from __future__ import annotations

from flask import request

API_PREFIXES = ("/api/", "/health/api/", "/health/status-page-api/")


def prefers_html() -> bool:
    """Whether the client asks for a page before JSON. A monitor's `*/*`, or no word at all, means JSON."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def wants_json() -> bool:
    """Whether an error is told as JSON: always on API paths, elsewhere to whoever does not ask for a page."""
    return request.path.startswith(API_PREFIXES) or not prefers_html()
