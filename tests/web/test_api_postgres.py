"""Every list and file of the API and of the operators' pages is read from PostgreSQL, by every sort and filter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, Outcome, Severity
from statusapp.domain.instants import SECOND, to_us
from statusapp.extensions import db
from statusapp.models import Alert, RequestLog, TrackedHost, TrackedRoute
from statusapp.services import channels, groups
from statusapp.services import incident_updates as people
from statusapp.services import maintenance_plans as plans
from statusapp.services.metrics import collect_metrics
from tests.web.conftest import MakeService, Operator
from tests.world import World

READ = ("/health/api/", "/api/v1/", "/admin/", "/dashboard/", "/metrics")
# Leads elsewhere, or is there only while somebody has begun something.
ELSEWHERE = (302, 404)


@pytest.fixture
def database() -> str:
    """The database of this file."""
    return "postgresql"


@pytest.fixture
def planted(app: Flask, make_service: MakeService) -> dict[str, Any]:
    """One of everything that a list shows, and what stands in an address."""
    now = utcnow()
    actor = plans.SYSTEM
    group_id = groups.add_group(groups.GroupDraft("Money"), actor, now)
    service_id = make_service("Shop", group_id=group_id)
    slot = to_us(now) - 60 * SECOND
    World().store_checks(service_id, [(slot, Outcome.FAILED, 5000), (slot - 60 * SECOND, Outcome.OK, 5000)])
    incident_id = people.open_incident(people.IncidentDraft("Slow", "We look.", endpoint_ids=[service_id]), "a", now)
    window_id = plans.plan_maintenance(plans.MaintenanceDraft("Disks", "2035-01-31T02:00", 3600, covers_all=True), now)
    hook = channels.ChannelDraft("Hook", "webhook", {"url": "http://127.0.0.1:1/", "secret": "s" * 32})
    channel_id = channels.add_channel(hook, now)
    collect_metrics(now)
    with write_transaction(db.session) as session:
        kind = {"kind": AlertKind.DOWN, "severity": Severity.CRITICAL, "since": 1, "fired_at": 1, "found": "refused"}
        alert = Alert(subject=f"endpoint:{service_id}", name="Shop", endpoint_id=service_id, **kind)
        session.add(alert)
        session.execute(insert(TrackedHost), [{"id": 1, "name": "web-1"}])
        session.execute(insert(TrackedRoute), [{"id": 1, "service": "shop", "method": "GET", "route": "/x"}])
        request = {"at": slot, "route_id": 1, "host_id": 1, "status": 500, "duration_us": 5, "is_slow": True,
                   "is_probe": False, "went_away": False, "weight": 1.0}  # fmt: skip
        session.add(RequestLog(**request))
        session.flush()
        alert_id = alert.id
    return {"endpoint_id": service_id, "group_id": group_id, "incident_id": incident_id, "window_id": window_id,
            "channel_id": channel_id, "alert_id": alert_id, "slot": slot, "name": "Shop", "kind": "down",
            "day": (now - timedelta(days=1)).date().isoformat()}  # fmt: skip


def addresses(app: Flask, planted: dict[str, Any]) -> list[str]:
    """All that can be read below `READ`."""
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.rule.startswith(READ):
            built = rule.build({name: planted.get(name, 1) for name in rule.arguments}, append_unknown=False)
            assert built is not None, rule
            found.append(built[1])
    return found


def read_all(client: FlaskClient, paths: list[str], headers: dict[str, str]) -> dict[str, int]:
    return {path: client.get(path, headers=headers).status_code for path in paths}


def test_everything_that_is_read_is_read_from_postgresql(
    app: Flask, operator: Operator, planted: dict[str, Any], token_of: Callable[[str], str]
) -> None:
    token = {"Authorization": f"Bearer {token_of('owner@example.org')}"}
    paths = addresses(app, planted)
    assert len(paths) > 60
    for_programs = [path for path in paths if path.startswith("/api/v1/")]
    found = read_all(operator.client, [path for path in paths if path not in for_programs], {"Accept": "text/html"})
    found |= read_all(operator.client, for_programs, token)
    strange = {path: status for path, status in found.items() if status not in (200, *ELSEWHERE)}
    assert not strange
    lists = [path for path, status in found.items() if status == 200 and path.startswith("/health/api/")]
    assert len(lists) > 15
    # Nothing that was planted is missing.
    missing = [path for path, status in found.items() if status == 404 and str(planted["endpoint_id"]) in path]
    assert not [path for path in missing if "endpoints" in path], missing


def test_every_sort_and_filter_of_the_api_is_run_on_postgresql(
    client: FlaskClient, planted: dict[str, Any], make_account: Callable[..., str], token_of: Callable[[str], str]
) -> None:
    headers = {"Authorization": f"Bearer {token_of(make_account())}"}
    document = client.get("/health/api/openapi.json").json
    values = {"group": planted["group_id"], "endpoint": planted["endpoint_id"], "channel": 1, "alert": 1, "host": "x"}
    asked = 0
    for path, methods in document["paths"].items():
        if "{" in path or "get" not in methods:
            continue
        for parameter in methods["get"].get("parameters", []):
            schema, name = parameter["schema"], parameter["name"]
            if parameter["in"] != "query" or name in ("after", "before", "step", "span", "wait"):
                continue
            kind = schema.get("format") or schema.get("type")
            usual = {"boolean": "true", "date-time": "2026-01-01T00:00:00Z", "integer": values.get(name, 5)}.get(
                kind, "x"
            )
            for value in schema.get("enum") or [values.get(name, usual)]:
                answer = client.get(path, query_string={name: value}, headers=headers)
                assert answer.status_code == 200, (path, name, value, answer.text)
                asked += 1
    assert asked > 80
