"""How the status page presents itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from zoneinfo import ZoneInfo

from statusapp.extensions import db
from statusapp.models import StatusPageSettings


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The settings of the page, named as the columns are. A colour is "#rrggbb", or empty for the theme's own.

    `logo` is a data: URI or empty; `theme` is auto, light or dark; `history_days` are the days of a service's bars.
    """

    title: str
    description: str
    time_zone: str
    refresh_interval_s: int
    logo: str
    theme: str
    primary_color: str
    success_color: str
    warning_color: str
    danger_color: str
    shows_response_times: bool
    shows_uptime: bool
    shows_incidents: bool
    shows_metrics: bool
    history_days: int
    footer: str
    support_url: str
    announcement: str
    is_indexed: bool

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days are cut and times are shown."""
        return ZoneInfo(self.time_zone)


def load_page_settings() -> PageSettings:
    """The settings of the page, or the model's own defaults before the row exists."""
    row = db.session.get(StatusPageSettings, 1)
    names = [field.name for field in fields(PageSettings)]
    if row is not None:
        return PageSettings(**{name: getattr(row, name) for name in names})
    columns = StatusPageSettings.__table__.c
    return PageSettings(**{name: columns[name].default.arg for name in names})
