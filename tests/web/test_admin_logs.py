"""What is only read: checks, readings of hosts, requests; and groups, which are few."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from statusapp.database import write_transaction
from statusapp.domain.enums import CheckKind, ErrorKind, Outcome
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import (
    CheckDetail,
    HealthCheck,
    MetricHost,
    RequestLog,
    ServiceEndpoint,
    ServiceGroup,
    SystemMetric,
    TrackedHost,
    TrackedRoute,
)
from tests.web.conftest import MakeService, Operator

CHECKS = "/admin/health/healthcheck/"
METRICS = "/admin/health/systemmetrics/"
REQUESTS = "/admin/health/apirequestlog/"
GROUPS = "/admin/health/servicegroup/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """On both: how a page is found is the database's."""
    return str(request.param)


def rows_in(page: str) -> list[str]:
    """The link of each row of a list, in its order."""
    return [part.split('" href="')[1].split('"')[0].replace("&amp;", "&") for part in page.split('<a class="name')[1:]]


def link(page: str, rel: str) -> str:
    """Where a link of the pager leads."""
    return page.partition(f'" rel="{rel}"')[0].rsplit('href="', 1)[1].replace("&amp;", "&")


def walk(operator: Operator, path: str) -> list[list[str]]:
    """The rows of all pages of a list, from the first to the last."""
    page = operator.get(path).text
    found = [rows_in(page)]
    while 'rel="next"' in page:
        page = operator.get(link(page, "next")).text
        found.append(rows_in(page))
    return found


def store_checks(endpoint_id: int, slots: list[int], outcome: Outcome = Outcome.OK, error: str | None = None) -> None:
    """Checks as workers leave them, with details of those that are bad."""
    key = {"endpoint_id": endpoint_id, "location": 0}
    figures = {
        "kind": CheckKind.SCHEDULED, "outcome": outcome, "error_kind": ErrorKind.NONE, "late_us": 800, "total_us": 5000,
    }  # fmt: skip
    with write_transaction(db.session) as session:
        session.execute(insert(HealthCheck), [key | figures | {"slot": slot} for slot in slots])
        if outcome is not Outcome.OK:
            session.execute(insert(CheckDetail), [key | {"slot": slot, "error": error} for slot in slots])


def test_checks_of_all_services_come_newest_first_however_far_apart(
    operator: Operator, make_service: MakeService, now: datetime
) -> None:
    first, second = make_service("First"), make_service("Second")
    here = to_us(now)
    slots = [here - number * 10 * SECOND for number in range(30)]
    slots += [here - 86_400 * SECOND * number for number in range(1, 20)]
    store_checks(first, slots)
    store_checks(second, [slot + 5 for slot in slots])
    expected = [
        f"{CHECKS}{key}/{slot}/" for slot, key in sorted([(s, first) for s in slots] + [(s + 5, second) for s in slots])
    ][::-1]
    pages = walk(operator, CHECKS)
    assert [len(rows) for rows in pages] == [50, 48]
    assert [row for rows in pages for row in rows] == expected
    second_page = operator.get(link(operator.get(CHECKS).text, "next")).text
    assert rows_in(operator.get(link(second_page, "prev")).text) == pages[0]
    of_one = walk(operator, f"{CHECKS}?service={second}")
    assert [row for rows in of_one for row in rows] == [row for row in expected if f"/{second}/" in row]


def test_checks_are_found_by_outcome_and_time(operator: Operator, make_service: MakeService, now: datetime) -> None:
    service = make_service("Shop")
    here = to_us(now.replace(second=0, microsecond=0))
    store_checks(service, [here - n * 60 * SECOND for n in range(5)])
    store_checks(service, [here - 40 * 86_400 * SECOND], Outcome.FAILED, HOSTILE)
    page = operator.get(f"{CHECKS}?outcome=failed").text
    assert rows_in(page) == [f"{CHECKS}{service}/{here - 40 * 86_400 * SECOND}/"]
    assert "&lt;script&gt;alert(1)" in page
    assert HOSTILE not in page
    since, until = (f"{from_us(here - n * 60 * SECOND):%Y-%m-%dT%H:%M}" for n in (3, 1))
    assert len(rows_in(operator.get(f"{CHECKS}?since={since}&until={until}").text)) == 2
    assert operator.get(f"{CHECKS}?since=yesterday").status_code == 400
    assert operator.get(f"{CHECKS}?sort=time").status_code == 400
    assert "Nothing here fits" in operator.get(f"{CHECKS}?outcome=slow").text
    rows = list(csv.reader(io.StringIO(operator.get(f"{CHECKS}?format=csv").text)))
    assert [row[0] for row in rows] == ["Outcome", *["ok"] * 5, "failed"]


