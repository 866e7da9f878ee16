"""The report of one day as data: JSON with instants as ISO 8601 in UTC, durations in seconds, shares in percent.

docs/reports.md describes every name. A name keeps its meaning; what changes it raises the version.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from statusapp.domain.enums import DeliveryState, Severity, Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.monitor import LATE_CHECK
from statusapp.domain.request_sums import RequestSums
from statusapp.domain.uptime import day_start, uptime_percent
from statusapp.models import Alert
from statusapp.queries import report_facts, report_monitor
from statusapp.queries.metrics import Peak
from statusapp.queries.report_facts import Certificate, IncidentDay, ServiceDay
from statusapp.queries.report_monitor import HostDay
from statusapp.queries.request_sums import RouteTraffic, Traffic, load_traffic, slowest_first

VERSION = 2
CERTIFICATE_DAYS = 30
ROUTES_KEPT = 10
# Of fewer requests a percentile says little.
LEAST_REQUESTS = 20
ALERTS_KEPT = 50
LATE_US = round(LATE_CHECK.total_seconds()) * SECOND


def compile_report(day: date, zone: ZoneInfo, partial_weight: float, now: datetime) -> dict[str, Any]:
    """All there is to say of one day; of one that is not over yet, so far. Certificates are as of `now`."""
    here = to_us(now)
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    until = max(min(end, here), start)
    services = report_facts.load_services(start, until, here)
    return {
        "version": VERSION,
        "day": day.isoformat(),
        "time_zone": zone.key,
        "start": _iso(start),
        "end": _iso(until),
        "is_whole": until == end,
        "written_at": _iso(here),
        "services": [_service(service, partial_weight) for service in services],
        "incidents": [_incident(found, until) for found in report_facts.load_incidents(start, until)],
        "requests": _requests(load_traffic(from_us(start), from_us(until))) if until > start else None,
        "hosts": [_host(host) for host in report_monitor.load_hosts(start, until)],
        "certificates": [
            _certificate(found, here)
            for found in report_facts.list_certificates(here + CERTIFICATE_DAYS * 86_400 * SECOND)
        ],
        "alerts": _alerts(start, until),
        "monitor": _monitor(start, until, services) | _losses(day, zone, now),
    }


def _service(found: ServiceDay, partial_weight: float) -> dict[str, Any]:
    sums, spent = found.sums, {status: length / SECOND for status, length in found.spent.items()}
    return {
        "id": found.id,
        "name": found.name,
        "uptime_percent": uptime_percent(found.spent, partial_weight),
        "downtime_s": spent.get(Status.MAJOR_OUTAGE, 0.0),
        "outages": found.outages,
        **{
            f"{status.word}_s": spent.get(status, 0.0)
            for status in (Status.PARTIAL_OUTAGE, Status.DEGRADED, Status.MAINTENANCE, Status.UNKNOWN)
        },
        "checks": sums.count,
        "failures": sums.failures,
        "error_percent": sums.error_percent,
        "mean_response_s": _seconds(sums.mean_us),
        "p95_s": _seconds(sums.percentile(0.95)),
        "week_p95_s": _seconds(found.week_p95_us),
    }


def _incident(found: IncidentDay, until: int) -> dict[str, Any]:
    incident = found.incident
    override = incident.impact_override
    is_over = incident.resolved_at is not None and incident.resolved_at < until
    lasted_us = (incident.resolved_at if is_over and incident.resolved_at else until) - incident.started_at
    return {
        "id": incident.id,
        "title": incident.title,
        "impact": (incident.impact if override is None else override).word,
        "status": incident.status.word,
        "is_public": incident.is_public,
        "started_at": _iso(incident.started_at),
        "resolved_at": _iso(incident.resolved_at) if is_over and incident.resolved_at else None,
        "lasted_s": max(lasted_us, 0) / SECOND,
        "services": list(found.services),
    }


def _requests(traffic: Traffic) -> dict[str, Any]:
    by_service: dict[str, RequestSums] = defaultdict(RequestSums)
    for route in traffic.routes:
        by_service[route.service].add_requests(route.sums)
    failing = sorted((route for route in traffic.routes if route.sums.failures), key=lambda route: -route.sums.failures)
    return {
        **_sums(traffic.overall),
        "services": [{"name": name, **_sums(sums)} for name, sums in sorted(by_service.items())],
        "slowest": [_route(route) for route in slowest_first(traffic, LEAST_REQUESTS)[:ROUTES_KEPT]],
        "failing": [_route(route) for route in failing[:ROUTES_KEPT]],
    }


def _route(route: RouteTraffic) -> dict[str, Any]:
    return {"service": route.service, "method": route.method, "route": route.route, **_sums(route.sums)}


def _sums(sums: RequestSums) -> dict[str, Any]:
    return {
        "count": sums.count,
        "failures": sums.failures,
        "error_percent": sums.error_percent,
        "client_errors": sums.client_errors,
        "slow": sums.slow,
        "p50_s": _seconds(sums.percentile(0.5)),
        "p95_s": _seconds(sums.percentile(0.95)),
    }


def _host(host: HostDay) -> dict[str, Any]:
    peaks = host.peaks
    return {
        "name": host.name,
        "cpu_percent": _figure(host.cpu_mean, peaks.cpu_percent),
        "load": _figure(host.load_mean, peaks.load_1m),
        "memory_percent": _figure(host.memory_mean, peaks.memory_percent),
        "disk_percent": _figure(host.disk_mean, peaks.disk_percent),
    }


def _figure(mean: float, peak: Peak | None) -> dict[str, Any]:
    """A mean over the day, the highest value, and the hour that it was in."""
    return {
        "mean": mean,
        "peak": None if peak is None else peak.value,
        "peak_hour": None if peak is None else _iso(to_us(peak.hour)),
    }


def _certificate(found: Certificate, now: int) -> dict[str, Any]:
    # Of a part of a day nothing is left, and one that ended yesterday has -1.
    days_left = (found.expires_at - now) // (86_400 * SECOND)
    return {"name": found.name, "expires_at": _iso(found.expires_at), "days_left": days_left}


def _alerts(start: int, end: int) -> dict[str, Any]:
    found = report_monitor.load_alerts(start, end, ALERTS_KEPT)
    return {
        "fired": {severity.word: found.fired.get(severity, 0) for severity in Severity},
        "unacknowledged": found.unacknowledged,
        "shown": [_alert(alert) for alert in found.shown],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind.word,
        "name": alert.name,
        "severity": alert.severity.word,
        "found": alert.found,
        "fired_at": _iso(alert.fired_at),
        "resolved_at": None if alert.resolved_at is None else _iso(alert.resolved_at),
        "lasted_s": None if alert.resolved_at is None else max(alert.resolved_at - alert.since, 0) / SECOND,
    }


def _monitor(start: int, end: int, services: list[ServiceDay]) -> dict[str, Any]:
    made = report_facts.load_punctuality(start, end, LATE_US)
    summed = sum(service.sums.count for service in services)
    # Of a day that is past the retention of single checks there are the sums alone.
    is_known = bool(made.checks) or not summed
    sent = report_monitor.load_deliveries(start, end)
    return {
        "checks": made.checks or summed,
        "late_checks": made.late if is_known else None,
        "worst_late_s": _seconds(made.worst_us),
        "own_errors": made.own_errors if is_known else None,
        "unknown_s": sum(service.spent.get(Status.UNKNOWN, 0) for service in services) / SECOND,
        "unknown_services": sum(service.spent.get(Status.UNKNOWN, 0) > 0 for service in services),
        "deliveries": {
            "sent": sent.get(DeliveryState.SENT, 0),
            "waiting": sent.get(DeliveryState.QUEUED, 0),
            "failed": sent.get(DeliveryState.FAILED, 0),
            "gave_up": sent.get(DeliveryState.GAVE_UP, 0),
        },
        "task_errors": [
            {"name": found.name, "error": found.error, "at": _iso(found.at)}
            for found in report_monitor.list_task_errors(start, end)
        ],
    }


def _losses(day: date, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """Requests that were lost since the report before.

    The database has one number since the beginning, so what was lost during days that are made up for counts for the
    newest of them; of the others it is not known.
    """
    before = report_facts.newest_report_before(day) or {}
    known = (before.get("monitor") or {}).get("requests_lost_total", 0)
    if day < now.astimezone(zone).date() - timedelta(days=1):
        return {"requests_lost": None, "requests_lost_total": known}
    total = report_monitor.count_lost_requests()
    return {"requests_lost": max(total - known, 0), "requests_lost_total": total}


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / SECOND


def _iso(instant: int) -> str:
    return from_us(instant).isoformat().replace("+00:00", "Z")
