"""The admin area in a real Chromium: every page fits and is accessible, and somebody new finds the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from statusapp.database import write_connection
from statusapp.domain.actors import SYSTEM
from statusapp.domain.enums import AlertKind, Severity, Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import AlertRule, Incident, NotificationChannel, ServiceEndpoint, User
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.services.groups import GroupDraft, add_group
from statusapp.services.incidents import FiredAlert, on_alerts_fired
from statusapp.services.maintenance_plans import MaintenanceDraft, plan_maintenance
from statusapp.services.rules import ensure_defaults
from tests.receivers import running_hook
from tests.target import Target
from tests.web.browsing import BROWSER_MARKS, serving, violations
from tests.web.conftest import PASSWORD

pytestmark = BROWSER_MARKS
LONG = "A service that has been given quite a long name " + "x" * 60


@contextmanager
def signed_in(chromium: Any, app: Flask, email: str, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """A signed-in window, and what the console says."""
    context = chromium.new_context(**options, base_url=f"http://127.0.0.1:{app.config['SETTINGS'].port}")
    page, console = context.new_page(), []
    page.on("console", lambda message: message.type in ("error", "warning") and console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    try:
        page.goto("/auth/login?next=/admin/")
        page.fill("#email", email)
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        yield page, console
    finally:
        context.close()


@pytest.fixture
def paths(app: Flask, make_service: Callable[..., int], make_account: Callable[..., str], now: datetime) -> list[str]:
    """Every page there is, with something on it, in an installation with an owner."""
    make_account()
    ensure_defaults()
    group = add_group(GroupDraft(LONG), SYSTEM, now)
    service = [make_service(f"{LONG} {status}", status, group_id=group) for status in Status][-1]
    here = to_us(now)
    with write_connection(db.engine) as connection:
        fired = FiredAlert(1, AlertKind.DOWN, service, Severity.CRITICAL, LONG, "HTTP 502", here)
        incident = on_alerts_fired(connection, [fired], here)[1]
    draft = MaintenanceDraft(
        LONG, f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}", 3600, rule="FREQ=WEEKLY", covers_all=True
    )
    window = plan_maintenance(draft, now)
    channel = add_channel(ChannelDraft(LONG, "webhook", {"url": "https://example.org/a/b", "secret": "s" * 20}), now)
    rule = db.session.scalars(select(AlertRule.id)).first()
    health = (
        "serviceendpoint/", "serviceendpoint/?status=degraded", "serviceendpoint/add/",
        "serviceendpoint/add/?kind=heartbeat", f"serviceendpoint/{service}/", "servicegroup/", f"servicegroup/{group}/",
        f"servicegroup/{group}/delete/", "healthcheck/", "systemmetrics/", "apirequestlog/", "serviceincident/",
        "serviceincident/add/", f"serviceincident/{incident}/", f"serviceincident/{incident}/edit/", "maintenance/",
        "maintenance/add/", f"maintenance/{window}/", "channel/", "channel/add/?kind=webhook", f"channel/{channel}/",
        "rule/", f"rule/{rule}/", "rule/add/", "report/", "messagetext/", "messagetext/fired/", "statuspagesettings/",
    )  # fmt: skip
    own = db.session.scalars(select(User.id)).first() or 0
    accounts = ("", "account/", "account/add/", f"account/{own}/", "audit/", "apiclient/", "apiclient/add/")
    return [
        "/admin/",
        "/auth/account/",
        "/health/api/docs/",
        *(f"/admin/health/{path}" for path in (*health, *accounts)),
    ]


@pytest.mark.parametrize(("widths", "scheme"), [((320,), "light"), ((1280, 1000), "dark")])
def test_every_page_fits_and_is_accessible(
    app: Flask, chromium: Any, paths: list[str], widths: tuple[int, ...], scheme: str
) -> None:
    size = {"width": widths[0], "height": 800}
    with (
        serving(app),
        signed_in(chromium, app, "owner@example.org", viewport=size, color_scheme=scheme) as (page, console),
    ):
        for number, path in enumerate(paths):
            page.goto(path)
            for width in reversed(widths):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") == width, path
            # It takes its time, so each page is looked at in one of the two schemes; the parts are the same in all.
            if (number % 2 == 0) == (scheme == "dark"):
                assert violations(page) == [], path
        assert console == []


def test_somebody_new_adds_a_service_a_channel_and_an_incident(
    app: Flask, chromium: Any, make_account: Callable[..., str]
) -> None:
    """By what stands on the pages alone, on a phone, and in few steps."""
    email, target = make_account(), Target()
    clicks = 0

    def press(name: str, role: str = "button") -> None:
        nonlocal clicks
        clicks += 1
        page.get_by_role(role, name=name, exact=True).first.click()

    def go_to(name: str) -> None:
        nonlocal clicks
        clicks += 1
        page.locator("label[for=menu]").click()
        press(name, "link")

    size = {"width": 375, "height": 740}
    try:
        with running_hook() as hook, serving(app), signed_in(chromium, app, email, viewport=size) as (page, console):
            go_to("Services")
            press("Add a service", "link")
            page.get_by_label("Name", exact=True).fill("Shop")
            page.get_by_label("Address", exact=True).fill(target.address)
            press("Test now")
            expect(page.get_by_role("status", name="Result of the test")).to_contain_text("It works")
            press("Add the service")
            expect(page.locator(".flash")).to_contain_text("Shop was added")

            go_to("Channels")
            press("Add a channel", "link")
            press("Webhook")
            page.get_by_label("Name", exact=True).fill("Hook")
            page.get_by_label("Address", exact=True).fill(f"{hook.address}/status")
            page.get_by_label("Secret", exact=True).fill("a secret of twenty chars")
            press("Add the channel")
            press("Send a test")
            expect(page.get_by_role("status", name="Result of the test")).to_contain_text("The receiver took it")

            go_to("Incidents")
            press("Open an incident", "link")
            page.get_by_label("Title").fill("Payments fail")
            page.get_by_label("What is known").fill("We are looking.")
            page.get_by_label("Shop").check()
            clicks += 1
            press("Open the incident")
            expect(page.get_by_role("heading", name="Payments fail")).to_be_visible()
            assert console == []
            assert len(hook.requests) == 1
    finally:
        target.stop()
    assert clicks <= 20
    db.session.rollback()
    for model in (ServiceEndpoint, NotificationChannel, Incident):
        assert len(db.session.scalars(select(model)).all()) == 1


def test_it_works_without_scripts_and_by_the_enter_key(
    app: Flask, chromium: Any, make_account: Callable[..., str], make_service: Callable[..., int]
) -> None:
    make_service("Old")
    email = make_account()
    size = {"width": 375, "height": 740}
    with serving(app), signed_in(chromium, app, email, viewport=size, java_script_enabled=False) as (page, _):
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.get_by_role("navigation").get_by_role("link", name="Services").click()
        page.get_by_label("Old").check()
        page.get_by_label("With the ticked ones").select_option("Pause")
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".flash")).to_have_text("1 service is paused.")
        page.get_by_role("link", name="Add a service").click()
        page.get_by_label("Name", exact=True).fill("Port")
        page.get_by_role("button", name="TCP port").click()
        page.get_by_label("Address", exact=True).fill("tcp://127.0.0.1:1")
        page.get_by_label("Address", exact=True).press("Enter")
        expect(page.get_by_role("heading", name="Port")).to_be_visible()
    db.session.rollback()
    db.session.expire_all()
    found = {row.name: (row.url, row.is_enabled) for row in db.session.scalars(select(ServiceEndpoint))}
    assert found == {"Old": ("http://127.0.0.1:1/", False), "Port": ("tcp://127.0.0.1:1", True)}


def test_ticks_colours_and_flashes_have_their_comforts(
    app: Flask, chromium: Any, make_account: Callable[..., str], make_service: Callable[..., int]
) -> None:
    for name in ("One", "Two"):
        make_service(name)
    email = make_account()
    with serving(app), signed_in(chromium, app, email) as (page, console):
        page.goto("/admin/health/serviceendpoint/")
        page.get_by_label("Tick all on this page").check()
        assert page.locator('input[name="ids"]:checked').count() == 2
        page.get_by_label("State").select_option("Paused")
        page.wait_for_url("**/?state=paused")
        page.get_by_role("link", name="Remove State: Paused").click()
        page.wait_for_url("**/serviceendpoint/")
        page.get_by_role("cell", name="http://127.0.0.1:1/").first.click()
        expect(page.get_by_role("heading", name="One")).to_be_visible()
        page.goto("/admin/health/statuspagesettings/")
        page.get_by_label("Pick: Main colour").fill("#7c3aed")
        assert page.get_by_label("Main colour", exact=True).input_value() == "#7c3aed"
        page.locator(".account-menu summary").click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
        assert console == []