def test_all_of_a_check_is_shown(operator: Operator, make_service: MakeService, now: datetime) -> None:
    service, slot = make_service("Shop"), to_us(now)
    data = {
        "conditions": [{"condition": "[BODY] == ok", "passed": False, "found": HOSTILE, "degrades": False}],
        "certificate": {"subject": "CN=shop.example.org"},
    }
    with write_transaction(db.session) as session:
        key = {"endpoint_id": service, "location": 0, "slot": slot}
        session.add(HealthCheck(**key, kind=CheckKind.MANUAL, outcome=Outcome.FAILED, error_kind=ErrorKind.CONDITION,
                                status_code=200, late_us=900, dns_us=1500, wait_us=250_000, total_us=260_000,
                                peer=bytes([192, 0, 2, 7])))  # fmt: skip
        session.add(CheckDetail(**key, error="[BODY] == ok (found nothing)", data=data))
    page = operator.get(f"{CHECKS}{service}/{slot}/").text
    for words in (
        "somebody asked for it",
        "0.25 s",
        "192.0.2.7",
        "[BODY] == ok",
        "CN=shop.example.org",
        "(found nothing)",
    ):
        assert words in page
    assert HOSTILE not in page
    assert operator.get(f"{CHECKS}{service}/{slot + 1}/").status_code == 404
    assert operator.get(f"{CHECKS}{service}/{10**30}/").status_code == 404


