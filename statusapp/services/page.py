"""The settings of the status page: what can be used, and putting it into effect."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.colors import (
    DARK_SURFACES,
    ENOUGH,
    LIGHT_SURFACES,
    least_contrast,
    nearest_readable,
    normal_color,
)
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import InvalidInput
from statusapp.domain.strips import STRIP_DAYS
from statusapp.extensions import db
from statusapp.models import StatusPageSettings
from statusapp.queries.page_settings import PageSettings
from statusapp.services import audit

THEMES = ("auto", "light", "dark")
REFRESH_S = (5, 3600)
HISTORY_DAYS = (7, STRIP_DAYS)
LONGEST = {"title": 200, "description": 1000, "footer": 2000, "support_url": 2000, "announcement": 2000}
MAX_LOGO_BYTES = 64 * 1024
COLORS = ("primary_color", "success_color", "warning_color", "danger_color")

# How each kind of image begins.
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


def page_zone() -> ZoneInfo:
    """The time zone in which days are cut and times are shown."""
    name = db.session.scalar(select(StatusPageSettings.time_zone))
    return ZoneInfo(name or "UTC")


def logo_from(content: bytes) -> str:
    """An uploaded image (PNG, JPEG, GIF, WebP or SVG, at most 64 KiB) as `PageSettings.logo` keeps it.

    Raises:
        InvalidInput: when it is none of these, or too large.
    """
    if len(content) > MAX_LOGO_BYTES:
        size = len(content) // 1024 + 1
        raise InvalidInput("logo", f"The image has {size} KiB; at most {MAX_LOGO_BYTES // 1024} KiB can be used.")
    kind = next((kind for start, kind in _IMAGES if content.startswith(start)), None)
    if kind == "image/webp" and content[8:12] != b"WEBP":
        kind = None
    if kind is None and b"<svg" in content[:1024].lower():
        kind = "image/svg+xml"
    if kind is None:
        raise InvalidInput("logo", "This is no image that can be used. PNG, JPEG, GIF, WebP and SVG can be.")
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def normal_settings(settings: PageSettings) -> PageSettings:
    """The same with texts trimmed and colours as "#rrggbb"; what is no colour is left for `page_problems` to tell."""
    changes: dict[str, Any] = {name: getattr(settings, name).strip() for name in LONGEST}
    changes |= {name: normal_color(getattr(settings, name)) or getattr(settings, name).strip() for name in COLORS}
    return replace(settings, **changes)


def page_problems(settings: PageSettings) -> dict[str, str]:
    """What is wrong with settings, by field, in words that say what would be right; empty when nothing is."""
    problems = {
        name: f"Use at most {longest} characters; these are {len(getattr(settings, name))}."
        for name, longest in LONGEST.items()
        if len(getattr(settings, name)) > longest
    }
    if not settings.title:
        problems["title"] = "Enter a title."
    if settings.support_url and not is_link(settings.support_url):
        problems["support_url"] = "Enter an address that begins with https://, http:// or mailto:."
    if settings.time_zone not in available_timezones():
        problems["time_zone"] = "Enter a zone of the IANA list, such as Europe/Berlin or UTC."
    if settings.theme not in THEMES:
        problems["theme"] = f"Choose one of {', '.join(THEMES)}."
    for name, (least, most) in {"refresh_interval_s": REFRESH_S, "history_days": HISTORY_DAYS}.items():
        if not least <= getattr(settings, name) <= most:
            problems[name] = f"Enter a number from {least} to {most}."
    for name in COLORS:
        problem = _color_problem(getattr(settings, name), settings.theme)
        if problem:
            problems[name] = problem
    return problems


def update_page_settings(settings: PageSettings, *, actor: Actor = SYSTEM) -> None:
    """Put settings into effect.

    Raises:
        InvalidInput: with the first of `page_problems`.
    """
    settings = normal_settings(settings)
    for field, message in page_problems(settings).items():
        raise InvalidInput(field, message)
    with write_transaction(db.session) as session:
        row = session.get(StatusPageSettings, 1) or StatusPageSettings(id=1)
        before = {name: getattr(row, name) for name in asdict(settings)}
        for name, value in asdict(settings).items():
            setattr(row, name, value)
        session.add(row)
        audit.record(
            session, actor, AuditAction.CHANGED, AuditKind.PAGE, None, "Status page", utcnow(), before, asdict(settings)
        )


def _color_problem(color: str, theme: str) -> str | None:
    """A colour has to be readable on the surfaces of the theme; for the others a nearer one is found by itself."""
    if not color:
        return None
    if normal_color(color) is None:
        return "Enter a colour such as #1d4ed8, or nothing for the theme's own."
    surfaces = DARK_SURFACES if theme == "dark" else LIGHT_SURFACES
    ratio = least_contrast(color, surfaces)
    if ratio >= ENOUGH:
        return None
    # Rounded down, lest 4.49 read as enough.
    return (
        f"On the page this colour has a contrast of {int(ratio * 10) / 10}:1; text needs {ENOUGH}:1. "
        f"The nearest that has it is {nearest_readable(color, surfaces)}."
    )


def is_link(address: str) -> bool:
    """Whether an address can be a link of a page: http, https or mailto."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if not address.isprintable() or " " in address:
        return False
    return bool(parts.hostname) if parts.scheme in ("http", "https") else parts.scheme == "mailto" and bool(parts.path)
