"""What programs can read and write: lists with their pages, changes with their conditions, and who may do what."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Settings
from statusapp import create_app
from statusapp.clock import utcnow
from statusapp.domain.enums import Outcome, Role, Status
from statusapp.domain.instants import SECOND, to_us
from tests.conftest import FreshClient
from tests.web.conftest import MakeService, csrf_token
from tests.world import World

API = "/health/api/"
URL = "http://127.0.0.1:1/"
LISTS = (
    "endpoints/", "groups/", "checks/", "logs/", "metrics/", "reports/", "incidents/", "maintenance/", "alerts/",
    "deliveries/",
)  # fmt: skip


class Program:
    """A client of the API with the token of an account."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a request; headers are given with underscores."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        options = {} if body is None else {"json": body}
        return self.client.open(API + path, method=method, headers=self.headers | told, **options)


@pytest.fixture
def program_of(
    client: FlaskClient, make_account: Callable[..., str], token_of: Callable[[str], str]
) -> Callable[[Role], Program]:
    return lambda role: Program(client, token_of(make_account(f"{role.word}@example.org", role)))


@pytest.fixture
def owner(program_of: Callable[[Role], Program]) -> Program:
    return program_of(Role.OWNER)


def test_everybody_sees_what_is_public_and_no_more(client: FlaskClient, owner: Program) -> None:
    shop = owner("POST", "endpoints/", {"name": "Shop", "url": URL, "tags": ["money"]}).json["id"]
    inner = owner("POST", "endpoints/", {"name": "Inner", "url": URL, "is_public": False}).json["id"]
    open_list = client.get(API + "endpoints/").json["items"]
    assert [(one["name"], "tags" in one, one["url"]) for one in open_list] == [("Shop", False, None)]
    assert [one["name"] for one in owner("GET", "endpoints/").json["items"]] == ["Inner", "Shop"]
    assert client.get(f"{API}endpoints/{shop}/").json["name"] == "Shop"
    assert client.get(f"{API}endpoints/{inner}/").status_code == 404
    assert owner("GET", f"endpoints/{inner}/").json["url"] == URL
    for closed in ("search=money", "tag=money", "sort=interval", "public=false"):
        answer = client.get(f"{API}endpoints/?{closed}")
        assert (answer.status_code, list(answer.json["error"]["fields"])) == (401, [closed.partition("=")[0]])


@pytest.mark.parametrize("path", LISTS)
def test_what_a_list_does_not_know_is_told_with_what_it_does(owner: Program, path: str) -> None:
    for query, word in (("nonsense=1", "Known are"), ("sort=nonsense", "Choose one of"), ("limit=0", "Must be")):
        answer = owner("GET", f"{path}?{query}")
        assert answer.status_code == 400
        assert word in answer.json["error"]["fields"][query.partition("=")[0]]
    for mark in ("nonsense", "W10", "WzFd", "W251bGxd", "\u00e9", "WyJcdWQ4MDAiLDFd"):
        answer = owner("GET", f"{path}?after={mark}")
        assert (answer.status_code, list(answer.json["error"]["fields"])) == (400, ["after"])


@pytest.mark.parametrize("value", ["2026-11-24", "2026-11-24T10:00:00", "0001-01-01T00:00:00Z", "", "1e99"])
def test_an_instant_needs_its_offset(owner: Program, value: str) -> None:
    answer = owner("GET", f"checks/?since={value}")
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (400, ["since"])


def test_an_offset_may_have_lost_its_plus(owner: Program) -> None:
    assert owner("GET", "checks/?since=2026-11-24T10:00:00+01:00").status_code == 200


def test_pages_follow_one_another_and_link(owner: Program) -> None:
    names = [f"Service {number}" for number in range(5)]
    for name in names:
        owner("POST", "endpoints/", {"name": name, "url": URL})
    seen, address = [], f"{API}endpoints/?limit=2&sort=-name"
    while address:
        answer = owner.client.get(address, headers=owner.headers)
        seen += [one["name"] for one in answer.json["items"]]
        address = answer.json["next"]
        assert (f'<{address}>; rel="next"' in answer.headers.get("Link", "")) == bool(address)
        assert ('rel="prev"' in answer.headers.get("Link", "")) == (len(seen) > 2)
    assert seen == sorted(names, reverse=True)


