"""Installation: migrations, the page's settings and the default endpoints. Safe to run again at every start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import flask_migrate
from sqlalchemy import select

from config import Settings
from statusapp.clock import utcnow
from statusapp.database import enable_vacuum, write_transaction
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint, StatusPageSettings
from statusapp.services import accounts, periodic, rules, vault
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import add_endpoint
from statusapp.services.partitions import ensure_partitions

# Name, path, method, interval in seconds, expected status codes. An anonymous or empty request is refused by the
# authentication endpoints; that refusal is the sign that they work.
DEFAULT_ENDPOINTS = (
    ("API Root", "/", "GET", 120, "200"),
    ("Health Check", "/health/", "GET", 60, "200"),
    ("User Registration", "/api/v1/auth/register/", "POST", 300, "400"),
    ("User Login", "/api/v1/auth/login/", "POST", 300, "400"),
    ("OAuth Applications", "/api/v1/auth/oauth/applications/", "GET", 600, "401"),
    ("Health Overview API", "/health/api/overview/", "GET", 300, "200"),
    ("Status Page", "/health/status-page/", "GET", 300, "200"),
    ("Admin Panel", "/admin/", "GET", 600, "302"),
)


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What a set-up has made, and what was there already."""

    created: list[str]
    kept: list[str]


def prepare(settings: Settings) -> str | None:
    """Bring an installation up to date before its processes start.

    Returns:
        The path of the one-time link that makes the first account; None when there is an account.
    """
    from statusapp import create_app

    app = create_app(settings, with_web=False)
    with app.app_context():
        flask_migrate.upgrade()
        enable_vacuum(db.engine)
        vault.check_key()
        now = utcnow()
        ensure_partitions(now)
        set_up(settings.base_url, now)
        rules.ensure_defaults()
        periodic.ensure_tasks(settings, now)
        token = accounts.offer_first_account(now)
        db.engine.dispose()
    return f"/auth/first-account/{token}" if token else None


def set_up(base_url: str, now: datetime) -> SetupReport:
    """Make the page's settings and those of the default endpoints that are not there; change nothing that is.

    An endpoint that an operator deleted or renamed does not come back: the endpoints are made once, for a new page.
    """
    with write_transaction(db.session) as session:
        first_time = session.get(StatusPageSettings, 1) is None
        if first_time:
            session.add(StatusPageSettings(id=1))
        known = set(session.scalars(select(ServiceEndpoint.name)))
        created = []
        if first_time or not known:
            for position, (name, path, method, interval_s, codes) in enumerate(DEFAULT_ENDPOINTS):
                if name not in known:
                    draft = EndpointDraft(
                        name,
                        base_url + path,
                        method=method,
                        expected_status_codes=codes,
                        interval_s=interval_s,
                        position=position,
                    )
                    add_endpoint(session, draft, now)
                    created.append(name)
    return SetupReport(created, [name for name, *_ in DEFAULT_ENDPOINTS if name in known])
