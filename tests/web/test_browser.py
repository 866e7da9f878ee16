"""The status page in a real Chromium: it fits a small phone, keeps itself fresh and says when it cannot."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from config import CHART_JS_URL
from statusapp.database import write_transaction
from statusapp.domain.enums import Status
from statusapp.extensions import db
from statusapp.models import EndpointState
from statusapp.services.incident_updates import IncidentDraft, open_incident, resolve_incident

playwright = pytest.importorskip("playwright.sync_api")
CHART_JS = Path(__file__).parent / "vendor" / "chart-4.6.1.umd.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

CDN_HEADERS = {"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests of this file."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    """Serve the application from a thread."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def opened(chromium: Any, port: int, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """The status page in a fresh window with a clock that the test moves, and what the console says."""
    context = chromium.new_context(**options)
    page, console = context.new_page(), []
    page.on("console", lambda message: console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    # The file as its publisher has it stands in for the network; the browser checks it against the page's hash.
    page.route(CHART_JS_URL, lambda route: route.fulfill(path=CHART_JS, headers=CDN_HEADERS))
    page.clock.install()
    page.goto(f"http://127.0.0.1:{port}/health/status-page/")
    try:
        yield page, console
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone(app: Flask, chromium: Any, make_service: Callable[..., int], scheme: str) -> None:
    port = app.config["SETTINGS"].port
    for status in Status:
        make_service(f"A service that has been given quite a long name {'x' * 60} {status}", status)
    size = {"width": 320, "height": 640}
    with serving(app, port), opened(chromium, port, viewport=size, color_scheme=scheme) as (page, console):
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert page.locator("[data-service]").count() == len(Status)
        assert console == []


def test_it_says_everything_without_scripts(app: Flask, chromium: Any, make_service: Callable[..., int]) -> None:
    port = app.config["SETTINGS"].port
    make_service()
    with serving(app, port):
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/health/status-page/")
        text = page.inner_text("body")
        context.close()
    for expected in ("All Systems Operational", "1/1 service operational", "API Root", "100 %", "0.12 s"):
        assert expected in text


def test_it_keeps_itself_fresh_and_says_when_it_cannot(
    app: Flask, chromium: Any, make_service: Callable[..., int], now: datetime
) -> None:
    port = app.config["SETTINGS"].port
    key = make_service()
    band = "[data-band]"
    with serving(app, port), opened(chromium, port) as (page, console):
        page.evaluate("window.isStillTheSamePage = true")
        with write_transaction(db.session) as session:
            session.get_one(EndpointState, key).status = Status.MAJOR_OUTAGE
        page.clock.fast_forward(31_000)
        playwright.expect(page.locator(band)).to_contain_text("Major System Outage")
        playwright.expect(page.locator(band)).to_have_attribute("data-status", "major_outage")
        assert page.title() == "Driver App Status: Major System Outage"
        assert "favicons/major_outage.svg" in page.get_attribute("link[rel=icon]", "href")
        assert page.inner_text(".toast") == "API Root: Major Outage"
        told = "API Root: Major Outage. Major System Outage. 0/1 service operational."
        assert page.inner_text("[data-announcer]") == told
        assert page.evaluate("window.isStillTheSamePage")
        assert console == []

        page.route("**/status-page-api/", lambda route: route.abort())
        page.clock.fast_forward(31_000)
        playwright.expect(page.locator("[data-unreachable]")).to_contain_text("cannot reach its server")
        playwright.expect(page.locator(band)).to_have_attribute("data-status", "unknown")

        page.unroute("**/status-page-api/")
        page.clock.fast_forward(31_000)
        playwright.expect(page.locator("[data-unreachable]")).to_be_hidden()
        playwright.expect(page.locator(band)).to_contain_text("Major System Outage")


def test_incidents_appear_and_go_on_without_the_page_being_loaded_again(
    app: Flask, chromium: Any, make_service: Callable[..., int], now: datetime
) -> None:
    port = app.config["SETTINGS"].port
    key = make_service("Shop")
    with serving(app, port), opened(chromium, port) as (page, console):
        page.evaluate("window.isStillTheSamePage = true")
        draft = IncidentDraft("Payments are slow", "We **look** into it.", endpoint_ids=[key])
        incident_id = open_incident(draft, "ann", now)
        page.clock.fast_forward(31_000)
        card = page.locator('[data-part="current"] .event')
        playwright.expect(card).to_contain_text("Payments are slow")
        playwright.expect(card.locator("strong").last).to_have_text("look")
        playwright.expect(page.locator("[data-announcer]")).to_contain_text("Payments are slow. We look into it.")

        resolve_incident(incident_id, "Done.", "ann", now)
        page.clock.fast_forward(31_000)
        playwright.expect(card).to_have_count(0)
        playwright.expect(page.locator('[data-part="past"]')).to_contain_text("Payments are slow")
        assert page.evaluate("window.isStillTheSamePage")
        assert console == []


def test_long_words_in_incidents_fit_a_small_phone(
    app: Flask, chromium: Any, make_service: Callable[..., int], now: datetime
) -> None:
    port = app.config["SETTINGS"].port
    key = make_service("Shop" + "x" * 90)
    for title in ("y" * 200, "A title of ordinary length that goes on for a while"):
        body = f"{'z' * 300}\n\n    code {'c' * 300}\n\n- <https://example.org/{'l' * 300}>"
        incident_id = open_incident(IncidentDraft(title, body, endpoint_ids=[key]), "ann", now)
    resolve_incident(incident_id, body, "ann", now)
    with serving(app, port), opened(chromium, port, viewport={"width": 320, "height": 640}) as (page, console):
        page.locator(".past summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert console == []
