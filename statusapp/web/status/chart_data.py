"""The charts of the public pages: what is drawn, what the table below says, and what is shaded in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from statusapp.domain.enums import Impact
from statusapp.queries.incidents import IncidentView
from statusapp.queries.maintenance import MaintenanceView
from statusapp.queries.series import Series
from statusapp.queries.status_page import StatusPage
from statusapp.web import wording

# The theme's colour that an incident is shaded in.
IMPACT_COLORS = {
    Impact.NONE: "unknown",
    Impact.MINOR: "degraded",
    Impact.MAJOR: "partial_outage",
    Impact.CRITICAL: "major_outage",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, the theme's colour for it, a value and its words per point (None is a gap)."""

    name: str
    color: str
    values: Sequence[float | None]
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and its table. `unit` is what the axis is in."""

    title: str
    unit: str
    starts: Sequence[datetime]
    lines: Sequence[Line]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(value is None for line in self.lines for value in line.values)


@dataclass(frozen=True, slots=True)
class Band:
    """A time that is shaded in: an incident or maintenance, cut to the chart."""

    title: str
    color: str
    start: datetime
    end: datetime


def service_charts(series: Series, *, is_timed: bool, with_times: bool, with_uptime: bool) -> list[Chart]:
    """The charts of a service over a span: response time where there is one, uptime, error rate."""
    charts = []
    if is_timed and with_times:
        lines = [
            line_of("Median", "primary", series.p50_us, wording.duration, 1e-6),
            line_of("95th percentile", "degraded", series.p95_us, wording.duration, 1e-6),
        ]
        charts.append(Chart("Response time", "s", series.starts, lines))
    if with_uptime:
        uptime = line_of("Uptime", "operational", series.uptime_percent, wording.uptime)
        charts.append(Chart("Uptime", "%", series.starts, [uptime]))
    errors = line_of("Failed checks", "major_outage", series.error_percent, wording.error_rate)
    return [*charts, Chart("Error rate", "%", series.starts, [errors])]


def page_charts(page: StatusPage) -> list[Chart]:
    """The charts of everything together over the last 24 hours, as far as there is anything to draw."""
    found = page.performance
    if not found.starts:
        return []
    charts = []
    if page.settings.shows_response_times:
        line = line_of("Mean", "primary", found.response_us.values, wording.duration, 1e-6)
        charts.append(Chart("Response time", "s", found.starts, [line]))
    if page.uptime_by_hour:
        line = line_of("Uptime", "operational", page.uptime_by_hour, wording.uptime)
        charts.append(Chart("Uptime", "%", found.starts, [line]))
    errors = line_of("Failed checks", "major_outage", found.errors.values, wording.error_rate)
    system = [
        line_of("CPU", "primary", found.cpu.values, wording.load),
        line_of("Memory", "partial_outage", found.memory.values, wording.load),
        line_of("Disk", "muted", found.disk.values, wording.load),
    ]
    charts.append(Chart("Error rate", "%", found.starts, [errors]))
    charts.append(Chart("System resources", "%", found.starts, system))
    return [chart for chart in charts if not chart.is_empty]


def bands_of(
    incidents: Iterable[IncidentView], works: Iterable[MaintenanceView], start: datetime, now: datetime
) -> list[Band]:
    """What is shaded in between `start` and `now`."""
    found = [
        Band(incident.title, IMPACT_COLORS[incident.impact], incident.started_at, incident.resolved_at or now)
        for incident in incidents
    ]
    found += [
        Band(work.title, "maintenance", work.started_at, work.ends_at if work.is_over else now)
        for work in works
        if work.started_at is not None
    ]
    return [
        Band(band.title, band.color, max(band.start, start), min(band.end, now))
        for band in found
        if band.end > start and band.start < now
    ]


def line_of(
    name: str,
    color: str,
    values: Sequence[float | None],
    words: Callable[[float | None], str],
    scale: float = 1.0,
) -> Line:
    """A line of a chart with the words of its table. What is drawn is the values times `scale`."""
    scaled = [None if value is None else round(value * scale, 6) for value in values]
    return Line(name, color, scaled, [words(value) for value in values])
