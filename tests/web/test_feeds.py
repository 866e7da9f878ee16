"""The feeds of incidents: what a reader needs, ids that stay, and nothing sent twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.enums import IncidentStatus, Status
from statusapp.extensions import db
from statusapp.models import StatusPageSettings
from statusapp.services import incident_updates as people
from tests.web.test_incidents import ME, tell

ATOM, RSS = "/health/status-page/feed.atom", "/health/status-page/feed.rss"
NS = {"a": "http://www.w3.org/2005/Atom"}
MakeService = Callable[..., int]


def parsed(client: FlaskClient, path: str) -> ElementTree.Element:
    """A feed."""
    return ElementTree.fromstring(client.get(path).data)


def text_of(element: ElementTree.Element, path: str) -> str:
    """The text of an element that has to be there."""
    found = element.find(path, NS)
    assert found is not None, path
    return found.text or ""


def test_atom(client: FlaskClient, make_service: MakeService, settings: Settings, now: datetime) -> None:
    incident_id = tell(
        now - timedelta(hours=1), "Fees & charges", "We **look**.", endpoint_ids=[make_service("Shop", Status.DEGRADED)]
    )
    before = text_of(parsed(client, ATOM), "a:entry/a:id")
    people.add_update(incident_id, "Found <it>.", ME, now, IncidentStatus.IDENTIFIED)
    answer = client.get(ATOM)
    assert answer.content_type.startswith("application/atom+xml")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    feed = ElementTree.fromstring(answer.data)
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    links = {link.get("rel"): link.get("href") for link in feed.findall("a:link", NS)}
    assert links == {"self": settings.public_url + ATOM, "alternate": settings.public_url + "/health/status-page/"}
    assert text_of(feed, "a:title") == "Driver App Status: incidents"
    assert text_of(feed, "a:author/a:name") == "Driver App Status"
    (entry,) = feed.findall("a:entry", NS)
    assert text_of(entry, "a:id") == before
    assert re.fullmatch(rf"tag:127\.0\.0\.1,2026:[0-9a-f]{{12}}/incidents/{incident_id}", before)
    assert text_of(feed, "a:id") != before
    assert text_of(entry, "a:title") == "Fees & charges"
    assert text_of(feed, "a:updated") == text_of(entry, "a:updated") > text_of(entry, "a:published")
    link = entry.find("a:link", NS)
    assert link is not None
    assert link.get("href") == f"{settings.public_url}/health/status-page/incidents/{incident_id}/"
    content = entry.find("a:content", NS)
    assert content is not None
    assert content.get("type") == "html"
    html = content.text or ""
    assert html.index("Found &lt;it&gt;.") < html.index("We <strong>look</strong>.")
    assert "Shop (Degraded Performance)" in html
    assert ME not in html


def test_rss(client: FlaskClient, make_service: MakeService, settings: Settings, now: datetime) -> None:
    incident_id = tell(now - timedelta(hours=1), "Fees & charges", "We **look**.", endpoint_ids=[make_service("Shop")])
    answer = client.get(RSS)
    assert answer.content_type.startswith("application/rss+xml")
    root = ElementTree.fromstring(answer.data)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    channel = root.find("channel")
    assert channel is not None
    for name in ("title", "link", "description"):
        assert text_of(channel, name)
    self_link = channel.find("a:link", NS)
    assert self_link is not None
    assert self_link.get("href") == settings.public_url + RSS
    (item,) = channel.findall("item")
    guid = item.find("guid")
    assert guid is not None
    assert (guid.get("isPermaLink"), guid.text) == ("false", text_of(parsed(client, ATOM), "a:entry/a:id"))
    assert parsedate_to_datetime(text_of(item, "pubDate")) == (now - timedelta(hours=1)).replace(microsecond=0)
    assert text_of(item, "link").endswith(f"/incidents/{incident_id}/")
    assert "<strong>look</strong>" in text_of(item, "description")


@pytest.mark.parametrize("path", [ATOM, RSS])
def test_a_feed_is_sent_again_only_when_something_has_changed(client: FlaskClient, now: datetime, path: str) -> None:
    empty = client.get(path)
    assert empty.status_code == 200
    tell(now)
    first = client.get(path)
    assert first.headers["ETag"] != empty.headers["ETag"]
    assert parsedate_to_datetime(first.headers["Last-Modified"]) == now.replace(microsecond=0)
    for condition in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        assert client.get(path, headers=condition).status_code == 304


def test_drafts_are_in_no_feed_and_neither_is_anything_while_incidents_are_not_shown(
    client: FlaskClient, now: datetime
) -> None:
    tell(now, "Loud")
    tell(now, "Quiet", is_public=False)
    for path in (ATOM, RSS):
        body = client.get(path).text
        assert "Loud" in body
        assert "Quiet" not in body
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, shows_incidents=False))
    for path in (ATOM, RSS):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Loud" not in answer.text