def test_a_service_is_made_read_changed_and_deleted(owner: Program) -> None:
    body = {"name": "Shop", "url": URL, "timeout_seconds": 2.5, "conditions": [{"text": "[STATUS] == 200"}]}
    made = owner("POST", "endpoints/", body)
    assert (made.status_code, made.json["timeout_seconds"]) == (201, 2.5)
    place = made.headers["Location"].removeprefix(API)
    assert owner("GET", place).json["conditions"] == [{"text": "[STATUS] == 200", "degrades": False}]
    changed = owner("PATCH", place, {"interval_seconds": 30, "group": "Payments"})
    assert (changed.json["interval_seconds"], changed.json["group"], changed.json["url"]) == (30, "Payments", URL)
    assert owner("PUT", place, {"name": "Shop", "url": URL}).json["interval_seconds"] == 300
    assert owner("POST", f"{place}pause/").json["is_enabled"] is False
    assert owner("POST", f"{place}resume/").json["is_enabled"] is True
    assert owner("PUT", f"{place}mute/", {}).json["is_muted"] is True
    assert owner("DELETE", f"{place}mute/").status_code == 204
    assert owner("DELETE", place).status_code == 204
    assert owner("GET", place).status_code == 404


def test_a_condition_in_a_change_is_whole(owner: Program) -> None:
    place = owner("POST", "endpoints/", {"name": "Shop", "url": URL}).headers["Location"].removeprefix(API)
    changed = owner("PATCH", place, {"conditions": [{"text": "[STATUS] == 200"}]})
    assert changed.json["conditions"] == [{"text": "[STATUS] == 200", "degrades": False}]
    assert "conditions.0.text" in owner("PATCH", place, {"conditions": [{}]}).json["error"]["fields"]


def test_a_configuration_can_be_applied_again(owner: Program) -> None:
    body = {"name": "a/b & c", "url": URL, "interval_seconds": 60}
    codes = [owner("PUT", "endpoints/by-name/a%2Fb%20&%20c/", body).status_code for _ in range(3)]
    assert codes == [201, 200, 200]
    assert owner("GET", "endpoints/by-name/a%2Fb%20&%20c/").json["interval_seconds"] == 60
    assert len(owner("GET", "endpoints/").json["items"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": URL}, "name"),
        ({"name": "Shop", "url": "nonsense"}, "url"),
        ({"name": "Shop", "url": URL, "interval_seconds": 10, "timeout_seconds": 20}, "timeout_seconds"),
        ({"name": "Shop", "url": URL, "conditions": [{"text": "nonsense"}]}, "conditions"),
        ({"name": "Shop", "url": URL, "conditions": ["x"]}, "conditions.0"),
        ({"name": "Shop", "url": URL, "options": {"nonsense": 1}}, "options"),
        ({"name": "Shop", "url": URL, "depends_on": ["Nothing"]}, "depends_on"),
        ({"name": "Shop\0", "url": URL}, "name"),
        ({"name": "Shop", "url": URL, "intervall": 5}, "intervall"),
        ({"name": "Shop", "url": URL, "retries": True}, "retries"),
    ],
)
def test_what_cannot_be_saved_is_told_by_its_field(owner: Program, body: dict[str, Any], field: str) -> None:
    answer = owner("POST", "endpoints/", body)
    assert (answer.status_code, [name.partition(":")[0] for name in answer.json["error"]["fields"]]) == (400, [field])


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_told_as_such(owner: Program, body: bytes) -> None:
    path, headers = API + "endpoints/", owner.headers
    answer = owner.client.post(path, data=body, headers=headers, content_type="application/json")
    assert (answer.status_code, bool(answer.json["error"]["message"])) == (400, True)
    assert "Content-Type" in owner.client.post(path, data=body, headers=headers).json["error"]["message"]


