"""Addresses and names that stay the same wherever an answer is read: absolute links, and ids for the whole world."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, url_for


def site_url() -> str:
    """Where this site is for the public, without a slash at the end."""
    address: str = current_app.config["SETTINGS"].public_url
    return address


def public_url(endpoint: str, **values: Any) -> str:
    """The address of a route for those who are not on this site."""
    return site_url() + url_for(endpoint, **values)


def incident_url(incident_id: int) -> str:
    """The address of what the page says of an incident."""
    return public_url("status.incident", incident_id=incident_id)


def site_key() -> str:
    """A short name of this installation that no other one has."""
    return hashlib.sha256(site_url().encode()).hexdigest()[:12]


def site_host() -> str:
    """The host name of this installation."""
    return urlsplit(site_url()).hostname or "localhost"


def tag_uri(kind: str, key: int | None = None) -> str:
    """A name for ever, by RFC 4151. The year is part of the name and does not change."""
    name = kind if key is None else f"{kind}/{key}"
    return f"tag:{site_host()},2026:{site_key()}/{name}"
