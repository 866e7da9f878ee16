"""Request tracking for any Python web application: one small, redacted record of each request, shipped to Statusapp.

    from statusapp.tracking import HttpIngest, RequestTracking, TrackingOptions

    application = RequestTracking(application, HttpIngest("https://status.example.org", token), TrackingOptions("shop"))

For Flask use `statusapp.tracking.flask_app`, for Django `statusapp.tracking.django_app`: they know route and user.
Standard library only; `RedisStream` needs redis-py.
"""

from statusapp.tracking.http_ingest import HttpIngest
from statusapp.tracking.middleware import RequestTracking
from statusapp.tracking.options import Addresses, TrackingOptions
from statusapp.tracking.redis_stream import RedisStream
from statusapp.tracking.request_ids import RequestIdFilter, current_request_id, log_request_ids
from statusapp.tracking.transports import Transport, TransportError

__all__ = [
    "Addresses",
    "HttpIngest",
    "RedisStream",
    "RequestIdFilter",
    "RequestTracking",
    "TrackingOptions",
    "Transport",
    "TransportError",
    "current_request_id",
    "log_request_ids",
]