def test_a_change_meanwhile_is_not_overwritten(app: Flask, owner: Program) -> None:
    place = owner("POST", "endpoints/", {"name": "Shop", "url": URL}).headers["Location"].removeprefix(API)
    read = owner("GET", place)
    assert owner("GET", place, If_None_Match=read.headers["ETag"]).status_code == 304
    # A check is no change of what operators say.
    World().execute("UPDATE endpoint_state SET status = :status", status=int(Status.MAJOR_OUTAGE))
    assert owner("GET", place, If_None_Match=read.headers["ETag"]).json["status"] == "major_outage"
    assert owner("PATCH", place, {"retries": 1}, If_Match=read.headers["ETag"]).status_code == 200
    refused = owner("PATCH", place, {"retries": 2}, If_Match=read.headers["ETag"])
    assert (refused.status_code, owner("GET", place).json["retries"]) == (412, 1)
    assert owner("DELETE", place, If_Match='"other"').status_code == 412
    assert owner("DELETE", place, If_Match="*").status_code == 204


def test_who_may_write_what(client: FlaskClient, program_of: Callable[[Role], Program]) -> None:
    viewer, staff = program_of(Role.VIEWER), program_of(Role.STAFF)
    service, channel = {"name": "Shop", "url": URL}, {"name": "On call", "kind": "email", "destination": {}}
    assert client.post(API + "endpoints/", json=service).status_code == 401
    assert viewer("GET", "channels/").status_code == 200
    assert viewer("POST", "endpoints/", service).status_code == 403
    assert staff("POST", "channels/", channel).status_code == 403
    secret = service | {"options": {"password": "hush", "username": "me"}}
    assert staff("POST", "endpoints/", secret).status_code == 403
    assert staff("POST", "endpoints/", service).status_code == 201


def test_secrets_are_taken_and_never_given(owner: Program) -> None:
    body = {"name": "Shop", "url": URL, "options": {"username": "me", "password": "hush-hush"}}
    place = owner("POST", "endpoints/", body).headers["Location"].removeprefix(API)
    kept = owner("PATCH", place, {"retries": 1})
    assert kept.json["secrets"] == ["password"]
    assert "hush-hush" not in kept.text
    assert owner("PATCH", place, {"cleared_secrets": ["password"], "options": {}}).json["secrets"] == []
    channel = {"name": "Hook", "kind": "webhook", "destination": {"url": "https://example.org/x", "secret": "s" * 32}}
    made = owner("POST", "channels/", channel)
    assert (made.status_code, "s" * 32 in made.text) == (201, False)


