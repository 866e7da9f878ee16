"""What people are told: texts with placeholders, as plain text and as HTML.

Nothing here is a template engine. One pass of one pattern puts values in the place of known names; whatever else is in
braces, and whatever a value holds, comes out as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from statusapp.domain.enums import Severity, Transition
from statusapp.domain.instants import SECOND, from_us

PLACEHOLDERS = {
    "name": "what it is about",
    "status": "the status of the service in words, or how severe it is",
    "severity": "info, warning or critical",
    "kind": "what is watched for, in words",
    "since": "when it began",
    "until": "when it was over; when maintenance ends by the plan",
    "at": "when this was found",
    "lasted": "how long it has lasted",
    "found": "the newest finding, with the value",
    "still": "still down, still slow ...",
    "affected": "the services that need this one",
    "acknowledged_by": "who has acknowledged it",
    "note": "what was noted then; what is planned, if it is maintenance",
    "link": "the address of the status page",
    "admin": "the address of the operator's pages",
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_NOT_SHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]")
TITLE_LENGTH = 250
NAMES_IN_TITLE = 3

_STATUS_WORDS = {
    "unknown": "Unknown",
    "operational": "Operational",
    "degraded": "Degraded Performance",
    "partial_outage": "Partial Outage",
    "major_outage": "Major Outage",
    "maintenance": "Under Maintenance",
}
_KIND_WORDS = {
    "down": ("Service down", "still down"),
    "slow": ("Slow service", "still slow"),
    "check_errors": ("Failing checks", "still failing"),
    "request_errors": ("Failing requests", "still failing"),
    "requests_slow": ("Slow requests", "still slow"),
    "new_error": ("New error", "still there"),
    "cpu": ("CPU load", "still busy"),
    "memory": ("Memory", "still short of memory"),
    "disk": ("Disk space", "still full"),
    "load": ("Load", "still overloaded"),
    "certificate": ("Certificate", "still about to expire"),
    "heartbeat_late": ("Late heartbeat", "still late"),
    "monitor": ("The monitor itself", "still in trouble"),
    "maintenance": ("Maintenance", "still going on"),
}
_PHASE_WORDS = {
    "announced": "is planned from {since} to {end}",
    "started": "has begun, and is planned until {until}",
    "ended": "is over",
    "cancelled": "has been called off, which was planned from {since} to {end}",
}
_NO_BAD_NEWS = (Transition.RESOLVED, Transition.REPORT, Transition.TEST, Transition.MAINTENANCE)
_COLOURS = {"fired": "#b91c1c", "warned": "#a16207", "resolved": "#15803d", "other": "#334155"}


@dataclass(frozen=True, slots=True)
class Texts:
    """The words for one kind of message: a line that must do alone, and what follows it."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell. `created_at` is in microseconds; `key` names it for whoever gets it twice."""

    key: str
    transition: Transition
    severity: Severity
    created_at: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a channel. `brief` is `text` without what a place with little room can do without."""

    batch: str
    title: str
    text: str
    html: str
    brief: str
    severity: Severity
    is_good_news: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every message has in common: the zone of its times, where the page is, the operator's own texts."""

    zone: ZoneInfo
    public_url: str
    texts: Mapping[Transition, Texts]


_FACTS = """\
What: {kind}
Found: {found}
Since: {since}
Severity: {severity}
Needed by: {affected}
Acknowledged by: {acknowledged_by}
Note: {note}

Status page: {link}"""
DEFAULTS = {
    Transition.FIRED: Texts(
        "[{status}] {name}: {found}, since {since} ({lasted})", f"{_FACTS}\nAcknowledge it: {{admin}}"
    ),
    Transition.REMINDED: Texts(
        "[{status}] {name} {still} for {lasted}: {found}", f"{_FACTS}\nAcknowledge it: {{admin}}"
    ),
    Transition.RESOLVED: Texts(
        "[Recovered] {name} after {lasted}",
        "What: {kind}\nWas: {found}\nFrom: {since}\nUntil: {until}\n\nStatus page: {link}",
    ),
    Transition.FLAPPING: Texts(
        "[Flapping] {name} goes up and down: {found}",
        f"No more is said of it until it has settled.\n\n{_FACTS}",
    ),
    Transition.REPORT: Texts("{name}", "{found}\n\nStatus page: {link}"),
    Transition.TEST: Texts(
        "[Test] {name}: messages of this channel arrive", "Nothing is wrong. Somebody has tried this channel at {at}."
    ),
    Transition.MAINTENANCE: Texts(
        "[Maintenance] {name} {found}",
        "For: {affected}\nFrom: {since}\nUntil: {until}\nNote: {note}\n\nStatus page: {link}",
    ),
}


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with values in the place of known placeholders, in one pass: a value is never looked at again."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def unknown_placeholders(text: str) -> list[str]:
    """What looks like a placeholder and is none, in the order of the text."""
    return [f"{{{name}}}" for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name not in PLACEHOLDERS]


