"""How API clients get in, and the small answers of what was there before lists were."""

from __future__ import annotations

from marshmallow import Schema, fields

from statusapp.domain.enums import Role
from statusapp.web.api.schemas_fields import Instant, Word


class Credentials(Schema):
    """Who somebody is."""

    email = fields.String(required=True, metadata={"example": "owner@example.org"})
    password = fields.String(required=True, metadata={"example": "correct horse battery"})


class Token(Schema):
    """What goes into the Authorization header, and until when."""

    token = fields.String(required=True)
    expires_at = Instant(required=True)


class Me(Schema):
    """An account, and what it may do."""

    id = fields.Integer(required=True)
    email = fields.String(required=True)
    role = Word(Role, required=True)


class Applications(Schema):
    """The OAuth applications of an account."""

    applications = fields.List(fields.Dict(), required=True)


class Requested(Schema):
    """How many checks will be made."""

    requested = fields.Integer(required=True)


class Taken(Schema):
    """How many requests were in the batch."""

    taken = fields.Integer(required=True)
