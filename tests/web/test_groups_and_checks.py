"""Groups and dependencies on the page, and checks on demand by staff."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from statusapp.database import write_transaction
from statusapp.domain.enums import Role, Status
from statusapp.extensions import db
from statusapp.models import EndpointDependency, ServiceGroup
from tests.world import World

PAGE, DATA = "/health/status-page/", "/health/status-page-api/"


@pytest.fixture
def group(app: object) -> Callable[..., int]:
    """Make a group."""

    def make(name: str, position: int, *, is_collapsed: bool = False) -> int:
        with write_transaction(db.session) as session:
            row = ServiceGroup(name=name, position=position, is_collapsed=is_collapsed)
            session.add(row)
            session.flush()
            return row.id

    return make


def test_services_stand_under_their_groups(
    client: FlaskClient, make_service: Callable[..., int], group: Callable[..., int]
) -> None:
    back, front = group("Backend <1>", 2, is_collapsed=True), group("Frontend", 1)
    make_service("Api", group_id=back)
    make_service("Db", Status.MAJOR_OUTAGE, group_id=back)
    make_service("Web", group_id=front)
    make_service("Loose")
    data = client.get(DATA).json
    assert [service["name"] for service in data["services"]] == ["Loose", "Web", "Api", "Db"]
    assert [(item["name"], item["status"], len(item["services"])) for item in data["groups"]] == [
        ("Frontend", "operational", 1),
        ("Backend <1>", "major_outage", 2),
    ]
    html = client.get(PAGE).text
    assert html.index(">Loose<") < html.index(">Frontend<") < html.index(">Backend &lt;1&gt;<")
    assert html.count("<details") == 2
    # One is folded, but something in it is down.
    assert len(re.findall(r"<details[^>]* open", html)) == 2


def depend(child: int, parent: int) -> None:
    """Make a service depend on another."""
    with write_transaction(db.session) as session:
        session.add(EndpointDependency(endpoint_id=child, parent_id=parent))


def test_a_child_of_a_service_that_is_down_is_affected(client: FlaskClient, make_service: Callable[..., int]) -> None:
    child, parent = make_service("Shop"), make_service("Database", Status.MAJOR_OUTAGE)
    hidden, fine = make_service("Vault", Status.MAJOR_OUTAGE, is_public=False), make_service("Fine")
    for key in (parent, hidden, fine):
        depend(child, key)
    services = {service["name"]: service for service in client.get(DATA).json["services"]}
    assert services["Shop"]["affected_by"] == ["Database", "a service it depends on"]
    assert services["Fine"]["affected_by"] == []
    html = client.get(PAGE).text
    assert "Affected by Database and a service it depends on" in html
    assert "Vault" not in html


def test_addresses_are_shown_only_where_the_operator_says_so(
    client: FlaskClient, make_service: Callable[..., int]
) -> None:
    make_service("Open", url="https://open.example.org/", shows_url=True)
    make_service("Shut", url="https://shut.example.org/")
    for path in (PAGE, DATA, "/health/api/overview/"):
        text = client.get(path).text
        assert "open.example.org" in text
        assert "shut.example.org" not in text


def test_a_heartbeat_has_no_response_time(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service("Backup", url="heartbeat:")
    service = client.get(DATA).json["services"][0]
    assert (service["response_time_seconds"], service["response_time_text"]) == (None, "–")


def test_a_heartbeat_that_waits_for_its_first_ping_is_no_stale_page(
    client: FlaskClient, make_service: Callable[..., int], now: datetime
) -> None:
    created = now - timedelta(hours=1)
    make_service("Backup", Status.UNKNOWN, checked=None, total_us=None, url="heartbeat:", created_at=created)
    assert client.get(DATA).json["is_stale"] is False


@pytest.fixture
def endpoint(app: object) -> int:
    """A real endpoint whose first check has been made."""
    world = World()
    key = world.add()
    world.execute("UPDATE endpoint_state SET extra_at = NULL, extra_kind = NULL")
    return key


def asked() -> bool:
    """Whether a check was asked for."""
    return World().scalar("SELECT extra_kind FROM endpoint_state") == 2


def test_staff_ask_for_checks_in_the_browser(
    client: FlaskClient, endpoint: int, make_account: Callable[..., str], sign_in: Callable[..., Any]
) -> None:
    sign_in(make_account(role=Role.STAFF))
    page = client.get("/admin/health/serviceendpoint/").text
    assert "Check all now" in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    one = f"/admin/health/serviceendpoint/{endpoint}/run"
    assert client.post(one).status_code == 400
    assert not asked()
    response = client.post(one, data={"csrf_token": token}, follow_redirects=True)
    assert "is being checked." in response.text
    assert asked()
    back = {"csrf_token": token, "back": f"/dashboard/services/{endpoint}/"}
    assert client.post(one, data=back).headers["Location"] == back["back"]
    assert client.post(one, data=back | {"back": "//evil.example"}).headers["Location"].startswith("/admin/")
    assert client.post(one.replace(str(endpoint), "999"), data=back).status_code == 404
    response = client.post("/admin/health/serviceendpoint/run", data={"csrf_token": token}, follow_redirects=True)
    assert "1 service is being checked." in response.text


def test_programs_of_staff_ask_for_checks(
    client: FlaskClient, endpoint: int, make_account: Callable[..., str], token_of: Callable[..., str]
) -> None:
    one, every = f"/api/v1/endpoints/{endpoint}/checks/", "/api/v1/endpoints/checks/"
    assert client.post(one).status_code == 401
    viewer = {"Authorization": f"Bearer {token_of(make_account('viewer@example.org', role=Role.VIEWER))}"}
    assert client.post(one, headers=viewer).status_code == 403
    assert not asked()
    staff = {"Authorization": f"Bearer {token_of(make_account('staff@example.org', role=Role.STAFF))}"}
    response = client.post(one, headers=staff)
    assert (response.status_code, response.json) == (202, {"requested": 1})
    assert asked()
    assert client.post(every, headers=staff).json == {"requested": 1}
    assert client.post("/api/v1/endpoints/999/checks/", headers=staff).status_code == 404
