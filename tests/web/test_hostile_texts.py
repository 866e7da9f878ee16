"""Hostile texts in every field that is filled by others: each public answer, read as its format is, is inert.

The texts are put into the database as they are, past all that would refuse or trim them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.enums import Impact, IncidentStatus, Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import (
    EndpointState,
    Incident,
    IncidentEndpoint,
    IncidentUpdate,
    MaintenanceOccurrence,
    MaintenanceTarget,
    MaintenanceUpdate,
    MaintenanceWindow,
    ServiceEndpoint,
    ServiceGroup,
    StatusPageSettings,
)
from tests.web.public_routes import BROWSER, read_all

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    'x" onmouseover="alert(1)" style="x" data-x=\'',
    "</title></script></style></textarea><svg/onload=alert(1)>",
    "]]><script>alert(1)</script><![CDATA[",
    "<!-- --><iframe src=javascript:alert(1)></iframe>",
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "x\r\nX-Evil: 1\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\n\r\n<script>alert(1)</script>",
    "x;ATTACH=evil,\\n:BEGIN:VALARM",
    "left \u202eright\u2066 \u200b\ufeff\u2028 \x0b\x08 \ufffe",
    "{{7*7}} {% raw %} ${7*7} #{7*7}",
    "=cmd|' /C calc'!A0",
    "&lt;script&gt; &amp; &#x3c;img src=x onerror=alert(1)&#x3e;",
]
MARKDOWN = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a", "h4", "h5", "h6"}
NEVER = {"iframe", "object", "embed", "base", "form", "math", "foreignobject", "animate", "set", "style"}
CALENDAR = {
    "BEGIN", "END", "VERSION", "PRODID", "METHOD", "NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL", "UID",
    "SEQUENCE", "STATUS", "DTSTAMP", "LAST-MODIFIED", "CREATED", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "URL",
    "TRANSP",
}  # fmt: skip


class Elements(HTMLParser):
    """The elements that a browser would find, and the text inside each script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


@pytest.fixture
def hostile(app: Flask, now: datetime) -> dict[str, Collection[Any]]:
    """A world of hostile texts; the ids that public routes can be asked for."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        session.add(
            StatusPageSettings(
                id=1,
                title="".join(HOSTILE)[:200],
                description=" ".join(HOSTILE),
                announcement="\n\n".join(HOSTILE),
                footer="\n\n".join(HOSTILE),
                support_url='https://e.example/"><script>alert(1)</script>',
            )
        )
    services, incidents = zip(*(plant(text, place, here) for place, text in enumerate(HOSTILE)), strict=True)
    # The pages of services are long; the status page has all of them.
    return {"endpoint_id": services[::3], "incident_id": incidents, "every service": services}


def plant(text: str, place: int, here: int) -> tuple[int, int]:
    """A text in each place once; the ids of its service and its incident."""
    moment = here - place * SECOND
    at = {"created_at": moment, "updated_at": moment}
    with write_transaction(db.session) as session:
        group = ServiceGroup(name=text, position=place)
        session.add(group)
        session.flush()
        dates = dict.fromkeys(("created_at", "updated_at"), from_us(moment))
        service = ServiceEndpoint(
            name=f"{text} service",
            description=text,
            group_id=group.id,
            url="http://127.0.0.1:1/",
            interval_s=60,
            **dates,
        )
        checks = {"last_checked_at": here, "silent_after": here + 180 * SECOND, "last_total_us": 1000}
        service.state = EndpointState(status=Status.OPERATIONAL, status_since=moment, **checks)
        incident = Incident(
            title=text, status=IncidentStatus.IDENTIFIED, impact=Impact.MINOR, is_public=True, started_at=moment,
            resolved_at=here if place % 2 else None, **at,
        )  # fmt: skip
        window = MaintenanceWindow(
            title=text, body=text, zone="UTC", starts="2026-01-01T00:00", duration_s=60, valid_from=moment, **at
        )
        session.add_all([service, incident, window])
        session.flush()
        session.add(IncidentEndpoint(incident_id=incident.id, endpoint_id=service.id, status=Status.DEGRADED))
        told = {"body": text, "author": text, "created_at": moment}
        session.add(IncidentUpdate(incident_id=incident.id, status=IncidentStatus.IDENTIFIED, **told))
        session.add(MaintenanceTarget(window_id=window.id, endpoint_id=service.id))
        session.add(MaintenanceTarget(window_id=window.id, group_id=group.id))
        start = here + (place - len(HOSTILE) // 2) * 60 * SECOND
        over = start if start + 60 * SECOND <= here else None
        occurrence = MaintenanceOccurrence(
            window_id=window.id, starts_at=start, ends_at=start + 60 * SECOND, announced_at=moment, started_at=over,
            ended_at=over,
        )  # fmt: skip
        session.add(occurrence)
        session.flush()
        session.add(MaintenanceUpdate(occurrence_id=occurrence.id, **told))
        return service.id, incident.id


def check_html(html: str, chart_js: str) -> None:
    """No script but the page's own files, and nothing else that runs or loads."""
    elements = Elements(html)
    assert not "".join(elements.scripts).strip()
    for tag, attributes in elements.found:
        assert tag not in NEVER - {"form"}, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], attributes
        for name in ("src", "href", "action", "formaction", "xlink:href", "data"):
            address = attributes.get(name)
            assert address is None or re.match(r"(/(?!/)|#|https?://|mailto:|\?|data:image/|$)", address), (
                tag,
                address,
            )
        if tag == "script":
            source = attributes.get("src") or ""
            assert source.startswith("/static/") or source == chart_js
        if tag in ("img", "link"):
            assert (attributes.get("src") or attributes.get("href") or "").startswith(("/", "data:image/svg+xml"))
        assert tag != "meta" or "http-equiv" not in attributes


