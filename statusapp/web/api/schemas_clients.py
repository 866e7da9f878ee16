"""API tokens and OAuth applications, as the API takes and gives them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from statusapp.domain.enums import Scope
from statusapp.services.api_clients import LONGEST_NAME
from statusapp.web.api.schemas_fields import Instant, Known, Text, Word

_SCOPES = "What it is for: read; write includes read and is for staff; admin includes both and is for owners; ingest."


def _scopes(**options: Any) -> Any:
    return fields.List(Word(Scope), metadata={"description": _SCOPES, "example": ["read"]}, required=True, **options)


class NewApiClient(Known):
    """A token or an application as it is wanted."""

    name = Text(LONGEST_NAME, 1, required=True, metadata={"example": "deploy", "description": "To know it again by."})
    scopes = _scopes(validate=validate.Length(1, len(Scope)))
    expires_at = Instant(load_default=None, allow_none=True, metadata={"description": "Null for no end."})


class ApiClientItem(Schema):
    """A token or an application. `client_id` is public."""

    client_id = fields.String(required=True, metadata={"example": "Q3rXn0vT6b9KpL2s"})
    name = fields.String(required=True, metadata={"example": "deploy"})
    account = fields.String(required=True, attribute="email", metadata={"description": "Whose it is."})
    scopes = _scopes()
    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    last_used_at = Instant(
        required=True, allow_none=True, metadata={"description": "To the minute; null where that is not known."}
    )
    state = fields.String(
        required=True, validate=validate.OneOf(["valid", "expired", "revoked", "closed"]),
        metadata={"description": "Closed is when its account is."},
    )  # fmt: skip


class NewApiToken(ApiClientItem):
    """A token that was just made; `token` is shown this once."""

    token = fields.String(required=True)


class NewApplication(ApiClientItem):
    """An application that was just made; `client_secret` is shown this once."""

    client_secret = fields.String(required=True)


class ApiTokens(Schema):
    """The API tokens of an account that are not revoked."""

    tokens = fields.List(fields.Nested(ApiClientItem), required=True)


class Applications(Schema):
    """The OAuth applications of an account that are not revoked."""

    applications = fields.List(fields.Nested(ApiClientItem), required=True)


class WhoseQuery(Known):
    """Whose are listed."""

    everyone = fields.Boolean(
        load_default=False, metadata={"description": "Those of all accounts, which owners may see."}
    )


class GrantRequest(Schema):
    """What an application sends for an access token; its id and secret here, or as user and password of HTTP Basic."""

    grant_type = fields.String(required=True, metadata={"enum": ["client_credentials"]})
    scope = fields.String(metadata={"example": "read", "description": "Words with spaces between; all when left out."})
    client_id = fields.String()
    client_secret = fields.String()


class Granted(Schema):
    """An access token, and for how long (seconds) and for what it is."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True, metadata={"enum": ["Bearer"]})
    expires_in = fields.Integer(required=True, metadata={"example": 3600})
    scope = fields.String(required=True, metadata={"example": "read"})


class GrantError(Schema):
    """What is wrong, as RFC 6749 has it."""

    error = fields.String(required=True, metadata={"example": "invalid_client"})
    error_description = fields.String()
