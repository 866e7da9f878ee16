"""The public page: what it says, what it costs, and that it is there when other things are not."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from config import CHART_JS_URL
from statusapp.database import write_transaction
from statusapp.domain.blocks import HOUR_S
from statusapp.domain.enums import Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import LatencyRollup, MetricHost, StatusPageSettings, SystemMetric
from statusapp.queries.status_page import load_status_page
from statusapp.services.metric_rollups import roll_up_metrics

PAGE = "/health/status-page/"
DATA = "/health/status-page-api/"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_eight_operational_services_are_the_headline(client: FlaskClient, make_service: Callable[..., int]) -> None:
    for number in range(8):
        make_service(f"Service {number}")
    html = client.get(PAGE, headers=BROWSER).text
    assert "All Systems Operational" in html
    assert "8/8 services operational" in html
    assert 'data-text="page.title">Driver App Status</h1>' in html
    assert "updated <time" in html


def test_a_row_has_status_word_uptime_and_response_time(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service("API Root")
    html = client.get(PAGE).text
    row = html.split('<li class="service"')[1].split("</li>")[0]
    for expected in ("API Root", "Operational", "100 %", "0.12 s", "#icon-operational"):
        assert expected in row


def test_no_services_is_an_empty_state_and_not_health(client: FlaskClient, app: Flask) -> None:
    html = client.get(PAGE).text
    assert "No Services Monitored Yet" in html
    assert "There are no services on this page yet." in html
    assert client.get(DATA).json["status"] == "unknown"


def test_the_worst_service_makes_the_headline(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service("Fine")
    make_service("Broken", Status.MAJOR_OUTAGE, since=timedelta(minutes=12))
    data = client.get(DATA).json
    assert data["headline"] == "Partial System Outage"
    assert data["summary"] == "1/2 services operational"
    counts = {name: count for name, count in data["counts"].items() if count}
    assert counts == {"total": 2, "operational": 1, "major_outage": 1}
    assert set(data["counts"]) == {"total", *(status.word for status in Status)}


def test_paused_and_private_services_are_not_shown_nor_counted(
    client: FlaskClient, make_service: Callable[..., int]
) -> None:
    make_service("Shown")
    make_service("Paused", Status.MAJOR_OUTAGE, is_enabled=False)
    make_service("Private", Status.MAJOR_OUTAGE, is_public=False)
    html = client.get(PAGE).text
    assert "1/1 service operational" in html
    assert "Paused" not in html
    assert "Private" not in html


def test_services_stand_in_their_order(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service("B", position=1)
    make_service("A", position=1)
    make_service("Z", position=0)
    assert [service["name"] for service in client.get(DATA).json["services"]] == ["Z", "A", "B"]


def test_old_data_is_never_shown_as_health(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service("API Root", checked=timedelta(seconds=100))
    data = client.get(DATA).json
    assert data["is_stale"] is True
    assert data["status"] == "unknown"
    assert data["headline"] == "Monitoring Is Behind"
    html = client.get(PAGE).text
    assert "Monitoring is behind: no check since" in html
    assert 'class="band" data-status="unknown"' in html
    assert "Was Operational" in html


def test_a_silent_service_is_unknown_beside_fresh_ones(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service("Fresh")
    make_service("Silent", checked=timedelta(minutes=4))
    statuses = {service["name"]: service["status"] for service in client.get(DATA).json["services"]}
    assert statuses == {"Fresh": "operational", "Silent": "unknown"}


def test_a_new_service_waits_for_its_first_check_without_alarm(
    client: FlaskClient, make_service: Callable[..., int]
) -> None:
    make_service("New", Status.UNKNOWN, checked=None, total_us=None, ledger=False)
    data = client.get(DATA).json
    assert data["is_stale"] is False
    assert data["services"][0]["uptime_24h"] is None
    assert data["services"][0]["uptime_24h_text"] == "–"


def test_uptime_is_the_weighted_time_of_the_last_day(
    client: FlaskClient, make_service: Callable[..., int], add_interval: Callable[..., None], now: datetime
) -> None:
    key = make_service("API Root", since=timedelta(hours=6))
    add_interval(key, Status.MAJOR_OUTAGE, now - timedelta(hours=12), now - timedelta(hours=6))
    add_interval(key, Status.OPERATIONAL, now - timedelta(days=9), now - timedelta(hours=12))
    service = client.get(DATA).json["services"][0]
    assert service["uptime_24h"] == pytest.approx(75.0, abs=0.01)


def test_a_short_outage_does_not_disappear_in_rounding(
    client: FlaskClient, make_service: Callable[..., int], add_interval: Callable[..., None], now: datetime
) -> None:
    key = make_service("API Root", since=timedelta(hours=6))
    add_interval(key, Status.MAJOR_OUTAGE, now - timedelta(hours=6, seconds=1), now - timedelta(hours=6))
    add_interval(key, Status.OPERATIONAL, now - timedelta(days=9), now - timedelta(hours=6, seconds=1))
    assert client.get(DATA).json["services"][0]["uptime_24h_text"] == "99.99 %"


def test_performance_is_the_mean_of_the_last_day(
    client: FlaskClient, make_service: Callable[..., int], now: datetime
) -> None:
    key = make_service()
    hour = to_us(now) // 3_600_000_000 * 3_600_000_000
    with write_transaction(db.session) as session:
        session.add(MetricHost(host="here", next_at=now))
        for age, cpu in ((1, 10.0), (2, 20.0), (30, 90.0)):
            session.add(_metric(now - timedelta(hours=age), cpu))
        for start, count, failures, sum_us in ((hour, 99, 1, 9_900_000), (hour - 30 * 3_600_000_000, 9, 9, 0)):
            values = {"start": start, "count": count, "failures": failures, "sum_us": sum_us}
            session.add(LatencyRollup(endpoint_id=key, step_s=HOUR_S, histogram=b"", **values))
    roll_up_metrics(now)
    performance = client.get(DATA).json["performance"]
    assert performance["cpu_text"] == "15.0 %"
    assert performance["memory_text"] == "68.4 %"
    assert performance["response_time_text"] == "0.10 s"
    assert performance["error_text"] == "1.01 %"


def test_what_was_not_measured_is_a_dash_with_an_explanation(client: FlaskClient, app: Flask) -> None:
    html = client.get(PAGE).text
    assert 'title="Not measured yet">–</dd>' in html
    assert "A dash means that nothing has been measured yet." in html


def test_the_page_takes_its_words_from_the_settings_row(client: FlaskClient, app: Flask) -> None:
    with write_transaction(db.session) as session:
        session.add(
            StatusPageSettings(title="Acme", description="How Acme does", time_zone="UTC", refresh_interval_s=7)
        )
    html = client.get(PAGE).text
    assert "<title>Acme: No Services Monitored Yet</title>" in html
    assert "How Acme does" in html
    assert 'data-refresh="7"' in html


def test_hostile_names_come_out_as_text(client: FlaskClient, make_service: Callable[..., int]) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}'
    make_service(hostile)
    html = client.get(PAGE).text
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "{{ 7*7 }}" in html
    assert client.get(DATA).json["services"][0]["name"] == hostile


def test_pages_hold_nothing_that_the_content_policy_forbids(
    client: FlaskClient, make_service: Callable[..., int]
) -> None:
    make_service()
    for path in (PAGE, "/auth/login", "/auth/first-account/x", "/nowhere"):
        html = client.get(path, headers=BROWSER).text
        assert not re.search(r"\sstyle\s*=", html), path
        assert not re.search(r"\son\w+\s*=", html), path
        assert "<style" not in html, path
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), path
        foreign = set(re.findall(r"(?:src|href)=\"((?:https?:)?//[^\"]*)", html))
        assert foreign <= {CHART_JS_URL}, path


def test_the_page_costs_the_same_few_statements_whatever_it_shows(
    client: FlaskClient, make_service: Callable[..., int], add_interval: Callable[..., None], now: datetime
) -> None:
    for number in range(30):
        key = make_service(f"Service {number}", ledger=False)
        for hours in range(1, 20):
            add_interval(key, Status.OPERATIONAL, now - timedelta(hours=hours + 1), now - timedelta(hours=hours))
    db.session.remove()
    with counted_statements() as statements:
        load_status_page(now, 0.3)
    # One more where there are incidents or maintenance, for their updates.
    assert len(statements) == 11


def test_nothing_on_the_page_reads_a_whole_table_of_history(app: Flask, now: datetime) -> None:
    with counted_statements() as statements:
        load_status_page(now, 0.3)
    for statement in statements:
        parameters = [0] * statement.count("?")
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters)).all()
        scanned = [row[3] for row in plan if row[3].startswith("SCAN")]
        for table in ("status_change", "latency_rollup", "uptime_day", "system_metric", "health_check"):
            assert not any(table in line for line in scanned), (statement, scanned)


def test_the_page_is_served_while_another_process_writes(
    client: FlaskClient, make_service: Callable[..., int], app: Flask
) -> None:
    make_service()
    db.session.remove()
    other = sqlite3.connect(app.config["SETTINGS"].instance_path / "statusapp.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE service_endpoint SET name = 'not yet'")
        assert "1/1 service operational" in client.get(PAGE).text
        assert client.get(DATA).status_code == 200
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_the_data_is_not_sent_again_while_it_is_the_same(
    client: FlaskClient, make_service: Callable[..., int], now: datetime
) -> None:
    make_service("API Root", Status.UNKNOWN, ledger=False)
    first = client.get(DATA)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(DATA, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    make_service("Another")
    assert client.get(DATA, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_overview_tells_programs_the_figures(client: FlaskClient, make_service: Callable[..., int]) -> None:
    key = make_service()
    data = client.get("/health/api/overview/").json
    assert data["status"] == "operational"
    assert data["counts"]["operational"] == 1
    service = data["services"][0]
    assert set(service) == {
        "id", "name", "status", "since", "uptime_24h", "response_time_seconds", "last_checked_at",
        "affected_by", "url",
    }  # fmt: skip
    assert (service["id"], service["uptime_24h"], service["response_time_seconds"]) == (key, 100.0, 0.12)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", service["last_checked_at"])


@pytest.mark.parametrize("accept", ["*/*", "application/json", None, "application/json, text/html;q=0.5"])
def test_the_index_is_json_for_programs(client: FlaskClient, accept: str | None) -> None:
    response = client.get("/", headers={"Accept": accept} if accept else {})
    assert response.status_code == 200
    assert response.json["links"]["status_page"] == PAGE


def test_the_index_sends_browsers_to_the_page(client: FlaskClient) -> None:
    response = client.get("/", headers=BROWSER)
    assert (response.status_code, response.headers["Location"]) == (302, PAGE)


def _metric(taken_at: datetime, cpu: float) -> SystemMetric:
    return SystemMetric(
        taken_at=taken_at, host="here", cpu_percent=cpu, load_1m=0, load_5m=0, load_15m=0, memory_percent=68.4,
        memory_used_mb=1, memory_total_mb=2, disk_percent=3, disk_free_mb=4,
        network_sent_bytes=5, network_received_bytes=6,
    )  # fmt: skip