def check_xml(content: bytes) -> None:
    """It parses, and no element or attribute of it runs or loads anything."""
    for element in ElementTree.fromstring(content).iter():
        name = element.tag.rpartition("}")[2].lower()
        assert name not in NEVER | {"script", "image", "use", "a"}
        assert not [key for key in element.attrib if key.lower().startswith("on") or key == "style"]
        if name in ("content", "description"):
            for tag, attributes in Elements(element.text or "").found:
                assert tag in MARKDOWN
                assert set(attributes) <= {"href", "title", "rel", "start"}
                assert re.match(r"(https?:|mailto:)", attributes.get("href") or "http:")


def check_calendar(content: bytes) -> None:
    """As many events as were planted, with no property that was not meant."""
    assert len(Calendar.from_ical(content).walk("VEVENT")) == len(HOSTILE)
    unfolded = content.replace(b"\r\n ", b"").decode()
    for line in unfolded.split("\r\n")[:-1]:
        assert re.split("[:;]", line)[0] in CALENDAR, line
        assert not line.startswith("BEGIN:") or line in ("BEGIN:VCALENDAR", "BEGIN:VEVENT")
        assert not re.search("[\x00-\x08\x0a-\x1f]", line)


def test_every_public_answer_is_inert(
    client: FlaskClient, hostile: dict[str, Collection[Any]], settings: Settings
) -> None:
    kinds = set()
    for path, answer in read_all(client, hostile, BROWSER):
        kind = answer.mimetype
        kinds.add(kind)
        assert answer.status_code in (200, 302, 404, 503), path
        assert "X-Evil" not in answer.headers, path
        assert "evil" not in str(answer.headers).lower(), path
        if kind == "text/html":
            check_html(answer.text, settings.chart_js_url)
        elif kind.endswith("json"):
            json.loads(answer.data)
        elif kind.endswith("xml"):
            check_xml(answer.data)
        elif kind == "text/calendar":
            check_calendar(answer.data)
        else:
            assert kind in ("text/css", "text/plain"), (path, kind)
    assert {"text/html", "application/json", "application/atom+xml", "application/rss+xml", "image/svg+xml"} <= kinds
    assert "text/calendar" in kinds


def test_programs_get_the_texts_as_they_are(client: FlaskClient, hostile: dict[str, Collection[Any]]) -> None:
    summary = client.get("/api/v2/summary.json").json
    names = [component["name"] for component in summary["components"]]
    assert names == [name for text in HOSTILE for name in (text, f"{text} service")]
    told = client.get("/api/v2/incidents.json").json["incidents"]
    assert [incident["name"] for incident in told] == HOSTILE
    assert [incident["incident_updates"][0]["body"] for incident in told] == HOSTILE
    page = client.get("/health/status-page-api/").json
    assert [service["name"] for service in page["services"]] == names[1::2]
    for key, text in zip(hostile["every service"], HOSTILE, strict=True):
        label = client.get(f"/badges/services/{key}/status.json").json["label"]
        # A badge is one line, whose words nothing turns around.
        assert not re.search("[\r\n\u202a-\u202e\u2066-\u2069]", label)
        assert label[0] == text[0]


def test_nothing_is_computed_from_a_text(client: FlaskClient, hostile: dict[str, Collection[Any]]) -> None:
    for path in ("/health/status-page/", "/health/status-page/feed.atom", "/health/status-page/maintenance.ics"):
        text = client.get(path).text
        assert "{{7*7}} {% raw %} ${7*7} #{7*7}" in text
        assert "49 {%" not in text
