"""Requests of the host applications: routes that fail or are slow, and errors that are new."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import current_app

from config import Settings
from statusapp.domain.alert_rules import Case, RuleValues, judge_found
from statusapp.domain.enums import AlertKind
from statusapp.domain.instants import to_us
from statusapp.domain.request_rules import RequestFinding, RequestLimits, RouteWindow, find_failing, find_slow
from statusapp.queries.request_sums import load_traffic
from statusapp.queries.requests import list_new_errors
from statusapp.services.rules import Rules

ALL = "all requests"
REQUEST_KINDS = (AlertKind.REQUEST_ERRORS, AlertKind.REQUESTS_SLOW, AlertKind.NEW_ERROR)


def judge_requests(rules: Rules, now: datetime) -> Iterable[Case]:
    """The rules of requests. What is found is wrong; what was open and is not found any more is over."""
    settings: Settings = current_app.config["SETTINGS"]
    failing, slow, new = (rules.of(kind) for kind in REQUEST_KINDS)
    if failing.is_on:
        limit = failing.threshold if failing.threshold is not None else RequestLimits().error_percent
        for finding in find_failing(_windows(failing, now), RequestLimits(error_percent=limit, least=failing.least)):
            yield _case(failing, finding, now)
    if slow.is_on:
        limits = RequestLimits(slow_us=int((slow.threshold or settings.slow_request_ms) * 1000), least=slow.least)
        for finding in find_slow(_windows(slow, now), limits):
            yield _case(slow, finding, now)
    if new.is_on:
        for group in list_new_errors(now - timedelta(seconds=new.window_s), now):
            name = f"{group.error_class} in {group.method} {group.route}"
            found = f"new error, {group.count} times: {group.message or group.error_class}"
            yield judge_found(new, f"error:{group.id}", name, found, to_us(group.first_at))


def _windows(rule: RuleValues, now: datetime) -> list[RouteWindow]:
    traffic = load_traffic(now - timedelta(seconds=rule.window_s), now)
    windows = [
        RouteWindow(f"{route.service} {route.method} {route.route}", route.sums, route.slow_us)
        for route in traffic.routes
    ]
    return [*windows, RouteWindow(ALL, traffic.overall)]


def _case(rule: RuleValues, finding: RequestFinding, now: datetime) -> Case:
    since = to_us(now) - rule.window_s * 1_000_000
    return judge_found(rule, f"route:{finding.subject}", finding.subject, str(finding), since)
