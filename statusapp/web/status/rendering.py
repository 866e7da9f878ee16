"""What all public pages have in common: the operator's settings, the reader's times, and leave to be kept a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, make_response, render_template, url_for

from statusapp.queries.page_settings import PageSettings
from statusapp.services.markdown import render_markdown
from statusapp.services.page import is_link
from statusapp.web import wording
from statusapp.web.charts import chart_script
from statusapp.web.status.day_strips import strip
from statusapp.web.status.events import as_html, listed
from statusapp.web.status.themes import theme_css, version_of
from statusapp.web.times import Times


@dataclass(frozen=True, slots=True)
class Dress:
    """Where the operator's colours and logo come from; None for none."""

    theme_address: str | None
    logo_address: str | None


def render_public(
    template: str, settings: PageSettings, now: datetime, *, dress: Dress | None = None, **values: Any
) -> Response:
    """A public page. It may be kept, but is asked for again each time.

    Args:
        dress: for settings that are not in effect, where their colours and logo come from.
    """
    dress = dress or _dress_of(settings)
    html = render_template(
        template,
        settings=settings,
        now=now,
        times=Times(settings.zone),
        wording=wording,
        theme_address=dress.theme_address,
        logo_address=dress.logo_address,
        # Whatever the database holds, what is no link of a page is none here.
        support_url=settings.support_url if is_link(settings.support_url) else "",
        announcement=as_html(render_markdown(settings.announcement)),
        footer=as_html(render_markdown(settings.footer)),
        chart_js=chart_script() if values.get("charts") else None,
        strip=strip,
        as_html=as_html,
        listed=listed,
        moment_of=datetime.fromisoformat,
        **values,
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _dress_of(settings: PageSettings) -> Dress:
    css = theme_css(settings)
    return Dress(
        url_for("status.theme", v=version_of(css)) if css else None,
        url_for("status.logo", v=version_of(settings.logo)) if settings.logo else None,
    )
