"""The jobs that RQ runs: named as in the specification, without arguments, safe to run twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from statusapp.jobs.context import interruptible, job_context
from statusapp.services import (
    alerting,
    checks,
    delivery,
    maintenance,
    metrics,
    periodic,
    reports,
    request_rollups,
    request_storing,
    retention,
    rollups,
    uptime,
)


def run_health_checks_task() -> None:
    """Make checks until a fresher job of this kind has begun."""
    with job_context() as settings:
        checks.run_checks(settings, interruptible)


def collect_system_metrics_task() -> None:
    """Store one reading of this host, and of what all hosts share."""
    _run("collect_system_metrics_task", metrics.collect_metrics)


def cleanup_old_health_data_task() -> None:
    """Delete what is past its retention."""
    _run("cleanup_old_health_data_task", retention.clean_up)


def check_endpoint_alerting_task() -> None:
    """Look for silence and for services that are down for long."""
    _run("check_endpoint_alerting_task", alerting.sweep)


def update_endpoint_uptime_task() -> None:
    """Compute the uptime of today and of the days that are not final."""
    _run("update_endpoint_uptime_task", uptime.update_uptime)


def generate_daily_report_task() -> None:
    """Write yesterday's report, and those that were missed."""
    _run("generate_daily_report_task", reports.generate_reports)


def roll_up_checks_task() -> None:
    """Sum up the checks of the newest hours."""
    _run("roll_up_checks_task", rollups.roll_up_checks)


def store_requests_task() -> None:
    """Store the requests that host applications have reported."""
    _run("store_requests_task", request_storing.store_requests)


def send_messages_task() -> None:
    """Send the messages that no messenger has taken."""
    _run("send_messages_task", delivery.sweep)


def roll_up_requests_task() -> None:
    """Sum up the requests of the hours and days that are over."""
    _run("roll_up_requests_task", request_rollups.roll_up_requests)


def keep_maintenance_task() -> None:
    """Announce, start and end planned maintenance, and resolve incidents that are over."""
    _run("keep_maintenance_task", maintenance.keep_maintenance)


def _run(name: str, work: Callable[[datetime], str]) -> None:
    with job_context() as settings:
        periodic.run_task(settings, name, work)
