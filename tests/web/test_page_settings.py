"""The settings of the page: what can be used, and that all of it is in effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statusapp.domain.colors import (
    DARK_SURFACES,
    LIGHT_SURFACES,
    contrast,
    least_contrast,
    nearest_readable,
    normal_color,
)
from statusapp.domain.enums import Status
from statusapp.domain.errors import InvalidInput
from statusapp.queries.page_settings import load_page_settings
from statusapp.services.incident_updates import IncidentDraft, open_incident, resolve_incident
from statusapp.services.page import logo_from, page_problems, update_page_settings

PAGE = "/health/status-page/"
DATA = "/health/status-page-api/"
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

MakeService = Callable[..., int]


def change(**values: Any) -> None:
    update_page_settings(replace(load_page_settings(), **values))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "  ", "Enter a title."),
        ("title", "x" * 201, "at most 200 characters"),
        ("description", "x" * 1001, "at most 1000"),
        ("time_zone", "Mars/Olympus", "Europe/Berlin"),
        ("time_zone", "", "Europe/Berlin"),
        ("refresh_interval_s", 4, "from 5 to 3600"),
        ("history_days", 91, "from 7 to 90"),
        ("theme", "pink", "auto, light, dark"),
        ("support_url", "javascript:alert(1)", "https://"),
        ("support_url", "https://", "https://"),
        ("support_url", "http://[", "https://"),
        ("primary_color", "blue", "#1d4ed8"),
        ("success_color", "#4ade80", "contrast of 1.6:1"),
    ],
)
def test_what_cannot_be_used_is_told_with_what_could(app: Flask, field: str, value: object, words: str) -> None:
    before = load_page_settings()
    with pytest.raises(InvalidInput) as caught:
        change(**{field: value})
    assert (caught.value.field, words in caught.value.message) == (field, True)
    assert load_page_settings() == before


def test_every_problem_is_told_at_once(app: Flask) -> None:
    settings = replace(load_page_settings(), title="", theme="pink", history_days=0)
    assert set(page_problems(settings)) == {"title", "theme", "history_days"}


def test_a_color_is_judged_on_the_theme_it_is_for(app: Flask) -> None:
    change(theme="dark", success_color="4ADE80", danger_color="#f88")
    assert (load_page_settings().success_color, load_page_settings().danger_color) == ("#4ade80", "#ff8888")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    # https://www.w3.org/TR/WCAG22/ names #767676 as the lightest grey with enough of it on white.
    assert contrast("#767676", "#ffffff") >= 4.5 > contrast("#777777", "#ffffff")
    assert (normal_color(" FFF "), normal_color("#12345"), normal_color("red")) == ("#ffffff", None, None)


@pytest.mark.parametrize("color", ["#4ade80", "#ffff00", "#000000", "#ffffff", "#808080", "#0f766e"])
def test_the_nearest_readable_color_is_readable(color: str) -> None:
    for surfaces in (LIGHT_SURFACES, DARK_SURFACES):
        assert least_contrast(nearest_readable(color, surfaces), surfaces) >= 4.5
    assert nearest_readable("#15803d", LIGHT_SURFACES) == "#15803d"


def test_colors_come_as_a_file_of_their_own(client: FlaskClient) -> None:
    assert "theme.css" not in client.get(PAGE).text
    change(primary_color="#7c3aed", danger_color="#b91c1c")
    address = re.findall(r'href="(/health/status-page/theme.css\?v=[^"]+)"', client.get(PAGE).text)[0]
    answer = client.get(address)
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/css", "public, max-age=31536000, immutable")
    assert "--primary: light-dark(#7c3aed, #" in answer.text
    assert "--major_outage: light-dark(#b91c1c, #" in answer.text
    assert client.get("/health/status-page/theme.css?v=older").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(("content", "kind"), [(PNG, "image/png"), (SVG, "image/svg+xml")])
def test_the_logo_is_an_image_and_no_document_of_ours(client: FlaskClient, content: bytes, kind: str) -> None:
    assert client.get("/health/status-page/logo").status_code == 404
    change(logo=logo_from(content))
    address = re.findall(r'<img class="logo" src="([^"]+)" alt="">', client.get(PAGE).text)[0]
    answer = client.get(address)
    assert (answer.data, answer.mimetype) == (content, kind)
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")


def test_what_is_no_logo_is_refused() -> None:
    for content in (b"", b"<html>", b"RIFF0000WAVE", b"\x89PNG\r\n\x1a\n" + b"x" * 70_000):
        with pytest.raises(InvalidInput, match=r"PNG, JPEG|at most 64 KiB"):
            logo_from(content)


def test_what_is_not_to_be_shown_is_nowhere(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    key = make_service()
    incident = open_incident(IncidentDraft("Broken", "Oh."), "ann", now)
    paths = (PAGE, f"{PAGE}services/{key}/")
    assert all("100 %" in client.get(path).text for path in paths)
    change(shows_uptime=False, shows_response_times=False, shows_incidents=False, shows_metrics=False)
    for path in paths:
        html = client.get(path).text
        assert not re.search(r"100 %|ptime|Response|0\.12 s|Broken|System performance", html), path
    data = client.get(DATA).json
    (service,) = data["services"]
    assert (service["uptime_24h"], service["response_time_seconds"], service["bars"]) == (None, None, "")
    assert (data["days"], data["incidents"], data["performance"]["cpu_percent"]) == ([], [], None)
    assert client.get("/health/api/overview/").json["services"][0]["uptime_24h"] is None
    for path in (f"{PAGE}history/", f"{PAGE}incidents/{incident}/"):
        assert client.get(path).status_code == 404


def test_texts_links_days_and_robots(client: FlaskClient, make_service: MakeService) -> None:
    make_service()
    html = client.get(PAGE).text
    assert 'name="robots"' not in html
    assert "data-theme=" not in html
    change(
        announcement="We **move**. <script>x</script>",
        footer="[Imprint](https://e.example)",
        support_url="mailto:help@e.example",
        history_days=30,
        is_indexed=False,
        theme="light",
        refresh_interval_s=7,
    )
    html = client.get(PAGE).text
    assert "We <strong>move</strong>." in html
    assert "<script>x" not in html
    assert 'href="https://e.example"' in html
    assert 'href="mailto:help@e.example"' in html
    assert '<meta name="robots" content="noindex">' in html
    assert '<html lang="en" data-theme="light">' in html
    assert 'data-refresh="7"' in html
    data = client.get(DATA).json
    assert (len(data["days"]), len(data["services"][0]["bars"])) == (30, 30)


def test_times_are_told_in_the_zone_of_the_page(client: FlaskClient, make_service: MakeService) -> None:
    key = make_service("Shop")
    change(time_zone="Asia/Tokyo")
    began = datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
    incident = open_incident(IncidentDraft("Broken", "Oh.", endpoint_ids=[key]), "ann", began)
    resolve_incident(incident, "Done.", "ann", began + timedelta(hours=2))
    page = client.get(f"{PAGE}incidents/{incident}/").text
    assert "1 April 2026, 00:30:00 JST" in page
    assert "after 2 hours" in page
    # In Tokyo it was April already.
    assert "Broken" in client.get(f"{PAGE}history/?month=2026-04").text
    march = client.get(f"{PAGE}history/?month=2026-03").text
    assert "Nothing was reported in March 2026." in march
    assert "month=2026-04" in march
    assert "month=2026-02" not in march
    assert 'data-zone="Asia/Tokyo"' in client.get(PAGE).text


@pytest.mark.parametrize("month", ["2026-13", "x", "", "2999-01", "0000-01", "2026-1", "9999-12"])
def test_a_month_that_is_none_is_not_found(client: FlaskClient, app: Flask, month: str) -> None:
    assert client.get(f"{PAGE}history/?month={month}").status_code == 404


def test_a_bar_tells_the_incidents_of_its_day(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    down, fine = make_service("Down", Status.MAJOR_OUTAGE), make_service("Fine")
    for number in range(4):
        draft = IncidentDraft(f"Broken {number}", "Oh.", endpoint_ids=[down])
        open_incident(draft, "ann", now - timedelta(minutes=number))
    services = {service["id"]: service for service in client.get(DATA).json["services"]}
    assert services[down]["bar_notes"]["89"].endswith("; incident: Broken 0; incident: Broken 1; 2 more")
    assert services[fine]["bar_notes"] == {}
