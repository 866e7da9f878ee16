"""All that the dashboard shows, gathered: a constant number of statements, whatever there is to show."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app

from statusapp import __version__
from statusapp.domain.instants import to_us
from statusapp.domain.monitor import Finding, MonitorFacts, TaskFacts, Verdict, judge_health
from statusapp.domain.report_sections import summary_of
from statusapp.queries.alerts import AlertView, list_open_alerts
from statusapp.queries.dashboard import (
    FirstSteps,
    ServiceCard,
    ServiceFigures,
    count_quietly_down,
    list_cards,
    load_first_steps,
    load_service_figures,
)
from statusapp.queries.dashboard_monitor import DatabaseSize, Mutes, load_database_size, load_mutes
from statusapp.queries.dashboard_series import (
    RequestsSeries,
    load_checks_series,
    load_hosts_series,
    load_requests_series,
)
from statusapp.queries.deliveries import DeliveryRow, list_deliveries
from statusapp.queries.health import load_database_facts
from statusapp.queries.incidents import IncidentView, list_incidents
from statusapp.queries.metrics import HostState, list_hosts
from statusapp.queries.report_facts import newest_report_before
from statusapp.queries.request_sums import RouteTraffic
from statusapp.queries.requests import ErrorGroup, list_errors
from statusapp.services.redis_reading import RedisReading, read_redis
from statusapp.web import wording
from statusapp.web.dashboard.charts import Spark, check_charts, host_chart, host_sparks, request_charts, spark
from statusapp.web.dashboard.ranges import Range
from statusapp.web.health.views import STARTED_AT
from statusapp.web.status.chart_data import Chart

MOST_ALERTS = 50
MOST_ROWS = 8
# What was asked for less often says little of how slow it is.
LEAST_REQUESTS = 5
FINDINGS = {
    "database:responseTime": "Database",
    "redis:responseTime": "Redis",
    "workers:count": "Workers",
    "checks:sinceHeartbeat": "Last sign of life",
    "scheduler:lag": "Lag",
    "network:canaries": "Own network",
    "requests:lost": "Lost requests",
    "messages:oldestUndelivered": "Oldest undelivered message",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong now: alerts, of which only the first are shown, and what the monitor finds wrong with itself.
    `quietly_down` services are down without an alert: its rule still waits, or it is muted.
    """

    alerts: Sequence[AlertView]
    more: int
    mutes: Mutes
    findings: Sequence[tuple[str, Finding]]
    quietly_down: int


@dataclass(frozen=True, slots=True)
class Monitor:
    """The monitor's own health."""

    verdict: Verdict
    findings: Sequence[tuple[str, Finding]]
    tasks: Sequence[TaskFacts]
    redis: RedisReading
    database: DatabaseSize | None
    lag_s: float
    version: str


@dataclass(frozen=True, slots=True)
class Report:
    """The newest daily report in a few lines."""

    day: date
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the page over one range."""

    first_steps: FirstSteps
    trouble: Trouble
    figures: ServiceFigures
    cards: Sequence[tuple[ServiceCard, Spark]]
    check_charts: Sequence[Chart]
    requests: RequestsSeries
    request_charts: Sequence[Chart]
    slowest: Sequence[RouteTraffic]
    errors: Sequence[ErrorGroup]
    hosts: Sequence[tuple[HostState, dict[str, Spark]]]
    host_chart: Chart
    incidents: Sequence[IncidentView]
    deliveries: Sequence[DeliveryRow]
    report: Report | None
    monitor: Monitor


def load_dashboard(over: Range, now: datetime) -> Dashboard:
    """The dashboard over a range, as of `now`."""
    hosts = list_hosts()
    host_cut, host_points = load_hosts_series(over.start, over.end)
    requests = load_requests_series(over.start, over.end)
    monitor = _load_monitor(hosts, now)
    return Dashboard(
        first_steps=load_first_steps(),
        trouble=_load_trouble(monitor, now),
        figures=load_service_figures(now),
        cards=[(card, spark(card.response_us, wording.duration, failures=card.failures)) for card in list_cards(now)],
        check_charts=check_charts(load_checks_series(over.start, over.end)),
        requests=requests,
        request_charts=request_charts(requests) if requests.overall.count else [],
        slowest=slowest_routes(requests.routes)[:MOST_ROWS],
        errors=list_errors(over.start, over.end, limit=MOST_ROWS),
        hosts=[(host, host_sparks(host_points.get(host.host, ()))) for host in hosts],
        host_chart=host_chart(host_cut, host_points),
        incidents=list_incidents(MOST_ROWS),
        deliveries=list_deliveries(limit=MOST_ROWS),
        report=_load_report(now),
        monitor=monitor,
    )


def slowest_routes(routes: Sequence[RouteTraffic]) -> list[RouteTraffic]:
    """The routes with the highest p95 first, those with too few requests to tell after all others."""
    return sorted(routes, key=lambda route: (route.sums.count < LEAST_REQUESTS, -(route.sums.percentile(0.95) or 0)))


def load_alerts_of(endpoint_id: int, now: datetime) -> Trouble:
    """The open alerts of one service."""
    found = [alert for alert in list_open_alerts() if alert.endpoint_id == endpoint_id]
    return Trouble(found, 0, load_mutes(to_us(now)), (), 0)


def _load_trouble(monitor: Monitor, now: datetime) -> Trouble:
    alerts = list_open_alerts()
    wrong = [(name, finding) for name, finding in monitor.findings if finding.output is not None]
    shown, more = alerts[:MOST_ALERTS], len(alerts[MOST_ALERTS:])
    return Trouble(shown, more, load_mutes(to_us(now)), wrong, count_quietly_down(now))


def _load_monitor(hosts: Sequence[HostState], now: datetime) -> Monitor:
    settings, redis = current_app.config["SETTINGS"], read_redis(now)
    asked = time.perf_counter()
    database = load_database_facts()
    answered = time.perf_counter()
    facts = MonitorFacts(
        started_at=current_app.config[STARTED_AT],
        check_window=timedelta(seconds=settings.check_window),
        database=database,
        database_ms=(answered - asked) * 1000,
        workers=redis.workers,
        redis_error=None if redis.error is None else f"{redis.error}: Redis does not answer.",
        redis_ms=(redis.ping_us or 0) / 1000,
    )
    verdict = judge_health(facts, now)
    due = database.oldest_due_at
    return Monitor(
        verdict=verdict,
        # The tasks have a table of their own.
        findings=[(FINDINGS[found.name], found) for found in verdict.findings if found.name in FINDINGS],
        tasks=database.tasks,
        redis=redis,
        database=load_database_size(hosts),
        lag_s=0.0 if due is None else max((now - due).total_seconds(), 0.0),
        version=__version__,
    )


def _load_report(now: datetime) -> Report | None:
    data: dict[str, Any] | None = newest_report_before((now + timedelta(days=2)).date())
    return None if data is None else Report(date.fromisoformat(str(data["day"])), summary_of(data))