def test_a_browser_writes_with_its_csrf_token(
    client: FlaskClient, make_account: Callable[..., str], sign_in: Callable[..., Any]
) -> None:
    sign_in(make_account())
    token, body = csrf_token(client, "/admin/"), {"name": "Payments"}
    assert client.get(API + "groups/").status_code == 200
    assert client.post(API + "groups/", json=body).status_code == 400
    assert client.post(API + "groups/", json=body, headers={"X-CSRFToken": token}).status_code == 201
    # Whoever shows a token that is not valid is not taken for the browser.
    assert client.get(API + "endpoints/", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_checks_on_demand_can_be_followed(app: Flask, owner: Program) -> None:
    world = World()
    ids = [world.add(name) for name in ("One", "Two")]
    for endpoint_id in ids:
        world.execute("UPDATE endpoint_state SET extra_at = NULL WHERE endpoint_id = :id", id=endpoint_id)
    asked = owner("POST", "run-health-checks/")
    assert (asked.status_code, asked.json["waiting"], asked.json["is_finished"]) == (202, 2, False)
    place = asked.headers["Location"].removeprefix(API)
    # First those of the grid, which are due for longer, then the ones that were asked for.
    for _ in range(2):
        for claimed in world.claim(asked.json["id"]):
            world.apply(claimed, asked.json["id"] + SECOND)
    found = owner("GET", place).json
    assert (found["done"], found["waiting"], found["is_finished"]) == (2, 0, True)
    assert owner("POST", "run-health-checks/?endpoint=99999").status_code == 404
    assert owner("GET", "run-health-checks/5/").status_code == 404
    assert owner("POST", f"run-health-checks/?endpoint={ids[0]}&wait=0.2").status_code == 202


def test_the_past_of_a_service(app: Flask, owner: Program, make_service: MakeService) -> None:
    endpoint_id, now = make_service("Shop"), to_us(utcnow())
    outcomes = [Outcome.OK, Outcome.OK, Outcome.SLOW, Outcome.OK, Outcome.OK]
    checks = [(now - (5 - place) * 60 * SECOND, outcome, 5000) for place, outcome in enumerate(outcomes)]
    World().store_checks(endpoint_id, checks)
    listed = owner("GET", f"checks/?endpoint={endpoint_id}&limit=2")
    assert [len(listed.json["items"]), bool(listed.json["next"])] == [2, True]
    series = owner("GET", f"endpoints/{endpoint_id}/series/?span=24h").json
    assert sum(point["checks"] for point in series["points"]) >= 4
    ledger = owner("GET", f"endpoints/{endpoint_id}/ledger/").json
    assert (ledger["uptime_percent"], [entry["status"] for entry in ledger["entries"]]) == (100.0, ["operational"])
    slot = listed.json["items"][0]["slot"]
    assert owner("GET", f"checks/{endpoint_id}/{slot}/").json["check"]["outcome"] == "ok"
    series_of = f"endpoints/{endpoint_id}/series/"
    for query, step_s, points in (("span=36h", 3600, 36), ("span=14d&step=1d", 86_400, 14), ("step=600", 600, 144)):
        found = owner("GET", f"{series_of}?{query}").json
        assert (found["step_seconds"], len(found["points"])) == (step_s, points)
        assert sum(point["checks"] for point in found["points"]) >= 4
    ends = "since=2026-01-01T00:00:00%2B01:00&until=2026-01-11T00:00:00%2B01:00"
    old = owner("GET", f"{series_of}?{ends}").json
    assert (old["since"], old["until"]) == ("2025-12-31T00:00:00.000Z", "2026-01-11T00:00:00.000Z")
    for query in ("span=1y", "step=1s", "step=0", "span=24h&since=2026-01-01T00:00:00Z", "since=2026-01-01T00:00:00",
                  "span=365d&step=1h", "span=30d&step=5m", "since=2999-01-01T00:00:00Z"):  # fmt: skip
        refused = owner("GET", f"{series_of}?{query}")
        assert (refused.status_code, len(refused.json["error"]["fields"])) == (400, 1), query


def test_an_incident_is_told(owner: Program) -> None:
    endpoint_id = owner("POST", "endpoints/", {"name": "Shop", "url": URL}).json["id"]
    made = owner("POST", "incidents/", {"title": "Slow", "body": "We look.", "endpoint_ids": [endpoint_id]})
    place = made.headers["Location"].removeprefix(API)
    assert [one["name"] for one in made.json["affected"]] == ["Shop"]
    told = owner("POST", f"{place}updates/", {"body": "It was a disk.", "status": "resolved"})
    assert (told.status_code, told.json["status"]) == (201, "resolved")
    assert owner("POST", f"{place}updates/", {"body": "Back.", "status": "identified"}).status_code in (201, 409)
    update = told.json["updates"][0]["id"]
    assert owner("PUT", f"{place}updates/{update}/", {"body": "It was two."}).json["updates"][-1]["body"]
    assert owner("PATCH", place, {"impact": "critical", "is_public": False}).json["impact"] == "critical"
    assert owner("PATCH", place, {"impact": "critical"}, If_Match=made.headers["ETag"]).status_code == 412
    assert owner("GET", "incidents/?public=true").json["items"] == []
    assert owner("POST", "incidents/", {"title": "x", "body": "y", "endpoint_ids": [99999]}).status_code == 400


def test_maintenance_is_planned_and_called_off(owner: Program) -> None:
    body = {"title": "Disks", "starts": "2035-01-31T02:00", "duration_seconds": 3600, "covers_all": True}
    made = owner("POST", "maintenance/", body)
    place = made.headers["Location"].removeprefix(API)
    assert made.json["maintenance"]["next_at"] == "2035-01-31T02:00:00.000Z"
    assert owner("PUT", place, body | {"title": "New disks"}).json["maintenance"]["title"] == "New disks"
    assert owner("POST", "maintenance/", body | {"starts": "soon"}).status_code == 400
    assert owner("POST", "maintenance/", body | {"rule": "FREQ=NEVER"}).status_code == 400
    assert owner("DELETE", place).status_code == 204
    assert owner("GET", place).json["maintenance"]["is_cancelled"] is True


def test_rules_and_settings(owner: Program) -> None:
    endpoint_id = owner("POST", "endpoints/", {"name": "Shop", "url": URL}).json["id"]
    rule = owner("PUT", f"rules/slow/?endpoint={endpoint_id}", {"severity": "critical", "for_seconds": 60})
    assert (rule.json["severity"], rule.json["endpoint_id"]) == ("critical", endpoint_id)
    assert len([one for one in owner("GET", "rules/").json["items"] if one["endpoint_id"] == endpoint_id]) == 1
    assert owner("DELETE", f"rules/slow/?endpoint={endpoint_id}").status_code == 204
    assert owner("PUT", "rules/slow/?endpoint=99999", {}).status_code == 404
    assert owner("PUT", f"rules/cpu/?endpoint={endpoint_id}", {}).status_code == 400
    assert owner("PUT", "rules/nonsense/", {}).status_code == 404
    assert owner("PATCH", "settings/", {"title": "Ours"}).json["title"] == "Ours"
    refused = owner("PATCH", "settings/", {"theme": "pink", "refresh_interval_seconds": 1})
    assert set(refused.json["error"]["fields"]) == {"theme", "refresh_interval_seconds"}
    page = "data:text/html;base64,PHNjcmlwdD4="
    assert list(owner("PATCH", "settings/", {"logo": page}).json["error"]["fields"]) == ["logo"]


def test_prometheus_gets_what_it_may(client: FlaskClient, owner: Program, make_service: MakeService) -> None:
    shop, _ = make_service("Shop"), make_service("Inner", Status.MAJOR_OUTAGE, is_public=False)
    open_text = client.get("/metrics").text
    assert f'statusapp_endpoint_up{{group="",id="{shop}",name="Shop"}} 1.0' in open_text
    assert "Inner" not in open_text
    assert "alerts_open" not in open_text
    whole = client.get("/metrics", headers=owner.headers)
    assert whole.content_type.startswith("text/plain; version=0.0.4")
    assert 'name="Inner"} 0.0' in whole.text
    assert 'statusapp_alerts_open{severity="critical"} 0.0' in whole.text


def test_the_monitor_and_its_reports(owner: Program) -> None:
    monitor = owner("GET", "monitor/").json
    assert {finding["name"] for finding in monitor["findings"]} >= {"database:responseTime", "scheduler:lag"}
    assert owner("GET", "reports/").json["items"] == []
    assert owner("GET", "reports/nonsense/").status_code == 404
    owner("POST", "endpoints/", {"name": "Shop", "url": URL})
    today = owner("GET", "reports/today/")
    assert (today.status_code, today.json["is_stored"]) == (200, False)
    assert json.dumps(today.json["report"])
    assert owner("GET", f"reports/{(utcnow() + timedelta(days=3)).date()}/").status_code == 404


def test_whoever_asks_too_often_waits(settings: Settings, owner: Program) -> None:
    app = create_app(replace(settings, api_requests_per_minute=2))
    app.test_client_class = FreshClient
    few = Program(app.test_client(), owner.headers["Authorization"].removeprefix("Bearer "))
    answers = [few("GET", "groups/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert int(answers[-1].headers["Retry-After"]) > 0
    # A stranger at the same address is somebody else.
    assert few.client.get(API + "endpoints/").status_code == 200


def test_a_token_says_whose_it_is_and_can_be_ended(owner: Program) -> None:
    auth = "/api/v1/auth/"
    me = owner.client.get(f"{auth}me/", headers=owner.headers).json
    assert (me["email"], me["role"]) == ("owner@example.org", "owner")
    assert owner.client.post(f"{auth}logout/", headers=owner.headers).status_code == 204
    assert owner.client.get(f"{auth}me/", headers=owner.headers).status_code == 401


def test_metrics_may_need_a_token_of_their_own(settings: Settings, owner: Program) -> None:
    app = create_app(replace(settings, metrics_token="t" * 32))
    app.test_client_class = FreshClient
    client = app.test_client()
    codes = [
        client.get("/metrics", headers={"Authorization": value} if value else {}).status_code
        for value in (None, "Bearer nonsense", f"Bearer {'t' * 32}", owner.headers["Authorization"])
    ]
    assert codes == [401, 401, 200, 200]
