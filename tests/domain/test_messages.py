"""Messages: plain substitution, a first line that does alone, every name in a digest, nothing executed."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statusapp.domain.enums import AlertKind, Severity, Status, Transition
from statusapp.domain.instants import SECOND
from statusapp.domain.messages import (
    DEFAULTS,
    PLACEHOLDERS,
    Event,
    Message,
    Surroundings,
    Texts,
    compose,
    fill,
    lasted,
    one_line,
    title_of,
    unknown_placeholders,
    values_of,
)

T0 = 1_795_525_320_000_000  # 2026-11-24 13:02:00 UTC, 14:02 in Berlin.
BERLIN = Surroundings(ZoneInfo("Europe/Berlin"), "https://status.example.org", {})


def event(transition: Transition = Transition.FIRED, severity: Severity = Severity.CRITICAL, **data: Any) -> Event:
    usual = {
        "kind": "down", "name": "User Login", "status": "major_outage", "found": "HTTP 502",
        "since": T0, "at": T0 + 180 * SECOND, "affected": [],
    }  # fmt: skip
    return Event(f"alert-1-{transition.word}-1", transition, severity, T0, usual | data)


def single(given: Event, texts: dict[Transition, Texts] | None = None) -> Message:
    return compose([given], "b1", Surroundings(BERLIN.zone, BERLIN.public_url, texts or {}))


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (event(), "[Major Outage] User Login: HTTP 502, since 14:02 (3 min)"),
        (
            event(Transition.REMINDED, at=T0 + 2520 * SECOND),
            "[Major Outage] User Login still down for 42 min: HTTP 502",
        ),
        (event(Transition.RESOLVED, resolved_at=T0 + 1080 * SECOND), "[Recovered] User Login after 18 min"),
        (event(Transition.FLAPPING, found="7 changes"), "[Flapping] User Login goes up and down: 7 changes"),
        (
            event(severity=Severity.WARNING, kind="cpu", status=None, name="CPU of web-1", found="95 %"),
            "[Warning] CPU of web-1: 95 %, since 14:02 (3 min)",
        ),
        (
            event(
                Transition.MAINTENANCE,
                Severity.INFO,
                name="Update",
                phase="announced",
                starts_at=T0,
                ends_at=T0 + 7200 * SECOND,
            ),
            "[Maintenance] Update is planned from 2026-11-24 14:02 CET to 16:02",
        ),
        (
            event(
                Transition.MAINTENANCE,
                Severity.INFO,
                name="Update",
                phase="started",
                starts_at=T0,
                ends_at=T0 + 7200 * SECOND,
            ),
            "[Maintenance] Update has begun, and is planned until 2026-11-24 16:02 CET",
        ),
        (event(found=""), "[Major Outage] User Login, since 14:02 (3 min)"),
        (
            event(at=T0 + 90_000 * SECOND),
            "[Major Outage] User Login: HTTP 502, since 2026-11-24 14:02 CET (1 d 1 h)",
        ),
    ],
)
def test_the_first_line_does_alone(given: Event, title: str) -> None:
    message = single(given)
    assert message.title == title
    assert message.text.splitlines()[0] == title


def test_the_rest_says_what_was_found_and_where_to_look_and_nothing_that_is_empty() -> None:
    text = single(event(affected=["Shop", "API"])).text
    assert "What: Service down\nFound: HTTP 502\n" in text
    assert "Needed by: Shop, API" in text
    assert "https://status.example.org/health/status-page/" in text
    assert "Note:" not in text
    assert "Needed by:" not in single(event()).text


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "{0.__class__}", "{name.__class__}", "{nothing}", "${name", "%(name)s", "{}"]
)
def test_what_is_no_placeholder_comes_out_as_it_is(text: str) -> None:
    assert fill(text, {"name": "x"}) == text


def test_a_value_is_never_looked_at_again() -> None:
    assert fill("{name} {found}", {"name": "{found}", "found": "{name}"}) == "{found} {name}"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(PLACEHOLDERS)), st.text(max_size=20)), st.text(max_size=60))
def test_text_without_known_placeholders_is_left_alone(values: dict[str, str], text: str) -> None:
    if not any(f"{{{name}}}" in text for name in PLACEHOLDERS):
        assert fill(text, values) == text


def test_html_escapes_values_and_the_operators_text() -> None:
    own = {Transition.FIRED: Texts("{name}", "<b>{found}</b>")}
    html = single(event(name="<script>alert(1)</script>", found="<img src=x onerror=y>"), own).html
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;b&gt;&lt;img src=x" in html


def test_only_whole_web_addresses_become_links() -> None:
    own = {Transition.FIRED: Texts("{name}", "{link} {found}")}
    html = single(event(found="javascript:alert(1)"), own).html
    assert html.count("<a ") == 1


def test_a_digest_names_every_one_of_a_thousand() -> None:
    names = [f"Service {number:04}" for number in range(1000)]
    message = compose([event(name=name) for name in names], "b1", BERLIN)
    for text in (message.text, message.html, message.brief):
        assert [name for name in names if name not in text] == []
    assert message.title == "[Major Outage] 1000: Service 0000, Service 0001, Service 0002 and 997 more"
    assert len(message.brief) < len(message.text) / 3


def test_a_digest_says_what_is_worst_first() -> None:
    events = [event(Transition.RESOLVED, name="A"), event(Severity.INFO and Transition.FIRED, name="B")]
    message = compose(events, "b1", BERLIN)
    assert message.title == "[Major Outage] 1, [Recovered] 1: A, B"
    assert message.severity is Severity.CRITICAL
    assert not message.is_good_news
    assert compose([event(Transition.RESOLVED)], "b1", BERLIN).is_good_news


def test_a_title_is_one_line_without_control_characters() -> None:
    title = title_of(event(name="A\r\nBcc: x@y.org\x00\u2028B"), BERLIN)
    assert title.startswith("[Major Outage] A Bcc: x@y.org B:")
    assert len(one_line("x" * 1000)) == 250


def test_a_report_brings_its_own_words() -> None:
    words = {"title": "Report of 24 November", "text": "All was well.", "html": "<p>Well</p>"}
    message = single(event(Transition.REPORT, Severity.INFO, **words))
    assert message.title == "Report of 24 November"
    assert message.text.startswith("All was well.")
    assert "<p>Well</p>" in message.html


@pytest.mark.parametrize("data", [{}, {"since": "x", "at": None, "affected": 3, "lasted_us": True, "name": "\ud800"}])
@pytest.mark.parametrize("transition", list(Transition))
def test_whatever_is_missing_or_wrong_something_is_said(transition: Transition, data: dict[str, Any]) -> None:
    message = compose([Event("k-1", transition, Severity.INFO, T0, data)], "b1", BERLIN)
    assert message.title
    assert message.text.encode()


def test_every_placeholder_has_a_value_and_every_default_text_only_known_ones() -> None:
    assert set(values_of(event(), BERLIN)) == set(PLACEHOLDERS)
    assert set(DEFAULTS) == set(Transition)
    for texts in DEFAULTS.values():
        assert unknown_placeholders(texts.title + texts.body) == []


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_has_its_words(kind: AlertKind) -> None:
    assert values_of(event(kind=kind.word), BERLIN)["kind"] != "Alert"


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_words(status: Status) -> None:
    assert values_of(event(status=status.word), BERLIN)["status"] != "Critical"


def test_unknown_placeholders_are_named() -> None:
    assert unknown_placeholders("{nmae} {name} {{7*7}} {nmae} {who}") == ["{nmae}", "{who}"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_spans_as_people_say_them(seconds: int, words: str) -> None:
    assert lasted(seconds * SECOND) == words
