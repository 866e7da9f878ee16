"""What all pages of operators have in common: the instant, the page's time zone and words for figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import render_template

from statusapp.clock import utcnow
from statusapp.domain.instants import from_us
from statusapp.domain.overall import STATUS_LABELS
from statusapp.services.markdown import render_markdown
from statusapp.services.page import page_zone
from statusapp.web import wording
from statusapp.web.admin.durations import duration_words
from statusapp.web.status.events import as_html
from statusapp.web.times import Times


def render_admin(template: str, *, now: datetime | None = None, times: Times | None = None, **values: Any) -> str:
    """A page of the admin area."""
    return render_template(
        template,
        now=now or utcnow(),
        times=times or Times(page_zone()),
        wording=wording,
        labels=STATUS_LABELS,
        from_us=from_us,
        duration_words=duration_words,
        markdown=lambda text: as_html(render_markdown(text)),
        **values,
    )
