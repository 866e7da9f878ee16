"""Incidents and maintenance on the public page and in its JSON: first, safe, and public things only."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from config import CHART_JS_URL
from statusapp.database import write_transaction
from statusapp.domain.enums import Impact, IncidentStatus, Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import EndpointState, StatusPageSettings
from statusapp.queries.status_page import load_status_page
from statusapp.services import incident_updates as people
from statusapp.services import maintenance_plans as plans
from statusapp.services.incident_updates import IncidentDraft
from statusapp.services.maintenance import keep_maintenance
from statusapp.services.maintenance_plans import MaintenanceDraft
from statusapp.services.markdown import render_markdown
from tests.web.test_status_page import BROWSER, DATA, PAGE, counted_statements

ME = "ann@example.org"
MakeService = Callable[..., int]


def tell(now: datetime, title: str = "Payments are slow", body: str = "We are looking.", **values: Any) -> int:
    return people.open_incident(IncidentDraft(title, body, **values), ME, now)


def plan(now: datetime, start: datetime, title: str = "Updates", minutes: int = 60, **values: Any) -> int:
    draft = MaintenanceDraft(title, f"{start:%Y-%m-%dT%H:%M}", minutes * 60, zone="UTC", **values)
    return plans.plan_maintenance(draft, now)


def test_an_open_incident_stands_before_the_services(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    key = make_service("Shop", Status.DEGRADED)
    incident_id = tell(now - timedelta(minutes=9), "Payments are slow", "We **look**.", endpoint_ids=[key])
    people.add_update(incident_id, "Found.", ME, now - timedelta(minutes=2), IncidentStatus.IDENTIFIED)
    html = client.get(PAGE, headers=BROWSER).text
    card = html.split('<article class="card event"')[1].split("</article>")[0]
    assert html.index("<article") < html.index('id="services-title"')
    for expected in ("Payments are slow", 'data-impact="minor"', "Minor impact", "#icon-degraded", "Shop",
                     "<strong>look</strong>", "2 minutes ago"):  # fmt: skip
        assert expected in card
    assert card.index("Identified") < card.index("Investigating")
    assert ME not in html
    past = html.split('id="past-title"')[1]
    assert "Minor impact, not over yet" in past
    assert "No incidents reported" in past


def test_the_json_has_them_too(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    key = make_service("Shop", Status.MAJOR_OUTAGE)
    incident_id = tell(now, endpoint_ids=[key])
    (incident,) = client.get(DATA).json["incidents"]
    assert {name: incident[name] for name in ("id", "title", "status", "impact", "is_open", "resolved_at")} == {
        "id": incident_id, "title": "Payments are slow", "status": "investigating", "impact": "critical",
        "is_open": True, "resolved_at": None,
    }  # fmt: skip
    assert incident["affected"] == [
        {"id": key, "name": "Shop", "status": "major_outage", "status_text": "Major Outage"}
    ]
    (update,) = incident["updates"]
    assert (update["body"], update["html"], update["status_text"]) == (
        "We are looking.", "<p>We are looking.</p>\n", "Investigating",
    )  # fmt: skip
    assert set(update) == {"id", "status", "status_text", "body", "html", "at", "at_text"}


def test_drafts_and_private_services_are_nowhere(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    vault = make_service("Vault", is_public=False)
    tell(now, "Quiet thing", is_public=False)
    tell(now, "Loud thing", endpoint_ids=[vault, make_service("Shop")])
    plan(now, now + timedelta(hours=1), "Vault work", endpoint_ids=[vault])
    both = client.get(PAGE).text + client.get(DATA).text
    assert "Loud thing" in both
    for hidden in ("Quiet thing", "Vault"):
        assert hidden not in both


def test_what_is_over_stands_under_its_day(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    make_service()
    for days, title in ((1, "Yesterday's"), (13, "Old"), (15, "Too old")):
        incident_id = tell(now - timedelta(days=days), title)
        people.resolve_incident(incident_id, "Done.", ME, now - timedelta(days=days) + timedelta(minutes=25))
    html = client.get(PAGE).text
    past = html.split('data-part="past"')[1]
    assert "not over yet" not in past
    assert past.index("Yesterday&#39;s") < past.index("Old")
    assert "Too old" not in html
    assert "No impact, 25 minutes" in past
    assert f"{now - timedelta(days=1):%-d %B}" in past
    assert "<article" not in html
    assert [incident["is_open"] for incident in client.get(DATA).json["incidents"]] == [False, False]


def test_a_page_that_shows_no_incidents_shows_none_but_its_maintenance(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    make_service()
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, shows_incidents=False))
    tell(now, "Hidden")
    plan(now, now + timedelta(hours=1), covers_all=True)
    html = client.get(PAGE).text
    assert "Hidden" not in html + client.get(DATA).text
    assert "Updates" in html


def test_maintenance_is_planned_then_in_progress_then_past(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    key = make_service("Shop")
    window = plan(now - timedelta(minutes=5), now - timedelta(minutes=3), body="New *disks*.", endpoint_ids=[key])
    keep_maintenance(now)
    plan(now, now + timedelta(hours=2), "More", covers_all=True)
    html = client.get(PAGE).text
    one, two = (part.split("</article>")[0] for part in html.split("<article")[1:])
    assert "In progress" in one
    for expected in ("Updates", "<em>disks</em>", "Shop", "The maintenance has begun."):
        assert expected in one
    assert "Planned" in two
    assert "All services" in two
    data = client.get(DATA).json
    assert [item["state"] for item in data["maintenance"]] == ["in_progress", "upcoming"]
    assert data["services"][0]["status"] == "maintenance"
    assert data["headline"] == "Service Under Maintenance"
    plans.cancel_maintenance(window, now)
    past = client.get(PAGE).text.split('data-part="past"')[1]
    assert "Maintenance, called off" in past
    assert "The maintenance has been called off." in past


HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "<javascript:alert(1)>",
    "[x](JaVaScRiPt&#58;alert(1))", "[x](&#x6A;avascript:alert(1))", "[x](java\tscript:alert(1))", "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](file:///etc/passwd)", "[x](//evil.example)", "[x](/admin/)",
    "[x]: javascript:alert(1)\n\n[x]", "![x](https://evil.example/pixel.png)", "![x](javascript:alert(1))",
    '[x](https://e.example/"onmouseover="alert(1))', '[x](https://e.example "x\\" onmouseover=\\"alert(1)")',
    "<a href=javascript:alert(1)>x</a>", "<style>*{display:none}</style>", "<iframe src=//e></iframe>",
    "<svg onload=x>",
    "{{ 7*7 }} {% raw %}", "`<script>`", "```html\n<script>alert(1)</script>\n```", "<!-- --><script>",
    "&lt;script&gt;",
    "<details open ontoggle=alert(1)>", "</article></main><script>alert(1)</script>", "# <script>alert(1)</script>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "[a](https://e.example/<script>)",
]  # fmt: skip
KNOWN = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a", "h4", "h5", "h6"}


class Elements(HTMLParser):
    """What a browser would find in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_out_harmless(text: str) -> None:
    for tag, attributes in Elements(render_markdown(text)).found:
        assert tag in KNOWN
        assert set(attributes) <= ({"href", "title", "rel"} if tag == "a" else {"start"})
        if tag == "a":
            assert re.match(r"(https?:|mailto:)", attributes["href"] or "")
            assert attributes["rel"] == "nofollow noopener"


