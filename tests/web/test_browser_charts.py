"""Charts, themes and ways of reading in a real Chromium: with the CDN and without, on paper, large, and by axe-core."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from statusapp.domain.enums import Status
from statusapp.queries.page_settings import load_page_settings
from statusapp.services.incident_updates import IncidentDraft, open_incident, resolve_incident
from statusapp.services.page import update_page_settings
from tests.web.browsing import BROWSER_MARKS, PAGE, opened, serving, violations

pytestmark = BROWSER_MARKS

MakeService = Callable[..., int]

# What Chart.js gives a canvas.
DRAWN = re.compile("width")


@pytest.fixture
def everything(make_service: MakeService, now: datetime) -> dict[str, int]:
    """A service of every status, an open incident and one that is over, and every text of the settings."""
    keys = [make_service(f"Service {status.word}", status, description="What it does") for status in Status]
    affected = [keys[Status.MAJOR_OUTAGE]]
    past = open_incident(
        IncidentDraft("Slow answers", "We look.", endpoint_ids=affected), "ann", now - timedelta(days=2)
    )
    resolve_incident(past, "Done.", "ann", now - timedelta(days=2, hours=-1))
    is_open = open_incident(IncidentDraft("All is down", "We **look**.", endpoint_ids=affected), "ann", now)
    settings = replace(
        load_page_settings(), announcement="We *move*.", footer="By us.", support_url="https://e.example/"
    )
    update_page_settings(settings)
    return {"service": keys[Status.MAJOR_OUTAGE], "incident": is_open}


def test_charts_are_drawn_by_the_file_that_the_hash_allows(
    app: Flask, chromium: Any, everything: dict[str, int]
) -> None:
    for path in (PAGE, f"{PAGE}services/{everything['service']}/"):
        with serving(app), opened(chromium, app, path) as (page, console):
            page.locator("[data-chart]").first.scroll_into_view_if_needed()
            expect(page.locator("canvas").first).to_have_attribute("style", DRAWN)
            table, button = page.locator(".chart-table").first, page.locator(".chart-switch").first
            expect(table).to_be_hidden()
            button.press("Enter")
            expect(table).to_be_visible()
            expect(button).to_have_attribute("aria-expanded", "true")
            assert page.locator("[data-band-from]").count() >= 1
            assert console == []


@pytest.mark.parametrize("way", ["no CDN", "CDN hangs", "no scripts"])
def test_tables_stand_in_for_charts(app: Flask, chromium: Any, everything: dict[str, int], way: str) -> None:
    options = {"java_script_enabled": way != "no scripts", "has_cdn": way != "no CDN"}
    with serving(app), opened(chromium, app, **options) as (page, _):
        if way == "CDN hangs":
            page.unroute_all()
            page.route("**/chart.umd.min.js", lambda route: None)
            page.reload(wait_until="domcontentloaded")
            page.locator("[data-chart]").first.scroll_into_view_if_needed()
            expect(page.locator("script[src*=chart\\.umd]")).to_have_count(1)
            page.clock.fast_forward(6000)
        page.locator("[data-chart]").first.scroll_into_view_if_needed()
        expect(page.locator(".chart-table").first).to_be_visible()
        expect(page.locator("canvas").first).to_be_hidden()


def test_the_reader_chooses_between_light_and_dark(app: Flask, chromium: Any, make_service: MakeService) -> None:
    make_service()
    background = "getComputedStyle(document.body).backgroundColor"
    with serving(app), opened(chromium, app, color_scheme="light") as (page, console):
        light = page.evaluate(background)
        page.locator("[data-theme-switch]").click()
        dark = page.evaluate(background)
        assert (light, dark) == ("rgb(246, 247, 249)", "rgb(15, 20, 25)")
        page.reload()
        assert page.evaluate(background) == dark
        assert console == []


def test_the_operators_colours_and_theme_are_in_effect(app: Flask, chromium: Any, make_service: MakeService) -> None:
    make_service()
    update_page_settings(replace(load_page_settings(), success_color="#0f766e"))
    color = "getComputedStyle(document.querySelector('.service-status')).color"
    with serving(app):
        with opened(chromium, app, color_scheme="light") as (page, _):
            assert page.evaluate(color) == "rgb(15, 118, 110)"
        update_page_settings(replace(load_page_settings(), theme="dark", success_color="#5eead4"))
        with opened(chromium, app, color_scheme="light") as (page, _):
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
            assert page.evaluate(color) == "rgb(94, 234, 212)"
            assert violations(page) == []


def paths_of(everything: dict[str, int]) -> tuple[str, ...]:
    """The pages that open without a sign-in."""
    service, incident = f"services/{everything['service']}/", f"incidents/{everything['incident']}/"
    return *(PAGE + part for part in ("", service, incident, "history/")), "/auth/login", "/auth/reset/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(app: Flask, chromium: Any, everything: dict[str, int], scheme: str) -> None:
    with serving(app):
        for path in paths_of(everything):
            with opened(chromium, app, path, color_scheme=scheme) as (page, _):
                assert violations(page) == [], path


def test_nothing_is_wider_than_a_small_phone(app: Flask, chromium: Any, everything: dict[str, int]) -> None:
    # A window of 640 pixels at 200 % is one of 320 to the page.
    size = {"width": 320, "height": 640}
    with serving(app):
        for path in paths_of(everything):
            with opened(chromium, app, path, viewport=size) as (page, _):
                assert page.evaluate("document.documentElement.scrollWidth") == 320, path


def test_on_paper_there_is_what_matters(app: Flask, chromium: Any, everything: dict[str, int]) -> None:
    with serving(app), opened(chromium, app, color_scheme="dark") as (page, _):
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        expect(page.locator("[data-theme-switch]")).to_be_hidden()
        expect(page.locator(".strip").first).to_be_visible()


def test_everything_can_be_reached_by_keyboard(app: Flask, chromium: Any, everything: dict[str, int]) -> None:
    with serving(app), opened(chromium, app) as (page, _):
        page.locator("[data-chart]").first.scroll_into_view_if_needed()
        expect(page.locator("canvas").first).to_have_attribute("style", DRAWN)
        page.evaluate("window.scrollTo(0, 0)")
        reached = set()
        for _ in range(80):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
        assert {"A.skip", "BUTTON.theme-switch", "DIV.strip-bars", "BUTTON.chart-switch"} <= reached
        # A strip is one stop; the arrow keys go from day to day.
        strip = page.locator("[data-strip]").first
        strip.focus()
        before = strip.get_attribute("aria-valuetext")
        page.keyboard.press("ArrowLeft")
        assert strip.get_attribute("aria-valuetext") != before


def test_what_is_open_and_focused_stays_when_texts_change(
    app: Flask, chromium: Any, everything: dict[str, int], now: datetime
) -> None:
    with serving(app), opened(chromium, app) as (page, console):
        page.evaluate("window.isStillTheSamePage = true")
        past = page.locator('[data-part="past"] details.past')
        past.locator("summary").focus()
        page.keyboard.press("Enter")
        page.evaluate("window.scrollTo(0, 300)")
        open_incident(IncidentDraft("Another one", "Oh."), "ann", now)
        page.clock.fast_forward(31_000)
        expect(page.locator('[data-part="current"]')).to_contain_text("Another one")
        expect(past).to_have_attribute("open", "")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.evaluate("window.isStillTheSamePage")
        assert console == []


def test_new_services_and_settings_come_by_themselves(app: Flask, chromium: Any, make_service: MakeService) -> None:
    make_service("First")
    with serving(app), opened(chromium, app) as (page, _):
        page.evaluate("window.isStillTheSamePage = true")
        make_service("Second")
        page.clock.fast_forward(31_000)
        expect(page.locator("[data-service]")).to_have_count(2)
        assert page.evaluate("window.isStillTheSamePage")
        expect(page.locator("[data-strip][role=slider]")).to_have_count(2)
        update_page_settings(replace(load_page_settings(), title="Other", shows_uptime=False))
        page.clock.fast_forward(31_000)
        expect(page).to_have_title("Other: All Systems Operational")
        expect(page.locator(".strip")).to_have_count(0)
