"""Services and groups as the API takes and gives them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from statusapp.domain.enums import CheckKind, ErrorKind, Outcome, Rule, Status
from statusapp.web.api.schemas_fields import Entry, Instant, Known, Seconds, Text, Whole, Word

MICROSECONDS = 1_000_000


class PublicEndpointItem(Schema):
    """A service as everybody may see it."""

    id = fields.Integer(metadata={"example": 1})
    name = fields.String(metadata={"example": "API Root"})
    description = fields.String()
    group = fields.String(allow_none=True)
    status = Word(Status)
    since = Instant()
    last_checked_at = Instant(allow_none=True)
    response_seconds = Seconds(MICROSECONDS, attribute="response_us", allow_none=True)
    url = fields.String(allow_none=True)


class EndpointItem(PublicEndpointItem):
    """A service in a list, as whoever is signed in sees it."""

    method = fields.String()
    tags = fields.List(fields.String())
    is_enabled = fields.Boolean()
    is_public = fields.Boolean()
    is_muted = fields.Boolean()
    interval_seconds = Seconds(attribute="interval_s")
    response_seconds = Seconds(MICROSECONDS, attribute="last_total_us", allow_none=True)
    error = fields.String(allow_none=True)


class Condition(Known):
    """What an answer has to be like; one that only degrades makes the service degraded instead of down."""

    text = Text(1000, required=True, metadata={"example": "[STATUS] == 200"})
    degrades = fields.Boolean(load_default=False)


class Endpoint(Known):
    """All that an operator says about a service, with its number and where it stands.

    Secrets are named and never told. One that is left out of a change stays; `cleared_secrets` takes some away.
    """

    name = Text(200, 1, required=True, metadata={"example": "Shop"})
    url = Text(2000, 1, required=True, metadata={"example": "https://example.org/"})
    method = Text(20, load_default="GET")
    expected_status_codes = Text(200, load_default="200-299", metadata={"example": "200-299, 401"})
    interval_seconds = Whole(5, 86_400, attribute="interval_s", load_default=300)
    timeout_seconds = Seconds(1000, 86_400, attribute="timeout_ms", load_default=10_000)
    retries = Whole(0, 10, load_default=2)
    successes_to_confirm = Whole(1, 10, load_default=2)
    description = Text(2000, load_default="")
    position = Whole(-1_000_000, 1_000_000, load_default=0)
    is_public = fields.Boolean(load_default=True)
    slow_seconds = Seconds(1000, 86_400, attribute="slow_ms", allow_none=True, load_default=None)
    options = fields.Dict(
        keys=Text(200),
        load_default=dict,
        metadata={"description": "What its kind of check can be told, by the names of docs/checks.md."},
    )
    conditions = fields.List(Entry(Condition), load_default=list, validate=validate.Length(max=50))
    group = Text(200, 1, allow_none=True, load_default=None)
    tags = fields.List(Text(50, 1), load_default=list, validate=validate.Length(max=100))
    depends_on = fields.List(Text(200, 1), load_default=list, validate=validate.Length(max=100))
    shows_url = fields.Boolean(load_default=False)
    cleared_secrets = fields.List(Text(200, 1), load_only=True, load_default=list, validate=validate.Length(max=100))

    id = fields.Integer(dump_only=True)
    is_enabled = fields.Boolean(dump_only=True)
    is_muted = fields.Boolean(dump_only=True)
    muted_until = Instant(dump_only=True, allow_none=True)
    created_at = Instant(dump_only=True)
    secrets = fields.List(fields.String(), dump_only=True)
    status = Word(Status, dump_only=True)
    since = Instant(dump_only=True)
    last_checked_at = Instant(dump_only=True, allow_none=True)
    last_outcome = Word(Outcome, dump_only=True, allow_none=True)
    last_error_kind = Word(ErrorKind, dump_only=True, allow_none=True)
    last_status_code = fields.Integer(dump_only=True, allow_none=True)
    response_seconds = Seconds(MICROSECONDS, attribute="response_us", dump_only=True, allow_none=True)
    next_check_at = Instant(dump_only=True, allow_none=True)
    certificate_expires_at = Instant(dump_only=True, allow_none=True)


class Mute(Known):
    """Until when nobody is alerted; for good without an instant."""

    until = Instant(allow_none=True, load_default=None)


class Group(Known):
    """A heading on the page. Without a position it comes after those that are there."""

    id = fields.Integer(dump_only=True)
    name = Text(200, 1, required=True, metadata={"example": "Payments"})
    position = Whole(-1_000_000, 1_000_000, allow_none=True, load_default=None)
    is_collapsed = fields.Boolean(load_default=False)
    services = fields.Integer(dump_only=True)


class CheckItem(Schema):
    """One check; `due_at` is its slot."""

    endpoint_id = fields.Integer()
    name = fields.String()
    slot = fields.Integer(metadata={"description": "The slot in microseconds, by which the check can be asked for."})
    due_at = Instant()
    kind = Word(CheckKind)
    outcome = Word(Outcome)
    error_kind = Word(ErrorKind)
    status_code = fields.Integer(allow_none=True)
    late_seconds = Seconds(MICROSECONDS, attribute="late_us")
    total_seconds = Seconds(MICROSECONDS, attribute="total_us")
    error = fields.String(allow_none=True)


class CheckFile(Schema):
    """All of one check. Phases that it did not reach are null; `detail` is as the probe left it."""

    check = fields.Nested(CheckItem, attribute="item")
    dns_seconds = Seconds(MICROSECONDS, attribute="dns_us", allow_none=True)
    connect_seconds = Seconds(MICROSECONDS, attribute="connect_us", allow_none=True)
    tls_seconds = Seconds(MICROSECONDS, attribute="tls_us", allow_none=True)
    wait_seconds = Seconds(MICROSECONDS, attribute="wait_us", allow_none=True)
    transfer_seconds = Seconds(MICROSECONDS, attribute="transfer_us", allow_none=True)
    size = fields.Integer(allow_none=True)
    peer = fields.String(allow_none=True)
    detail = fields.Dict()


class LedgerEntry(Schema):
    """One interval of the ledger of statuses."""

    status = Word(Status)
    previous = Word(Status)
    started_at = Instant()
    ended_at = Instant(allow_none=True)
    recorded_at = Instant()
    rule = Word(Rule)
    reason = fields.String(allow_none=True)
    is_superseded = fields.Boolean()
    counted_seconds = fields.Float(attribute="counted_s")


class Ledger(Schema):
    """How the uptime of a service over a span comes about."""

    start = Instant()
    end = Instant()
    uptime_percent = fields.Float(attribute="percent", allow_none=True)
    partial_weight = fields.Float()
    seconds = fields.Dict(keys=fields.String(), values=fields.Float())
    entries = fields.List(fields.Nested(LedgerEntry))


class Point(Schema):
    """One point of a series. Response times are those of checks that were answered well, percentiles within 5 %."""

    start = Instant()
    checks = fields.Integer()
    mean_seconds = fields.Float(allow_none=True)
    p50_seconds = fields.Float(allow_none=True)
    p95_seconds = fields.Float(allow_none=True)
    p99_seconds = fields.Float(allow_none=True)
    error_percent = fields.Float(allow_none=True)
    uptime_percent = fields.Float(allow_none=True)


class Series(Schema):
    """Uptime, latency and error rate of a service, the oldest point first; what is not known is null.

    All points are `step_seconds` long and begin at whole steps of UTC, so `since` and `until` may lie a little beside
    what was asked for.
    """

    since = Instant()
    until = Instant()
    step_seconds = fields.Integer()
    points = fields.List(fields.Nested(Point))