def one_line(text: str, longest: int = TITLE_LENGTH) -> str:
    """`text` on one line and not too long: nothing in it can begin a mail header of its own."""
    line = " ".join(_NOT_SHOWN.sub(" ", text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def lasted(microseconds: int) -> str:
    """A span as people say it: 45 s, 3 min, 2 h 5 min, 3 d 4 h."""
    seconds = max(microseconds, 0) // SECOND
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def values_of(event: Event, around: Surroundings) -> dict[str, str]:
    """The value of each placeholder for an event. What is not known is empty."""
    data = event.data
    at = _instant(data.get("resolved_at")) or _instant(data.get("at")) or event.created_at
    since = _instant(data.get("since")) or _instant(data.get("fired_at")) or at
    span = _instant(data.get("lasted_us"))
    kind, still = _KIND_WORDS.get(str(data.get("kind")), ("Alert", "still going on"))
    status = _STATUS_WORDS.get(str(data.get("status")), event.severity.word.capitalize())
    affected = data.get("affected")
    values = {
        "name": _text(data.get("name")) or event.key,
        "status": status,
        "severity": event.severity.word,
        "kind": kind,
        "since": _moment(since, at, around.zone),
        "until": _moment(at, None, around.zone) if event.transition is Transition.RESOLVED else "",
        "at": _moment(at, None, around.zone),
        "lasted": lasted(at - since if span is None else span),
        "found": _text(data.get("found")),
        "still": still,
        "affected": ", ".join(map(str, affected)) if isinstance(affected, list) else "",
        "acknowledged_by": _text(data.get("acknowledged_by")),
        "note": _text(data.get("note")),
        "link": f"{around.public_url}/health/status-page/",
        "admin": f"{around.public_url}/admin/",
    }
    return values | _planned(data, around.zone) if event.transition is Transition.MAINTENANCE else values


def compose(events: Sequence[Event], batch: str, around: Surroundings) -> Message:
    """One message that tells of all events, each by name."""
    if len(events) == 1:
        title, text, html = _single(events[0], around)
        given = events[0].data.get("brief")
        brief = f"{given}\n\n{_link(around)}" if events[0].transition is Transition.REPORT and given else text
        return _message(events, batch, title, text, html, brief)
    titles = [title_of(event, around) for event in events]
    title = _digest_title(events, around)
    text = "\n".join([title, "", *(f"- {line}" for line in titles), "", f"Status page: {_link(around)}"])
    rows = "".join(_row(event, line) for event, line in zip(events, titles, strict=True))
    reports = [event.data for event in events if event.transition is Transition.REPORT and event.data.get("text")]
    text += "".join(f"\n\n\n{data['text']}" for data in reports)
    inner = f'<ul style="padding:0">{rows}</ul>{_html_link(around)}'
    inner += "".join(_html_report(data, with_title=True) for data in reports)
    html = _page(title, _colour(events[0]), inner)
    return _message(events, batch, title, text, html, _brief(title, events, around))


def title_of(event: Event, around: Surroundings) -> str:
    """The line that tells of an event when there is no other."""
    given = event.data.get("title")
    if event.transition is Transition.REPORT and given:
        return one_line(str(given))
    texts = around.texts.get(event.transition) or DEFAULTS[event.transition]
    return one_line(_without_gaps(fill(texts.title, values_of(event, around))))


def _row(event: Event, line: str) -> str:
    style = f"margin:4px 0;border-left:4px solid {_colour(event)};padding-left:8px;list-style:none"
    return f'<li style="{style}">{escape(line)}</li>'


def _message(events: Sequence[Event], batch: str, title: str, text: str, html: str, brief: str) -> Message:
    good = all(event.transition in _NO_BAD_NEWS for event in events)
    return Message(batch, title, text, html, brief, max(event.severity for event in events), good, tuple(events))


def _single(event: Event, around: Surroundings) -> tuple[str, str, str]:
    """Title, text and HTML of one event. A report brings its own."""
    title, data = title_of(event, around), event.data
    if event.transition is Transition.REPORT and data.get("text"):
        text = f"{data['text']}\n\nStatus page: {_link(around)}"
        inner = _html_report(data, with_title=False) + _html_link(around)
        return title, text, _page(title, _COLOURS["other"], inner)
    own = around.texts.get(event.transition)
    values = values_of(event, around)
    body = (own or DEFAULTS[event.transition]).body
    if own is None:
        # Of the product's own text, lines go that have nothing to say.
        body = "\n".join(line for line in body.split("\n") if not _is_empty(line, values))
    plain = fill(body, values)
    filled = fill(escape(body, quote=False), {name: _html_value(value) for name, value in values.items()})
    html = _page(title, _colour(event), f"<p>{filled.replace(chr(10), '<br>')}</p>")
    return title, f"{title}\n\n{plain}", html


def _html_report(data: Mapping[str, Any], *, with_title: bool) -> str:
    """A report as a piece of HTML, which it brings along, or else its text."""
    heading = f'<h1 style="font-size:17px;margin:24px 0 4px">{escape(str(data.get("title") or ""))}</h1>'
    return (heading if with_title else "") + (str(data.get("html") or "") or _paragraph(str(data["text"])))


def _is_empty(line: str, values: Mapping[str, str]) -> bool:
    names = _PLACEHOLDER.findall(line)
    return bool(names) and not any(values.get(name) for name in names)


def _without_gaps(line: str) -> str:
    """A line in which a value was empty, without the sign that was to part it from the next."""
    return line.replace(": ,", ",").removesuffix(": ").removesuffix(":")


def _digest_title(events: Sequence[Event], around: Surroundings) -> str:
    """As in: [Major Outage] 3, [Recovered] 1: User Login, API Root, Orders and 1 more."""
    counts: dict[str, int] = {}
    for event in sorted(events, key=lambda event: (event.transition is Transition.RESOLVED, -event.severity)):
        label = _label(event)
        counts[label] = counts.get(label, 0) + 1
    names = list(dict.fromkeys(values_of(event, around)["name"] for event in events))
    shown = ", ".join(names[:NAMES_IN_TITLE]) + (
        f" and {len(names) - NAMES_IN_TITLE} more" if len(names) > NAMES_IN_TITLE else ""
    )
    return one_line(f"{', '.join(f'[{label}] {count}' for label, count in counts.items())}: {shown}")


def _label(event: Event) -> str:
    if event.transition is Transition.RESOLVED:
        return "Recovered"
    if event.transition is Transition.FLAPPING:
        return "Flapping"
    if event.transition in (Transition.REPORT, Transition.MAINTENANCE):
        return event.transition.word.capitalize()
    return _STATUS_WORDS.get(str(event.data.get("status")), event.severity.word.capitalize())


def _brief(title: str, events: Sequence[Event], around: Surroundings) -> str:
    """The names alone, by what is said of them."""
    named: dict[str, list[str]] = {}
    for event in events:
        named.setdefault(_label(event), []).append(one_line(values_of(event, around)["name"]))
    lines = [f"[{label}] {', '.join(names)}" for label, names in named.items()]
    return "\n".join([title, "", *lines, "", _link(around)])


def _page(title: str, colour: str, inner: str) -> str:
    return (
        '<!doctype html><html><body style="font:15px/1.5 system-ui,sans-serif;color:#111827;max-width:640px">'
        f'<h1 style="font-size:17px;border-left:4px solid {colour};padding-left:8px">{escape(title)}</h1>'
        f"{inner}</body></html>"
    )


def _colour(event: Event) -> str:
    if event.transition is Transition.RESOLVED:
        return _COLOURS["resolved"]
    if event.transition in _NO_BAD_NEWS:
        return _COLOURS["other"]
    return _COLOURS["fired" if event.severity is Severity.CRITICAL else "warned"]


def _paragraph(text: str) -> str:
    return f'<pre style="font:inherit;white-space:pre-wrap">{escape(text)}</pre>'


def _html_value(value: str) -> str:
    shown = escape(value)
    if re.fullmatch(r"https?://[^\s<>\"']+", value):
        return f'<a href="{shown}">{shown}</a>'
    return shown


def _link(around: Surroundings) -> str:
    return f"{around.public_url}/health/status-page/"


def _html_link(around: Surroundings) -> str:
    return f"<p>Status page: {_html_value(_link(around))}</p>"


def _moment(instant: int, beside: int | None, zone: ZoneInfo) -> str:
    """A time in the page's zone, with its day unless that is the same as of the time `beside` it."""
    local = from_us(instant).astimezone(zone)
    if beside is not None and from_us(beside).astimezone(zone).date() == local.date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"


def _planned(data: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """What is different about maintenance: its times are those of the plan."""
    start, end = _instant(data.get("starts_at")), _instant(data.get("ends_at"))
    if start is None or end is None:
        return {}
    values = {"since": _moment(start, None, zone), "until": _moment(end, None, zone), "lasted": lasted(end - start)}
    words = _PHASE_WORDS.get(str(data.get("phase")), "")
    return values | {"found": fill(words, values | {"end": _moment(end, start, zone)})}


def _instant(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    """`value` as text that can be written anywhere: no control characters, no halves of characters."""
    text = "" if value is None else str(value).encode("utf-8", "replace").decode()
    return _NOT_SHOWN.sub(" ", text)
