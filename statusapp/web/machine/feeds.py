"""Incidents as Atom (RFC 4287) and as RSS 2.0. An entry keeps its id for ever and changes with its incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup, escape

from statusapp.domain.incidents import IMPACT_WORDS, STATUS_WORDS
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.incidents import IncidentView
from statusapp.queries.page_settings import PageSettings
from statusapp.services.markdown import render_markdown
from statusapp.web import wording
from statusapp.web.machine.addresses import incident_url, public_url, tag_uri
from statusapp.web.machine.statuspage import last_told
from statusapp.web.machine.texts import one_line, writable
from statusapp.web.times import Times

ATOM = "http://www.w3.org/2005/Atom"
RSS_TYPE, ATOM_TYPE = "application/rss+xml", "application/atom+xml"
# Readers that ask less often than they want to are told so in minutes.
TTL_MINUTES = 5
# A feed must say when it last changed, also when nothing was ever in it.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Story:
    """What both formats tell."""

    settings: PageSettings
    incidents: Sequence[IncidentView]

    @property
    def changed_at(self) -> datetime:
        """When anything of it last changed."""
        return max((last_told(incident) for incident in self.incidents), default=NEVER)


def atom(story: Story) -> bytes:
    """The feed as Atom."""
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _add(feed, "id", tag_uri("incidents"))
    _add(feed, "title", _title(story))
    _add(feed, "subtitle", one_line(story.settings.description))
    _add(feed, "updated", wording.iso(story.changed_at))
    SubElement(feed, "link", {"rel": "self", "type": ATOM_TYPE, "href": public_url("machine.atom_feed")})
    SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": public_url("status.page")})
    _add(SubElement(feed, "author"), "name", one_line(story.settings.title) or "Status")
    times = Times(story.settings.zone)
    for incident in story.incidents:
        entry = SubElement(feed, "entry")
        link = incident_url(incident.id)
        _add(entry, "id", tag_uri("incidents", incident.id))
        _add(entry, "title", one_line(incident.title))
        _add(entry, "published", wording.iso(incident.started_at))
        _add(entry, "updated", wording.iso(last_told(incident)))
        SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": link})
        for term, label in _categories(incident):
            SubElement(entry, "category", {"term": term, "label": label})
        _add(entry, "content", _content(incident, times), {"type": "html"})
    return _written(feed)


def rss(story: Story) -> bytes:
    """The feed as RSS."""
    root = Element("rss", {"version": "2.0", "xmlns:atom": ATOM})
    channel = SubElement(root, "channel")
    _add(channel, "title", _title(story))
    _add(channel, "link", public_url("status.page"))
    # Some readers take it for HTML, as they have to take the descriptions of items.
    _add(channel, "description", str(escape(one_line(story.settings.description) or _title(story))))
    _add(channel, "language", "en")
    _add(channel, "lastBuildDate", format_datetime(story.changed_at, usegmt=True))
    _add(channel, "ttl", str(TTL_MINUTES))
    SubElement(channel, "atom:link", {"rel": "self", "type": RSS_TYPE, "href": public_url("machine.rss_feed")})
    times = Times(story.settings.zone)
    for incident in story.incidents:
        item = SubElement(channel, "item")
        _add(item, "title", one_line(incident.title))
        _add(item, "link", incident_url(incident.id))
        _add(item, "guid", tag_uri("incidents", incident.id), {"isPermaLink": "false"})
        _add(item, "pubDate", format_datetime(incident.started_at, usegmt=True))
        for _, label in _categories(incident):
            _add(item, "category", label)
        _add(item, "description", _content(incident, times))
    return _written(root)


def _title(story: Story) -> str:
    return f"{one_line(story.settings.title)}: incidents"


def _categories(incident: IncidentView) -> list[tuple[str, str]]:
    return [
        (incident.status.word, STATUS_WORDS[incident.status]),
        (incident.impact.word, IMPACT_WORDS[incident.impact]),
    ]


def _content(incident: IncidentView, times: Times) -> str:
    """What was said, the newest first, as HTML in which nothing runs."""
    parts = []
    if incident.affected:
        names = ", ".join(f"{one_line(found.name)} ({STATUS_LABELS[found.status]})" for found in incident.affected)
        parts.append(Markup("<p>Affected: {}</p>").format(names))
    for entry in incident.updates:
        word = "Update" if entry.status is None else STATUS_WORDS[entry.status]
        body = Markup(render_markdown(entry.body))  # noqa: S704 - it comes out of the sanitiser
        told = Markup("<p><strong>{}</strong>, {}</p>\n{}")
        parts.append(told.format(word, times.exact(entry.created_at), body))
    return str(Markup("\n").join(parts))


def _add(parent: Element, name: str, text: str | None, attributes: dict[str, str] | None = None) -> None:
    SubElement(parent, name, attributes or {}).text = writable(text or "")


def _written(root: Element) -> bytes:
    found: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return found
