"""The form of the page's settings."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField

from statusapp.domain.enums import IncidentMode
from statusapp.queries.page_settings import PageSettings
from statusapp.services.page import THEMES
from statusapp.web.admin.fields import ChoiceField, LongTextField, Storable, WholeNumberField

_TEXT = [Storable()]
_MODES = (
    (IncidentMode.OFF.word, "Open no incident"),
    (IncidentMode.DRAFT.word, "Open a draft"),
    (IncidentMode.PUBLIC.word, "Open an incident that the public sees"),
)
_THEME_WORDS = {"auto": "As the reader's system has it", "light": "Light", "dark": "Dark"}
_COLOR = "As in #1d4ed8; left empty, it is the theme's own."


def _color_field(label: str, usual: str) -> StringField:
    """The field of a colour; the theme's own is shown while it is empty."""
    return StringField(label, _TEXT, description=_COLOR, render_kw={"placeholder": usual})


SECTIONS = (
    ("What it says", ("title", "description", "announcement", "footer", "support_url")),
    (
        "What it shows",
        ("shows_uptime", "shows_response_times", "shows_incidents", "shows_metrics", "history_days", "is_indexed"),
    ),
    (
        "How it looks",
        ("theme", "logo", "clears_logo", "primary_color", "success_color", "warning_color", "danger_color"),
    ),
    ("Time", ("time_zone", "refresh_interval_s")),
)


class PageForm(FlaskForm):  # type: ignore[misc]
    """The settings of the page, named as in `PageSettings`."""

    title = StringField("Title", _TEXT)
    description = StringField("Description", _TEXT, description="One line under the title.")
    announcement = LongTextField("Announcement", _TEXT, description="Markdown, above everything; empty for none.")
    footer = LongTextField("Footer", _TEXT, description="Markdown, below everything.")
    support_url = StringField("Support address", _TEXT, description="Where people find help: https:// or mailto:.")
    shows_uptime = BooleanField("Uptime", description="The bars of the last days, and percentages.")
    shows_response_times = BooleanField("Response times")
    shows_incidents = BooleanField("Past incidents")
    shows_metrics = BooleanField("System performance", description="CPU, memory, answers and errors of the last day.")
    history_days = WholeNumberField("Days of the bars", _TEXT, description="From 7 to 90.")
    is_indexed = BooleanField("Search engines may list the page")
    theme = ChoiceField("Theme", choices=[(name, _THEME_WORDS[name]) for name in THEMES])
    logo = FileField("Logo", description="PNG, JPEG, GIF, WebP or SVG, up to 64 KiB. Without a new one, it stays.")
    clears_logo = BooleanField("Without a logo")
    primary_color = _color_field("Main colour", "#1d4ed8")
    success_color = _color_field("Colour of “operational”", "#15803d")
    warning_color = _color_field("Colour of “degraded”", "#a16207")
    danger_color = _color_field("Colour of “outage”", "#b91c1c")
    time_zone = StringField("Time zone", _TEXT, description="An IANA name such as Europe/Berlin. Days are cut in it.")
    refresh_interval_s = WholeNumberField("Refreshed every (seconds)", _TEXT, description="From 5 to 3600.")


class ModesForm(FlaskForm):  # type: ignore[misc]
    """What alerts do about incidents by themselves."""

    critical = ChoiceField("Critical alerts", choices=_MODES)
    warning = ChoiceField("Warnings", choices=_MODES, description="An incident names public services only.")


def values_of(settings: PageSettings) -> dict[str, Any]:
    """What the form shows of settings."""
    return {name: value for name, value in asdict(settings).items() if name != "logo"}


def settings_of(form: PageForm, before: PageSettings, logo: str | None) -> PageSettings:
    """The settings that the form says. `logo` is an uploaded one; None keeps that of before."""
    names = [name for name in asdict(before) if name != "logo"]
    # A number that cannot be read has been told of; the one before stands in for it.
    values = {name: getattr(before, name) if form[name].data is None else form[name].data for name in names}
    if form.clears_logo.data:
        logo = ""
    return replace(before, **values, logo=before.logo if logo is None else logo)