def test_a_page_full_of_hostility_runs_nothing(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    key = make_service()
    for number, text in enumerate(HOSTILE):
        tell(now - timedelta(seconds=number), text[:200], text, endpoint_ids=[key])
    plan(now, now + timedelta(hours=1), HOSTILE[1], body=HOSTILE[0], covers_all=True)
    html = client.get(PAGE, headers=BROWSER).text
    assert html.count("<article") == len(HOSTILE) + 1
    found = Elements(html).found
    assert not [attributes for _, attributes in found if any(name.startswith("on") for name in attributes)]
    assert {tag for tag, _ in found} & {"img", "iframe", "math", "style", "embed", "object"} == set()
    scripts = [attributes.get("src") or "" for tag, attributes in found if tag == "script"]
    assert all(address.startswith("/static/") or address == CHART_JS_URL for address in scripts)
    links = [attributes["href"] or "" for tag, attributes in found if tag == "a"]
    assert [link for link in links if not re.match(r"(https?://|mailto:|/|#)", link)] == []
    assert not re.search(r"\sstyle\s*=\s*[\"']", html)


def test_good_markdown_is_shown() -> None:
    html = render_markdown("# Why\n\n- [status](https://s.example) and <a@b.example>\n- *soon*\n\nline\nbreak `code`")
    for expected in (
        "<h4>Why</h4>",
        '<a href="https://s.example" rel="nofollow noopener">status</a>',
        '<a href="mailto:a@b.example" rel="nofollow noopener">',
        "<em>soon</em>",
        "line<br>",
        "<code>",
    ):
        assert expected in html


def test_the_page_costs_the_same_few_statements_with_all_of_them(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    keys = [make_service(f"Service {number}") for number in range(5)]
    for number in range(20):
        incident_id = tell(now - timedelta(hours=number), endpoint_ids=keys)
        if number % 2:
            people.resolve_incident(incident_id, "Done.", ME, now)
        plan(now, now + timedelta(hours=number + 1), endpoint_ids=keys)
    db.session.remove()
    with counted_statements() as statements:
        page = load_status_page(now, 0.3)
    assert len(statements) == 12
    assert (len(page.events.open_incidents), len(page.events.upcoming)) == (10, 20)
    for statement in statements:
        plan_of = db.session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", tuple([0] * statement.count("?"))
        )
        scanned = [row[3] for row in plan_of if row[3].startswith("SCAN")]
        for table in ("incident_update", "maintenance_update", "maintenance_occurrence", "incident_endpoint"):
            assert not any(re.search(rf"SCAN {table}$", line) for line in scanned), (statement, scanned)


def test_the_data_says_when_they_have_changed(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    key = make_service()

    def version() -> str:
        return str(client.get(DATA).json["events_version"])

    before = version()
    with write_transaction(db.session) as session:
        session.get_one(EndpointState, key).last_checked_at = to_us(now)
    assert version() == before
    incident_id = tell(now)
    opened = version()
    assert opened != before
    people.add_update(incident_id, "More.", ME, now)
    assert version() != opened
    people.change_incident(incident_id, people.IncidentChange(impact=Impact.MAJOR), now)
    html = client.get(PAGE).text
    assert f'data-events="{version()}"' in html
