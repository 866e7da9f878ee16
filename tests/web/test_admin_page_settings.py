"""The form of the status page's settings: what is typed is on the page, or previewed without being saved."""

from __future__ import annotations

import io
from typing import Any

from statusapp.domain.enums import IncidentMode
from statusapp.extensions import db
from statusapp.queries.page_settings import load_page_settings
from statusapp.services.incident_modes import load_incident_modes
from tests.web.conftest import MakeService, Operator

SETTINGS = "/admin/health/statuspagesettings/"
PAGE = "/health/status-page/"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
HOSTILE = "<script>alert(1)</script>"


def settings(**changes: Any) -> dict[str, Any]:
    """What a browser sends of the form."""
    usual = {
        "title": "Our status", "description": "How we do", "announcement": "", "footer": "", "support_url": "",
        "shows_uptime": "y", "shows_response_times": "y", "shows_incidents": "y", "shows_metrics": "y",
        "is_indexed": "y", "history_days": "30", "theme": "auto", "primary_color": "", "success_color": "",
        "warning_color": "", "danger_color": "", "time_zone": "UTC", "refresh_interval_s": "20",
    }  # fmt: skip
    return usual | changes


def now_in_effect() -> Any:
    """The settings as they are in the database now."""
    db.session.rollback()
    db.session.expire_all()
    return load_page_settings()


def test_the_form_shows_what_is_in_effect_and_saves_what_is_typed(operator: Operator) -> None:
    page = operator.get(SETTINGS).text
    assert 'value="Driver App Status"' in page
    assert 'value="90"' in page
    page = operator.post(
        SETTINGS,
        settings(
            title=HOSTILE, announcement="We **move**", support_url="mailto:help@example.org", shows_uptime="",
            primary_color="#7C3AED", logo=(io.BytesIO(PNG), "logo.png"), time_zone="Europe/Berlin", theme="light",
        ),
        content_type="multipart/form-data",
        follow_redirects=True,
    ).text  # fmt: skip
    assert "The settings were saved" in page
    assert HOSTILE not in page
    found = now_in_effect()
    assert (found.title, found.shows_uptime, found.history_days, found.theme) == (HOSTILE, False, 30, "light")
    assert (found.primary_color, found.time_zone) == ("#7c3aed", "Europe/Berlin")
    assert found.logo.startswith("data:image/png;base64,")
    public = operator.client.get(PAGE, headers={"Accept": "text/html"}).text
    assert "<strong>move</strong>" in public
    operator.post(SETTINGS, settings())
    assert now_in_effect().logo.startswith("data:image/png")
    operator.post(SETTINGS, settings(clears_logo="y"))
    assert now_in_effect().logo == ""


def test_a_bad_value_stands_beside_its_field(operator: Operator) -> None:
    before = now_in_effect()
    bad: list[tuple[dict[str, Any], str, str]] = [
        ({"title": ""}, "title", "Enter a title"),
        ({"title": "x" * 201}, "title", "at most 200"),
        ({"history_days": "400"}, "history_days", "from 7 to 90"),
        ({"history_days": "many"}, "history_days", "whole number"),
        ({"refresh_interval_s": "1"}, "refresh_interval_s", "from 5 to 3600"),
        ({"time_zone": "Mars"}, "time_zone", "IANA"),
        ({"theme": "pink"}, "theme", "Choose one of these"),
        ({"support_url": "javascript:alert(1)"}, "support_url", "https://"),
        ({"primary_color": "blue"}, "primary_color", "#1d4ed8"),
        ({"success_color": "#ffff00"}, "success_color", "The nearest that has it is #"),
        ({"logo": (io.BytesIO(b"nonsense"), "logo.png")}, "logo", "no image that can be used"),
        ({"logo": (io.BytesIO(PNG + b"0" * 70_000), "logo.png")}, "logo", "at most 64 KiB"),
    ]
    for changes, field, words in bad:
        answer = operator.post(SETTINGS, settings(**{"footer": "Typed"} | changes), content_type="multipart/form-data")
        assert answer.status_code == 400, changes
        assert words in answer.text.split(f'id="{field}-error">')[1].split("</p>")[0].replace("&#39;", "'")
        assert "Typed" in answer.text
    assert now_in_effect() == before


def test_a_preview_is_the_page_with_what_is_typed_and_saves_nothing(
    operator: Operator, make_service: MakeService
) -> None:
    make_service("Shop")
    before = now_in_effect()
    answer = operator.post(
        SETTINGS,
        settings(
            preview="1", title="Not yet", danger_color="#9d174d", logo=(io.BytesIO(PNG), "l.png"), history_days="7"
        ),
        content_type="multipart/form-data",
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Not yet" in answer.text
    assert 'src="data:image/png;base64,' in answer.text
    assert "Shop" in answer.text
    css = answer.text.split('href="/admin/health/statuspagesettings/theme.css')[1].split('"')[0].replace("&amp;", "&")
    assert "#9d174d" in operator.get(f"{SETTINGS}theme.css{css}").text
    assert operator.get(f"{SETTINGS}theme.css?danger_color=}}x").text == ""
    assert now_in_effect() == before
    assert operator.post(SETTINGS, settings(preview="1", title="")).status_code == 400


def test_what_alerts_do_about_incidents_is_chosen(operator: Operator) -> None:
    assert f'href="{SETTINGS}incidents"' in operator.get(SETTINGS).text
    page = operator.get(f"{SETTINGS}incidents").text
    assert '<option selected value="public">' in page.split('id="critical"')[1].split("</select>")[0]
    operator.post(f"{SETTINGS}incidents", {"critical": "draft", "warning": "public"})
    db.session.rollback()
    db.session.expire_all()
    modes = load_incident_modes()
    assert (modes.critical, modes.warning) == (IncidentMode.DRAFT, IncidentMode.PUBLIC)
    assert operator.post(f"{SETTINGS}incidents", {"critical": "loud", "warning": "off"}).status_code == 400
