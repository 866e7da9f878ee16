"""API tokens and applications for tests, and how they are shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from statusapp.domain.actors import Actor
from statusapp.services.api_clients import NewClient

TOKENS, APPLICATIONS = "/api/v1/auth/tokens/", "/api/v1/auth/oauth/applications/"
GRANT, ME, LOGOUT = "/api/v1/auth/oauth/token/", "/api/v1/auth/me/", "/api/v1/auth/logout/"
ENDPOINTS, GROUPS, CHANNELS = "/health/api/endpoints/", "/health/api/groups/", "/health/api/channels/"
FORM = {"grant_type": "client_credentials"}
SYSTEM = Actor(None, "test")
MakeClient = Callable[..., NewClient]


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> dict[str, str]:
    """The header that shows a name and a password."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def words(answer: Any) -> str:
    """What an error says."""
    return str(answer.json["error"]["message"])
