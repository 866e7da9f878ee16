"""What every answer has in common: headers, calm errors, static files that may be kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from statusapp.database import write_transaction
from statusapp.domain.enums import ErrorKind, Outcome, Status
from statusapp.extensions import db
from statusapp.models import CheckDetail, EndpointState, PeriodicTask

HTML = {"Accept": "text/html"}


@pytest.fixture
def failing(app: Flask) -> Callable[[Exception], None]:
    """Make the next request run into an error."""

    def fail(error: Exception) -> None:
        def view(**_: Any) -> str:
            raise error

        app.view_functions["health.live"] = view

    return fail


@pytest.mark.parametrize("path", ["/", "/health/status-page/", "/health/", "/auth/login", "/admin/", "/nowhere"])
def test_every_answer_has_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path, headers=HTML).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"]


@pytest.mark.parametrize(("path", "method", "code"), [("/nowhere", "GET", 404), ("/admin/", "DELETE", 405)])
def test_errors_are_a_page_for_browsers_and_json_for_programs(
    client: FlaskClient, path: str, method: str, code: int
) -> None:
    page = client.open(path, method=method, headers=HTML)
    assert page.status_code == code
    assert page.content_type.startswith("text/html")
    assert "Go to the status page" in page.text
    data = client.open(path, method=method)
    assert data.status_code == code
    assert data.json["error"]["message"]


def test_api_paths_tell_browsers_json_as_well(client: FlaskClient) -> None:
    for path in ("/api/v1/nowhere/", "/health/api/nowhere/"):
        assert client.get(path, headers=HTML).json["error"]["message"]


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    assert "POST" in client.get("/api/v1/auth/login/").headers["Allow"]


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    response = client.post("/api/v1/auth/login/", data={"email": "x" * 2_000_000})
    assert response.status_code == 413
    assert response.json["error"]["message"]


def test_a_fault_of_ours_shows_no_traceback(
    client: FlaskClient, failing: Callable[[Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    failing(RuntimeError("secret detail"))
    for headers in (HTML, {}):
        response = client.get("/health/live", headers=headers)
        assert response.status_code == 500
        assert "secret detail" not in response.text
        assert "Traceback" not in response.text
    assert "secret detail" in caplog.text


def test_a_database_that_is_away_is_503(client: FlaskClient, failing: Callable[[Exception], None]) -> None:
    failing(OperationalError("SELECT secret", {}, Exception("host db.internal")))
    response = client.get("/health/live", headers=HTML)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "db.internal" not in response.text


def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(client: FlaskClient, app: Flask) -> None:
    html = client.get("/health/status-page/").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
    assert len(addresses) == 5
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert client.get(address, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
        other = client.get(address.partition("?")[0] + "?v=older")
        assert other.headers["Cache-Control"] == "no-cache"


def test_every_status_has_a_favicon_and_an_icon(client: FlaskClient, app: Flask) -> None:
    html = client.get("/health/status-page/").text
    for status in Status:
        assert client.get(f"/static/favicons/{status.word}.svg").status_code == 200
        assert f'id="icon-{status.word}"' in html


def test_public_pages_set_no_cookie(client: FlaskClient, app: Flask) -> None:
    for path in (
        "/",
        "/health/status-page/",
        "/health/status-page-api/",
        "/health/",
        "/api/v1/auth/oauth/applications/",
    ):
        assert "Set-Cookie" not in client.get(path).headers


def test_operators_see_why_and_what_comes_next(
    client: FlaskClient,
    make_service: Callable[..., int],
    make_account: Callable[..., str],
    sign_in: Callable[..., Any],
    now: datetime,
) -> None:
    key = make_service("<b>Bold</b>", Status.MAJOR_OUTAGE, is_public=False)
    make_service("Resting", is_enabled=False)
    with write_transaction(db.session) as session:
        state = session.get_one(EndpointState, key)
        state.last_outcome, state.last_error_kind, state.last_slot = Outcome.FAILED, ErrorKind.TIMEOUT, 77
        session.add(CheckDetail(endpoint_id=key, location=0, slot=77, error="No answer within 10 s"))
        session.add(
            PeriodicTask(name="collect_system_metrics_task", next_run_at=now + timedelta(minutes=5), last_error="Oops")
        )
    sign_in(make_account())
    for path, words in (
        ("/admin/health/serviceendpoint/", ("&lt;b&gt;Bold", "private", "No answer within 10 s", "Paused")),
        (f"/dashboard/services/{key}/", ("&lt;b&gt;Bold", "That is what its first check found.")),
        ("/dashboard/", ("&lt;b&gt;Bold", "collect system metrics task", "Oops")),
    ):
        html = client.get(path).text
        assert [word for word in words if word not in html] == []
        assert "<b>Bold" not in html
