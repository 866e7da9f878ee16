"""/metrics in the text format of Prometheus. Everything is read from the database, so every process says the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Response, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from statusapp.clock import utcnow
from statusapp.domain.enums import Status
from statusapp.domain.instants import SECOND
from statusapp.queries.api_prometheus import (
    EndpointFigures,
    list_endpoint_figures,
    load_alert_figures,
    load_monitor_figures,
)
from statusapp.queries.request_sums import load_traffic
from statusapp.web.api.access import find_caller
from statusapp.web.api.blueprints import ApiBlueprint

blueprint = ApiBlueprint("prometheus", __name__)

UP = (Status.OPERATIONAL, Status.DEGRADED)
DOWN = (Status.PARTIAL_OUTAGE, Status.MAJOR_OUTAGE)
# Every route is a series for ever in whoever scrapes; the busiest ones are enough.
MOST_ROUTES = 200
QUANTILES = (0.5, 0.95)
_OF_ENDPOINT = ("id", "name", "group")
_OF_ROUTE = ("service", "method", "route")


@blueprint.get("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain", description="The figures.")
def metrics() -> Response:
    """Figures for Prometheus: of public services and the monitor; of everything with a token or a sign-in.

    Where METRICS_TOKEN is set nothing is given out without it or a sign-in.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(utcnow(), with_private=_may_see_all()))
    response = Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response


class Figures(Collector):
    """All figures as of one instant."""

    def __init__(self, now: datetime, *, with_private: bool) -> None:
        self._now, self._with_private = now, with_private

    def collect(self) -> Iterator[Metric]:
        """Each family with its samples."""
        yield from _of_endpoints(list_endpoint_figures(self._now, with_private=self._with_private))
        yield from _of_monitor(self._now)
        if self._with_private:
            yield from _of_alerts(self._now)
            yield from _of_routes(self._now)


def _may_see_all() -> bool:
    token: str | None = current_app.config["SETTINGS"].metrics_token
    if token is None:
        return find_caller() is not None
    credentials = request.authorization
    given = credentials.token if credentials is not None and credentials.type == "bearer" else None
    if given and secrets.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode()):
        return True
    if find_caller() is None:
        raise Unauthorized("The metrics token is needed.", www_authenticate=WWWAuthenticate("bearer"))
    return True


def _of_endpoints(found: list[EndpointFigures]) -> Iterator[Metric]:
    up = _gauge("endpoint_up", "1 while a service works, 0 in an outage; none while that is not known.", _OF_ENDPOINT)
    status = _gauge(
        "endpoint_status", "1 for the status that a service has, 0 for the others.", (*_OF_ENDPOINT, "status")
    )
    duration = _gauge("endpoint_duration_seconds", "How long the last check took.", _OF_ENDPOINT)
    phase = _gauge("endpoint_phase_seconds", "How long each phase of the last check took.", (*_OF_ENDPOINT, "phase"))
    checked = _gauge("endpoint_last_check_timestamp_seconds", "When a service was last checked.", _OF_ENDPOINT)
    expiry = _gauge("endpoint_certificate_expiry_timestamp_seconds", "When its certificate expires.", _OF_ENDPOINT)
    for one in found:
        labels = (str(one.id), one.name, one.group)
        if one.status in UP or one.status in DOWN:
            up.add_metric(labels, float(one.status in UP))
        for each in Status:
            status.add_metric((*labels, each.word), float(one.status is each))
        if one.total_us is not None:
            duration.add_metric(labels, one.total_us / SECOND)
            for name, length in one.phases_us.items():
                phase.add_metric((*labels, name), length / SECOND)
        if one.last_checked_at is not None:
            checked.add_metric(labels, one.last_checked_at / SECOND)
        if one.certificate_expires_at is not None:
            expiry.add_metric(labels, one.certificate_expires_at / SECOND)
    yield from (up, status, duration, phase, checked, expiry)


def _of_monitor(now: datetime) -> Iterator[Metric]:
    figures = load_monitor_figures(now)
    lag = _gauge("scheduler_lag_seconds", "By how much the oldest check is overdue.", ())
    lag.add_metric((), figures.lag_s)
    checks = _gauge("checks_recent", "Checks of the last five minutes.", ("outcome",))
    for outcome, count in figures.checks.items():
        checks.add_metric((outcome.word,), count)
    queue = _gauge("queue_jobs", "Jobs that wait; none while Redis is away.", ("queue",))
    for name, depth in (figures.queues or {}).items():
        queue.add_metric((name,), depth)
    yield from (lag, checks, queue)


def _of_alerts(now: datetime) -> Iterator[Metric]:
    figures = load_alert_figures(now)
    is_open = _gauge("alerts_open", "Alerts that are not over.", ("severity",))
    for severity, count in figures.is_open.items():
        is_open.add_metric((severity.word,), count)
    ever = _gauge("alerts_newest_id", "The number of the newest alert, which grows by one with each.", ())
    ever.add_metric((), figures.ever)
    deliveries = _gauge("deliveries_day", "Messages of the last day by what became of them.", ("state",))
    for state, count in figures.deliveries.items():
        deliveries.add_metric((state.word,), count)
    yield from (is_open, ever, deliveries)


def _of_routes(now: datetime) -> Iterator[Metric]:
    count = _gauge("route_requests_hour", "Requests of the last hour.", _OF_ROUTE)
    failures = _gauge("route_failures_hour", "Requests of the last hour that ended with a 5xx.", _OF_ROUTE)
    duration = _gauge("route_duration_seconds", "Quantiles of the last hour's durations.", (*_OF_ROUTE, "quantile"))
    for route in load_traffic(now - timedelta(hours=1), now).routes[:MOST_ROUTES]:
        labels = (route.service, route.method, route.route)
        count.add_metric(labels, route.sums.count)
        failures.add_metric(labels, route.sums.failures)
        for quantile in QUANTILES:
            length = route.sums.percentile(quantile)
            if length is not None:
                duration.add_metric((*labels, str(quantile)), length / SECOND)
    yield from (count, failures, duration)


def _gauge(name: str, text: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"statusapp_{name}", text, labels=labels)
