"""The strip of days: drawn on the server, the same letters for the script, hostile names inert."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from statusapp.web.status.day_strips import strip_paths, strip_view


def test_each_status_is_one_outline_of_all_its_bars() -> None:
    assert strip_paths("oop") == (
        ("operational", "M0 0h6v28h-6zM8 0h6v28h-6z"),
        ("partial_outage", "M16 0h6v28h-6z"),
    )
    assert (strip_view("oop"), strip_view("")) == ("0 0 22 28", "0 0 1 28")


def test_a_row_of_the_page_has_its_strip(client: FlaskClient, make_service: Callable[..., int]) -> None:
    make_service('"><script>alert(1)</script>')
    html = client.get("/health/status-page/").get_data(as_text=True)
    assert '<path class="bar-unknown" d="M0 0h6v28h-6z' in html
    assert 'aria-label="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;, last 90 days: 100 % uptime"' in html
    assert "<script>alert(1)" not in html
    (service,) = client.get("/health/status-page-api/").get_json()["services"]
    assert service["bars"].endswith("ooo")
    assert set(service["bars"][:80]) == {"u"}
    assert service["bar_notes"] == {}
