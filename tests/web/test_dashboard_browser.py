"""The dashboard in a real Chromium: it keeps itself fresh, keeps what is being typed, and passes axe-core."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import update

from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, Severity, Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import Alert, EndpointState
from tests.web.browsing import BROWSER_MARKS, opened, serving, violations
from tests.web.conftest import PASSWORD, MakeService

pytestmark = BROWSER_MARKS


@pytest.fixture
def alert(make_service: MakeService, make_account: Callable[..., str], now: datetime) -> int:
    """The id of the alert about a service that is down, in an installation with an account."""
    make_account()
    make_service("Search")
    key, since = make_service("Login", Status.MAJOR_OUTAGE), to_us(now - timedelta(minutes=9))
    columns = {"since": since, "fired_at": since, "found": "HTTP 502", "severity": Severity.CRITICAL}
    row = Alert(kind=AlertKind.DOWN, subject=f"endpoint:{key}", name="Login", endpoint_id=key, **columns)
    with write_transaction(db.session) as session:
        session.add(row)
        session.flush()
        return row.id


def enter(page: Any) -> None:
    """Sign in on the form that is open."""
    page.get_by_label("Email").fill("owner@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_the_page_follows_what_happens_but_keeps_what_is_typed(app: Flask, chromium: Any, alert: int) -> None:
    with serving(app), opened(chromium, app, "/auth/login?next=/dashboard/") as (page, console):
        enter(page)
        title = page.get_by_role("heading", level=1)
        count = int(re.match(r"\d+", title.inner_text())[0])  # type: ignore[index]
        page.get_by_text("Acknowledge", exact=True).first.click()
        note = page.get_by_label("Note for the others")
        note.fill("I am looking")
        with write_transaction(db.session) as session:
            session.execute(update(Alert).values(found="HTTP 503", resolved_at=None))
        with page.expect_response(lambda answer: answer.url.endswith("/dashboard/")):
            page.clock.run_for(15_000)
        expect(note).to_have_value("I am looking")
        note.fill("")
        with page.expect_response(lambda answer: answer.url.endswith("/dashboard/")):
            page.clock.run_for(15_000)
        expect(page.get_by_text("HTTP 503")).to_be_visible()
        # The form is still open, and the keyboard still in it.
        expect(note).to_be_focused()
        with write_transaction(db.session) as session:
            session.execute(update(Alert).values(resolved_at=to_us(datetime.now().astimezone())))
            session.execute(update(EndpointState).values(status=Status.OPERATIONAL))
        with page.expect_response(lambda answer: answer.url.endswith("/dashboard/")):
            page.clock.run_for(15_000)
        expect(page.get_by_text("HTTP 503")).to_have_count(0)
        assert int(re.match(r"\d+", title.inner_text())[0]) == count - 1  # type: ignore[index]
        assert console == []


def test_a_server_that_cannot_be_reached_is_told(app: Flask, chromium: Any, alert: int) -> None:
    with serving(app), opened(chromium, app, "/auth/login?next=/dashboard/") as (page, _):
        enter(page)
        page.route("**/dashboard/", lambda route: route.abort())
        with page.expect_event("requestfailed"):
            page.clock.run_for(15_000)
        notice = page.locator("[data-unreachable]")
        expect(notice).to_contain_text("cannot reach its server")
        page.unroute("**/dashboard/")
        with page.expect_response(lambda answer: answer.url.endswith("/dashboard/")):
            page.clock.run_for(15_000)
        expect(notice).to_be_hidden()
        page.context.clear_cookies()
        with page.expect_response(lambda answer: "/auth/login" in answer.url):
            page.clock.run_for(15_000)
        expect(notice).to_contain_text("signed out")


@pytest.mark.parametrize("options", [{}, {"viewport": {"width": 320, "height": 700}, "color_scheme": "dark"}])
def test_axe_finds_nothing_and_nothing_overflows(
    app: Flask, chromium: Any, alert: int, options: dict[str, Any]
) -> None:
    with serving(app), opened(chromium, app, "/auth/login?next=/dashboard/", **options) as (page, _):
        enter(page)
        for path in ("/dashboard/", f"/dashboard/services/{db.session.get_one(Alert, alert).endpoint_id}/"):
            page.goto(f"http://127.0.0.1:{app.config['SETTINGS'].port}{path}")
            page.locator(".alert-action summary").last.click()
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
