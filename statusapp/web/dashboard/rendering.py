"""What the pages of the dashboard have in common: links that fit the account, words for alerts and findings."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_login import current_user

from statusapp.domain.enums import AlertKind, Role, Severity
from statusapp.domain.incidents import IMPACT_WORDS, STATUS_WORDS
from statusapp.domain.monitor import Level
from statusapp.web.admin.blueprint import owner_blueprint
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.roles import is_owner
from statusapp.web.status.service_page import RULES

ALERT_WORDS = {
    AlertKind.DOWN: "Service down",
    AlertKind.SLOW: "Slow service",
    AlertKind.CHECK_ERRORS: "Failing checks",
    AlertKind.REQUEST_ERRORS: "Failing requests",
    AlertKind.REQUESTS_SLOW: "Slow requests",
    AlertKind.NEW_ERROR: "New error",
    AlertKind.CPU: "CPU",
    AlertKind.MEMORY: "Memory",
    AlertKind.DISK: "Disk space",
    AlertKind.LOAD: "Load",
    AlertKind.CERTIFICATE: "Certificate",
    AlertKind.HEARTBEAT_LATE: "Late heartbeat",
    AlertKind.MONITOR: "The monitor itself",
}
# The shapes and colours of statuses stand for severities and verdicts as well.
SEVERITY_STATUS = {Severity.INFO: "unknown", Severity.WARNING: "degraded", Severity.CRITICAL: "major_outage"}
LEVEL_STATUS = {Level.PASS: "operational", Level.WARN: "degraded", Level.FAIL: "major_outage"}
# How long something is muted for, in hours; 0 is for good.
MUTE_HOURS = {1: "1 hour", 4: "4 hours", 24: "1 day", 168: "1 week", 0: "for good"}


def render_dashboard(template: str, **values: Any) -> str:
    """A page of the dashboard."""
    return render_admin(
        template,
        is_staff=is_staff(),
        link=link,
        alert_words=ALERT_WORDS,
        severity_status=SEVERITY_STATUS,
        level_status=LEVEL_STATUS,
        mute_hours=MUTE_HOURS,
        incident_words=STATUS_WORDS,
        impact_words=IMPACT_WORDS,
        rules=RULES,
        **values,
    )


def is_staff() -> bool:
    """Whether the signed-in account may do more than look."""
    return bool(current_user.account.role >= Role.STAFF)


def link(view: str, **values: Any) -> str | None:
    """The address of an operator's page; None where the account may not go."""
    may_go = is_owner() if view.startswith(f"{owner_blueprint.name}.") else is_staff()
    return url_for(view, **values) if may_go else None
