"""Alerts, rules, channels and messages as the API takes and gives them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from statusapp.domain.enums import AlertKind, DeliveryState, Severity, Transition
from statusapp.web.api.schemas_fields import Instant, Known, Text, Whole, Word

LONGEST_S = 30 * 86_400


class Alert(Schema):
    """Something that is or was wrong. `resolved_at` is null while it is."""

    id = fields.Integer()
    kind = Word(AlertKind)
    subject = fields.String()
    name = fields.String()
    endpoint_id = fields.Integer(allow_none=True)
    severity = Word(Severity)
    since = Instant()
    fired_at = Instant()
    found = fields.String()
    resolved_at = Instant(allow_none=True)
    acknowledged_at = Instant(allow_none=True)
    acknowledged_by = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    reminders = fields.Integer()
    remind_at = Instant(allow_none=True)
    is_flapping = fields.Boolean()
    incident_id = fields.Integer(allow_none=True)


class Note(Known):
    """A word on what is being done."""

    note = Text(2000, load_default="")


class Rule(Known):
    """When something is an alert. What is left out stays, or is as in the rule for everything."""

    kind = Word(AlertKind, dump_only=True)
    group_id = fields.Integer(dump_only=True, allow_none=True)
    endpoint_id = fields.Integer(dump_only=True, allow_none=True)
    severity = Word(Severity)
    threshold = fields.Float(allow_none=True, validate=validate.Range(0, 10**9))
    for_seconds = Whole(0, LONGEST_S, attribute="for_s")
    window_seconds = Whole(0, LONGEST_S, attribute="window_s")
    least = Whole(0, 1_000_000)
    repeat_seconds = Whole(0, LONGEST_S, attribute="repeat_s")
    is_enabled = fields.Boolean()
    is_muted = fields.Boolean()
    muted_until = Instant(allow_none=True)


class RuleScope(Known):
    """What a rule is for; everything without a word."""

    group = Whole(1, metadata={"description": "The id of a group."})
    endpoint = Whole(1, metadata={"description": "The id of a service."})


class Rules(Schema):
    """All rules."""

    items = fields.List(fields.Nested(Rule))


class Delivery(Schema):
    """One message to one channel."""

    id = fields.Integer()
    channel = fields.String()
    alert_id = fields.Integer(allow_none=True)
    transition = Word(Transition)
    severity = Word(Severity)
    name = fields.String()
    key = fields.String()
    state = Word(DeliveryState)
    attempts = fields.Integer()
    created_at = Instant()
    attempted_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    answer = fields.String(allow_none=True)
    batch = fields.String(allow_none=True)


class Channel(Known):
    """A way to reach people. `destination` is taken and never told: `target` is what may be shown of it."""

    id = fields.Integer(dump_only=True)
    name = Text(200, 1, required=True, metadata={"example": "On call"})
    kind = Text(30, 1, required=True, metadata={"example": "webhook"})
    destination = fields.Dict(
        keys=Text(200),
        load_only=True,
        allow_none=True,
        load_default=None,
        metadata={"example": {"url": "https://example.org/hook"}},
    )
    target = fields.String(dump_only=True)
    severities = fields.List(Word(Severity), load_default=list(Severity), validate=validate.Length(1, 3))
    groups = fields.List(Text(200, 1), load_default=list, validate=validate.Length(max=100))
    tags = fields.List(Text(50, 1), load_default=list, validate=validate.Length(max=100))
    quiet = Text(11, allow_none=True, load_default=None, metadata={"example": "22:00-07:00"})
    sends_alerts = fields.Boolean(load_default=True)
    sends_reports = fields.Boolean(load_default=False)
    is_enabled = fields.Boolean(load_default=True)
    waiting = fields.Integer(dump_only=True)
    last_sent_at = Instant(dump_only=True, allow_none=True)
    failing_since = Instant(dump_only=True, allow_none=True)
    broken_since = Instant(dump_only=True, allow_none=True)
    last_answer = fields.String(dump_only=True, allow_none=True)


class Channels(Schema):
    """All channels."""

    items = fields.List(fields.Nested(Channel))


class Tested(Schema):
    """Whether the receiver took a message of trial, and what it said."""

    taken = fields.Boolean()
    answer = fields.String()