def test_readings_are_paged_filtered_and_opened(operator: Operator, now: datetime) -> None:
    figures = {
        "cpu_percent": 12.5, "load_1m": 0.5, "load_5m": 0.5, "load_15m": 0.5, "memory_percent": 40.0,
        "memory_used_mb": 400, "memory_total_mb": 1000, "disk_percent": 9.0, "disk_free_mb": 1, "network_sent_bytes": 1,
        "network_received_bytes": 1,
    }  # fmt: skip
    with write_transaction(db.session) as session:
        for host in ("web-1", "web-2"):
            session.add(MetricHost(host=host, next_at=now))
        readings = [
            figures | {"host": f"web-{1 + number % 2}", "taken_at": now - timedelta(minutes=number // 2)}
            for number in range(104)
        ]
        session.execute(insert(SystemMetric), readings)
        details = {"disks": [{"mount": "/", "percent": 9}], "queues": {"checks": 2}, "uptime_s": 90}
        session.add(SystemMetric(**figures, host="web-2", taken_at=now - timedelta(days=1), details=details))
    pages = walk(operator, METRICS)
    assert [len(rows) for rows in pages] == [50, 50, 5]
    assert len({row for rows in pages for row in rows}) == 105
    last = operator.get(link(operator.get(METRICS).text, "next")).text
    assert rows_in(operator.get(link(last, "prev")).text) == pages[0]
    assert walk(operator, f"{METRICS}?sort=time") != pages
    assert [len(rows) for rows in walk(operator, f"{METRICS}?host=web-2")] == [50, 3]
    assert operator.get(f"{METRICS}?host=web-3").status_code == 400
    page = operator.get(pages[2][-1]).text
    for words in ("12.5 %", "400.0 MiB", "/ 9", "checks: 2", "1 min 30 s"):
        assert words in page
    assert operator.get(f"{METRICS}999999/").status_code == 404


def test_requests_are_paged_filtered_and_opened(operator: Operator, now: datetime) -> None:
    with write_transaction(db.session) as session:
        routes = [TrackedRoute(service="shop", method=method, route="/orders/<id>") for method in ("GET", "POST")]
        host = TrackedHost(name="web-1")
        session.add_all([*routes, host])
        session.flush()

        def log(number: int, **values: Any) -> dict[str, Any]:
            usual = {
                "at": to_us(now) - number * SECOND, "route_id": routes[0].id, "host_id": host.id, "status": 200,
                "duration_us": 1200, "is_slow": False, "is_probe": False, "went_away": False, "weight": 1.0,
                "user_id": None, "error_message": None,
            }  # fmt: skip
            return usual | values

        session.execute(insert(RequestLog), [log(number) for number in range(100, 160)])
        session.execute(
            insert(RequestLog),
            [
                log(1, status=502, error_message=f"=cmd {HOSTILE}", user_id="u7"),
                log(2, route_id=routes[1].id, is_slow=True),
            ],
        )
        post_id = routes[1].id
    pages = walk(operator, REQUESTS)
    assert [len(rows) for rows in pages] == [50, 12]
    second = operator.get(link(operator.get(REQUESTS).text, "next")).text
    assert 'rel="prev">Previous' in second
    expected = {"status=5xx": 1, "status=502": 1, "status=404": 0, "user=u7": 1, "slow=yes": 1, "method=POST": 1,
                f"route={post_id}": 1, f"route={post_id}&method=GET": 0}  # fmt: skip
    for query, count in expected.items():
        assert len(rows_in(operator.get(f"{REQUESTS}?{query}").text)) == count, query
    for query in ("status=abc", "status=9xx", "status=99", "slow=very", "method=BREW", "error=x", "sort=status"):
        assert operator.get(f"{REQUESTS}?{query}").status_code == 400, query
    page = operator.get(f"{REQUESTS}?status=5xx").text
    assert HOSTILE not in page
    (opened,) = rows_in(page)
    assert "web-1" in operator.get(opened).text
    assert HOSTILE not in operator.get(opened).text
    assert operator.get(f"{REQUESTS}999999/").status_code == 404
    rows = list(csv.reader(io.StringIO(operator.get(f"{REQUESTS}?format=csv&status=502").text)))
    assert rows[1][-1] == f"'=cmd {HOSTILE}"


def test_groups_are_added_changed_and_deleted(operator: Operator, make_service: MakeService) -> None:
    assert "a heading on the status page" in operator.get(GROUPS).text
    for name in ("Beta", "Alpha"):
        answer = operator.post(f"{GROUPS}add/", {"name": f" {name} ", "position": ""}, follow_redirects=True)
        assert f"{name} was added" in answer.text
    assert db.session.scalars(select(ServiceGroup.name).order_by(ServiceGroup.position)).all() == ["Beta", "Alpha"]
    db.session.rollback()
    group_id = db.session.scalars(select(ServiceGroup.id).where(ServiceGroup.name == "Beta")).one()
    service = make_service("Shop", group_id=group_id)
    for values, field, words in (
        ({"name": "", "position": "1"}, "name", "1 to 200 characters"),
        ({"name": "Alpha", "position": "7"}, "name", "choose another name"),
        ({"name": "Gamma", "position": "first"}, "position", "whole number"),
        ({"name": "Gamma", "position": str(10**12)}, "position", "up to 1000000"),
    ):
        answer = operator.post(f"{GROUPS}{group_id}/", values)
        assert answer.status_code == 400
        assert words in answer.text.split(f'id="{field}-error">')[1].split("</p>")[0]
        assert f'value="{values["position"]}"' in answer.text
    operator.post(f"{GROUPS}{group_id}/", {"name": HOSTILE, "position": "9", "is_collapsed": "y"})
    db.session.rollback()
    db.session.expire_all()
    group = db.session.get_one(ServiceGroup, group_id)
    assert (group.name, group.position, group.is_collapsed) == (HOSTILE, 9, True)
    page = operator.get(f"{GROUPS}?sort=name").text
    assert HOSTILE not in page
    page = operator.get(f"{GROUPS}{group_id}/delete/").text
    assert "Shop" in page
    assert HOSTILE not in page
    operator.post(f"{GROUPS}{group_id}/delete/")
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(ServiceEndpoint, service).group_id is None
    assert operator.get(f"{GROUPS}{group_id}/").status_code == 404


def test_an_hour_of_a_service_s_checks_is_one_link_away(operator: Operator, make_service: MakeService) -> None:
    service = make_service("Shop")
    assert f'href="{CHECKS}?service={service}"' in operator.get(f"/admin/health/serviceendpoint/{service}/").text


def test_times_of_filters_are_those_of_the_page(operator: Operator, make_service: MakeService) -> None:
    operator.get(CHECKS)
    slot = to_us(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    store_checks(make_service("Shop"), [slot])
    assert len(rows_in(operator.get(f"{CHECKS}?since=2026-07-01T12:00&until=2026-07-01T12:01").text)) == 1
    assert len(rows_in(operator.get(f"{CHECKS}?since=2026-07-01T12:01").text)) == 0
