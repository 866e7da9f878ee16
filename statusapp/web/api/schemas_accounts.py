"""How API clients get in, and the small answers of what was there before lists were."""

from __future__ import annotations

from marshmallow import Schema, fields

from statusapp.domain.enums import Role, Scope
from statusapp.web.api.schemas_fields import Instant, Word


class Credentials(Schema):
    """Who somebody is."""

    email = fields.String(required=True, metadata={"example": "owner@example.org"})
    password = fields.String(required=True, metadata={"example": "correct horse battery"})


class Token(Schema):
    """What goes into the Authorization header, and until when."""

    token = fields.String(required=True)
    expires_at = Instant(required=True)


class ByClient(Schema):
    """The API client that a token belongs to."""

    kind = fields.String(required=True, metadata={"enum": ["token", "application"]})
    client_id = fields.String(required=True)
    name = fields.String(required=True)


class Me(Schema):
    """An account, and what it may do. `scopes`, `client` and `expires_at` are null for a sign-in."""

    id = fields.Integer(required=True)
    email = fields.String(required=True)
    role = Word(Role, required=True)
    scopes = fields.List(Word(Scope), required=True, allow_none=True)
    client = fields.Nested(ByClient, required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)


class Requested(Schema):
    """How many checks will be made."""

    requested = fields.Integer(required=True)


class Taken(Schema):
    """How many requests were in the batch."""

    taken = fields.Integer(required=True)
