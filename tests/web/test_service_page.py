"""The page of one service: charts with tables, its uptime explained, and nothing that is not public."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statusapp.database import write_transaction
from statusapp.domain.enums import Rule, Status
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint, StatusChangeRow
from statusapp.web.charts import INTEGRITY

HOSTILE = '"><img src=x onerror=alert(1)>'


def page_of(client: FlaskClient, endpoint_id: int, span: str = "24h") -> str:
    """The page as HTML."""
    return client.get(f"/health/status-page/services/{endpoint_id}/?span={span}").get_data(as_text=True)


def test_every_span_has_its_charts_as_tables_too(client: FlaskClient, make_service: Callable[..., int]) -> None:
    endpoint_id = make_service("User Login")
    for span, points in (("24h", 288), ("7d", 168), ("30d", 240), ("90d", 90)):
        html = page_of(client, endpoint_id, span)
        assert '<h1 id="headline">User Login</h1>' in html
        uptime = html[html.index("<figcaption>Uptime</figcaption>") :]
        assert uptime[: uptime.index("</figure>")].count('<tr><th scope="row">') == points
        assert 'data-value="100.0"' in uptime
    assert "Nothing has been measured in this time." in html  # No response times: no check has been stored.


def test_the_uptime_is_explained_without_the_errors_of_checks(
    client: FlaskClient, make_service: Callable[..., int]
) -> None:
    endpoint_id = make_service("User Login")
    with write_transaction(db.session) as session:
        (row,) = session.query(StatusChangeRow).filter_by(endpoint_id=endpoint_id).all()
        began = row.started_at + 36 * 3_600_000_000
        row.ended_at = began
        session.add(
            StatusChangeRow(
                endpoint_id=endpoint_id,
                previous=Status.OPERATIONAL,
                status=Status.MAJOR_OUTAGE,
                started_at=began,
                recorded_at=began,
                rule=Rule.FAILED_IN_A_ROW,
                reason="connection to db.internal refused",
            )
        )
    html = page_of(client, endpoint_id)
    assert re.search(r"12\.0 h of major outage count as down: (50\.00|49\.99) % uptime\.", html)
    assert "checks failed in a row" in html
    assert "db.internal" not in html


@pytest.mark.parametrize("values", [{"is_public": False}, {"is_enabled": False}])
def test_what_is_private_or_paused_is_as_if_it_were_not_there(
    client: FlaskClient, make_service: Callable[..., int], values: dict[str, bool]
) -> None:
    endpoint_id = make_service("Secret")
    with write_transaction(db.session) as session:
        endpoint = session.get_one(ServiceEndpoint, endpoint_id)
        for name, value in values.items():
            setattr(endpoint, name, value)
    hidden = client.get(f"/health/status-page/services/{endpoint_id}/")
    missing = client.get("/health/status-page/services/99/")
    assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data)
    assert hidden.status_code == 404


def test_a_span_that_does_not_exist_is_not_found(client: FlaskClient, make_service: Callable[..., int]) -> None:
    endpoint_id = make_service()
    assert client.get(f"/health/status-page/services/{endpoint_id}/?span=1y").status_code == 404


def test_hostile_names_are_inert(client: FlaskClient, make_service: Callable[..., int]) -> None:
    endpoint_id = make_service(HOSTILE)
    assert "<img" not in page_of(client, endpoint_id)


def test_chart_js_is_pinned_by_its_hash_and_allowed_by_its_address_alone(
    client: FlaskClient, make_service: Callable[..., int]
) -> None:
    endpoint_id = make_service()
    response = client.get(f"/health/status-page/services/{endpoint_id}/")
    address = "https://cdn.jsdelivr.net/npm/chart.js@4.6.1/dist/chart.umd.min.js"
    assert f'data-chart-js="{address}" data-integrity="{INTEGRITY}" data-foreign' in response.get_data(as_text=True)
    assert f"script-src 'self' {address};" in response.headers["Content-Security-Policy"]
    assert "cdn" not in client.get("/health/status-page/history/").headers["Content-Security-Policy"]


def test_chart_js_may_come_from_this_server(client: FlaskClient, app: Flask, make_service: Callable[..., int]) -> None:
    endpoint_id = make_service()
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], chart_js_url="/static/chart.js")
    response = client.get(f"/health/status-page/services/{endpoint_id}/")
    assert f'data-chart-js="/static/chart.js" data-integrity="{INTEGRITY}">' in response.get_data(as_text=True)
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
