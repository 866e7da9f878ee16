"""Incidents and maintenance as the API takes and gives them. Texts are Markdown."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from statusapp.domain.enums import Impact, IncidentStatus, Status
from statusapp.web.api.schemas_fields import Instant, Known, Text, Whole, Word

MOST_IDS = 1000
_BODY = 10_000


class Update(Known):
    """One entry of a timeline. Without an author it is a machine's; a status moves the incident to it."""

    id = fields.Integer(dump_only=True)
    body = Text(_BODY, 1, required=True, metadata={"example": "We have found the cause."})
    status = Word(IncidentStatus, allow_none=True, load_default=None)
    author = fields.String(dump_only=True, allow_none=True)
    created_at = Instant(dump_only=True)


class UpdateText(Known):
    """Another text for an update."""

    body = Text(_BODY, 1, required=True)


class IncidentItem(Schema):
    """An incident in a list."""

    id = fields.Integer()
    title = fields.String()
    status = Word(IncidentStatus)
    impact = Word(Impact)
    is_public = fields.Boolean()
    is_automatic = fields.Boolean()
    started_at = Instant()
    resolved_at = Instant(allow_none=True)
    updated_at = Instant()


class Affected(Schema):
    """A service that an incident affects, and the worst status it has had in it."""

    id = fields.Integer()
    name = fields.String()
    status = Word(Status)
    is_public = fields.Boolean()


class IncidentFile(IncidentItem):
    """All of an incident, its updates with the newest first, and what was known when it opened."""

    affected = fields.List(fields.Nested(Affected))
    updates = fields.List(fields.Nested(Update))
    evidence = fields.Dict(allow_none=True)


class NewIncident(Known):
    """An incident that is opened. Without an impact it follows from the services."""

    title = Text(200, 1, required=True, metadata={"example": "Payments fail"})
    body = Text(_BODY, 1, required=True, metadata={"example": "We are looking into it."})
    status = Word(IncidentStatus, load_default=IncidentStatus.INVESTIGATING)
    impact = Word(Impact, allow_none=True, load_default=None)
    endpoint_ids = fields.List(Whole(1), load_default=list, validate=validate.Length(max=MOST_IDS))
    is_public = fields.Boolean(load_default=True)


class IncidentPart(Known):
    """What is to be different about an incident. An impact of null follows from the services again."""

    title = Text(200, 1)
    impact = Word(Impact, allow_none=True)
    endpoint_ids = fields.List(Whole(1), validate=validate.Length(max=MOST_IDS))
    is_public = fields.Boolean()


class Maintenance(Known):
    """Planned work, once or by a rule of RFC 5545. `starts` is a wall time of the zone, the page's without one."""

    id = fields.Integer(dump_only=True)
    title = Text(200, 1, required=True, metadata={"example": "New disks"})
    body = Text(_BODY, load_default="")
    starts = Text(16, 1, required=True, metadata={"example": "2030-01-31T02:00"})
    zone = Text(64, 1, allow_none=True, load_default=None, metadata={"example": "Europe/Berlin"})
    duration_seconds = Whole(1, attribute="duration_s", required=True, metadata={"example": 3600})
    rule = Text(500, 1, allow_none=True, load_default=None, metadata={"example": "FREQ=WEEKLY;BYDAY=TU"})
    announce_seconds = Whole(0, attribute="announce_s", load_default=86_400)
    endpoint_ids = fields.List(Whole(1), load_default=list, validate=validate.Length(max=MOST_IDS))
    group_ids = fields.List(Whole(1), load_default=list, validate=validate.Length(max=MOST_IDS))
    covers_all = fields.Boolean(load_default=False)
    is_public = fields.Boolean(load_default=True)
    is_cancelled = fields.Boolean(dump_only=True)
    next_at = Instant(dump_only=True, allow_none=True)


class Occurrence(Schema):
    """One occurrence of planned work, from when it was announced or began."""

    id = fields.Integer()
    starts_at = Instant()
    ends_at = Instant()
    started_at = Instant(allow_none=True)
    is_over = fields.Boolean()
    is_cancelled = fields.Boolean()
    affects = fields.List(fields.String())
    updates = fields.List(fields.Nested(Update))


class MaintenanceFile(Schema):
    """Planned work with its newest occurrences."""

    maintenance = fields.Nested(Maintenance)
    occurrences = fields.List(fields.Nested(Occurrence))


class OccurrenceText(Known):
    """A word on the occurrence that begins at an instant."""

    starts_at = Instant(required=True)
    body = Text(_BODY, 1, required=True)


class OccurrenceStart(Known):
    """The instant at which an occurrence is planned to begin."""

    starts_at = Instant(required=True)
