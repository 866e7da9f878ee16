"""The status page in a real Chromium: it fits a small phone, keeps itself fresh and says when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from statusapp.database import write_transaction
from statusapp.domain.enums import Status
from statusapp.extensions import db
from statusapp.models import EndpointState
from statusapp.services.incident_updates import IncidentDraft, open_incident, resolve_incident
from tests.web.browsing import BROWSER_MARKS, opened, serving

pytestmark = BROWSER_MARKS


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone(app: Flask, chromium: Any, make_service: Callable[..., int], scheme: str) -> None:
    for status in Status:
        make_service(f"A service that has been given quite a long name {'x' * 60} {status}", status)
    size = {"width": 320, "height": 640}
    with serving(app), opened(chromium, app, viewport=size, color_scheme=scheme) as (page, console):
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.locator("[data-service]").count() == len(Status)
        assert console == []


def test_it_says_everything_without_scripts(app: Flask, chromium: Any, make_service: Callable[..., int]) -> None:
    make_service()
    with serving(app), opened(chromium, app, java_script_enabled=False) as (page, _):
        text = page.inner_text("body")
    for expected in ("All Systems Operational", "1/1 service operational", "API Root", "100 %", "0.12 s"):
        assert expected in text


def test_it_keeps_itself_fresh_and_says_when_it_cannot(
    app: Flask, chromium: Any, make_service: Callable[..., int], now: datetime
) -> None:
    key = make_service()
    band = "[data-band]"
    with serving(app), opened(chromium, app) as (page, console):
        page.evaluate("window.isStillTheSamePage = true")
        with write_transaction(db.session) as session:
            session.get_one(EndpointState, key).status = Status.MAJOR_OUTAGE
        page.clock.fast_forward(31_000)
        expect(page.locator(band)).to_contain_text("Major System Outage")
        expect(page.locator(band)).to_have_attribute("data-status", "major_outage")
        assert page.title() == "Driver App Status: Major System Outage"
        assert "favicons/major_outage.svg" in page.get_attribute("link[rel=icon]", "href")
        assert page.inner_text(".toast") == "API Root: Major Outage"
        told = "API Root: Major Outage. Major System Outage. 0/1 service operational."
        assert page.inner_text("[data-announcer]") == told
        assert page.evaluate("window.isStillTheSamePage")
        assert console == []

        page.route("**/status-page-api/", lambda route: route.abort())
        page.clock.fast_forward(31_000)
        expect(page.locator("[data-unreachable]")).to_contain_text("cannot reach its server")
        expect(page.locator(band)).to_have_attribute("data-status", "unknown")

        page.unroute("**/status-page-api/")
        page.clock.fast_forward(31_000)
        expect(page.locator("[data-unreachable]")).to_be_hidden()
        expect(page.locator(band)).to_contain_text("Major System Outage")


def test_incidents_appear_and_go_on_without_the_page_being_loaded_again(
    app: Flask, chromium: Any, make_service: Callable[..., int], now: datetime
) -> None:
    key = make_service("Shop")
    with serving(app), opened(chromium, app) as (page, console):
        page.evaluate("window.isStillTheSamePage = true")
        draft = IncidentDraft("Payments are slow", "We **look** into it.", endpoint_ids=[key])
        incident_id = open_incident(draft, "ann", now)
        page.clock.fast_forward(31_000)
        card = page.locator('[data-part="current"] .event')
        expect(card).to_contain_text("Payments are slow")
        expect(card.locator("strong").last).to_have_text("look")
        expect(page.locator("[data-announcer]")).to_contain_text("Payments are slow. We look into it.")

        resolve_incident(incident_id, "Done.", "ann", now)
        page.clock.fast_forward(31_000)
        expect(card).to_have_count(0)
        expect(page.locator('[data-part="past"]')).to_contain_text("Payments are slow")
        assert page.evaluate("window.isStillTheSamePage")
        assert console == []


def test_long_words_in_incidents_fit_a_small_phone(
    app: Flask, chromium: Any, make_service: Callable[..., int], now: datetime
) -> None:
    key = make_service("Shop" + "x" * 90)
    for title in ("y" * 200, "A title of ordinary length that goes on for a while"):
        body = f"{'z' * 300}\n\n    code {'c' * 300}\n\n- <https://example.org/{'l' * 300}>"
        incident_id = open_incident(IncidentDraft(title, body, endpoint_ids=[key]), "ann", now)
    resolve_incident(incident_id, body, "ann", now)
    with serving(app), opened(chromium, app, viewport={"width": 320, "height": 640}) as (page, console):
        page.locator(".past summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert console == []
