"""What was measured and logged, as the API gives it."""

from __future__ import annotations

from marshmallow import Schema, fields

from statusapp.web.api.schemas_endpoints import MICROSECONDS
from statusapp.web.api.schemas_fields import Instant, Seconds


class LogItem(Schema):
    """One logged request. It holds no body, no values of its query, and addresses as they are set to be kept."""

    id = fields.Integer()
    at = Instant()
    service = fields.String()
    host = fields.String()
    method = fields.String()
    route = fields.String()
    status = fields.Integer()
    duration_seconds = Seconds(MICROSECONDS, attribute="duration_us")
    request_size = fields.Integer(allow_none=True)
    response_size = fields.Integer(allow_none=True)
    user = fields.String(allow_none=True)
    address = fields.String(allow_none=True)
    user_agent = fields.String(allow_none=True)
    request_id = fields.String(allow_none=True)
    error_message = fields.String(allow_none=True)
    is_slow = fields.Boolean()
    is_probe = fields.Boolean()
    went_away = fields.Boolean()


class MetricItem(Schema):
    """One reading of one host."""

    id = fields.Integer()
    taken_at = Instant()
    host = fields.String()
    cpu_percent = fields.Float()
    load_1m = fields.Float()
    memory_percent = fields.Float()
    disk_percent = fields.Float()
    database_query_seconds = Seconds(MICROSECONDS, attribute="database_query_us", allow_none=True)


class MetricFile(Schema):
    """All of one reading: figures by name, and details as docs/metrics.md names them."""

    reading = fields.Nested(MetricItem, attribute="item")
    figures = fields.Dict(keys=fields.String())
    details = fields.Dict(keys=fields.String())


class Finding(Schema):
    """One thing that the monitor says of itself."""

    name = fields.String()
    component = fields.String(allow_none=True)
    level = fields.String()
    value = fields.Raw(allow_none=True)
    unit = fields.String(allow_none=True)
    output = fields.String(allow_none=True)


class Task(Schema):
    """A periodic task and its last run, with the whole text of its last error."""

    name = fields.String()
    next_run_at = Instant()
    running_until = Instant(allow_none=True)
    last_started_at = Instant(allow_none=True)
    last_finished_at = Instant(allow_none=True)
    last_duration_seconds = Seconds(1000, attribute="last_duration_ms", allow_none=True)
    last_error = fields.String(allow_none=True)
    last_error_at = Instant(allow_none=True)


class Monitor(Schema):
    """How the monitor itself does."""

    status = fields.String()
    version = fields.String()
    findings = fields.List(fields.Nested(Finding))
    tasks = fields.List(fields.Nested(Task))


class ReportItem(Schema):
    """A daily report that was written."""

    day = fields.Date()
    created_at = Instant()


class Report(Schema):
    """The report of a day as data. One that is not stored was made now."""

    day = fields.Date()
    is_stored = fields.Boolean()
    report = fields.Dict(keys=fields.String())
