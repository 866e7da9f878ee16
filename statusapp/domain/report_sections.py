"""What a daily report says, as headings, lines and tables: the text and the HTML are two ways to write these down.

A report of version 1 has services alone; what a report does not have is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from statusapp.domain.instants import SECOND
from statusapp.domain.messages import lasted

NONE = "-"
ROWS_SHOWN = 20
Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Figures stand at its right; a wide one gives way where there is too little room."""

    name: str
    is_figure: bool = True
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with lines of prose and a table below it. `alarming` are the rows that somebody should look at."""

    heading: str
    lines: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: str = ""
    alarming: frozenset[int] = frozenset()


def sections_of(report: Report, most_services: int | None) -> list[Section]:
    """All that there is to say, at most so many services one by one."""
    zone = zone_of(report)
    found = [_services(report, most_services)]
    if "incidents" in report:
        found.append(_incidents(report["incidents"]))
    if report.get("requests"):
        found += _requests(report["requests"])
    if report.get("hosts"):
        found.append(_hosts(report["hosts"], zone))
    if "certificates" in report:
        found.append(_certificates(report["certificates"], zone))
    if "alerts" in report:
        found.append(_alerts(report["alerts"], zone))
    if "monitor" in report:
        found.append(_monitor(report["monitor"], zone))
    return [section for section in found if section.lines or section.rows]


def summary_of(report: Report) -> list[str]:
    """The few lines that do alone where there is little room."""
    services = report.get("services") or []
    if not services:
        return ["Nothing was monitored."]
    known = [service for service in services if service.get("uptime_percent") is not None]
    down = sorted((s for s in known if s.get("downtime_s")), key=lambda s: float(s["uptime_percent"]))
    lines = [f"{count(len(services), 'service')}: {_down(down, len(known), len(services))}"]
    parts = []
    requests = report.get("requests") or {}
    if requests.get("count"):
        parts.append(f"{requests['count']:,} requests with {share(requests.get('error_percent'))} errors")
    parts += [
        count(len(report[name]), word)
        for name, word in (("incidents", "incident"), ("certificates", "certificate due"))
        if report.get(name)
    ]
    unseen = (report.get("alerts") or {}).get("unacknowledged", 0)
    if unseen:
        parts.append(f"{count(unseen, 'alert')} that nobody acknowledged")
    return [*lines, "; ".join(parts) + "."] if parts else lines


def zone_of(report: Report) -> ZoneInfo:
    """The zone that the day was cut in."""
    try:
        return ZoneInfo(str(report.get("time_zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(text: str | None, zone: ZoneInfo, shape: str = "%H:%M") -> str:
    """An instant of a report in its zone."""
    if not text:
        return NONE
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(zone).strftime(shape)


def count(number: int, word: str) -> str:
    """A number of things."""
    if number == 1:
        return f"1 {word}"
    head, _, tail = word.partition(" ")
    return f"{number:,} {head}s{f' {tail}' if tail else ''}"


def share(percent: float | None) -> str:
    """A share that is 0 only when nothing was."""
    if percent is None:
        return NONE
    if percent == 0 or percent >= 100:
        return f"{percent:.0f} %"
    return "< 0.01 %" if percent < 0.01 else f"{percent:.2f} %"


def uptime(percent: float | None) -> str:
    """An uptime, rounded down: 100 only when there was no outage."""
    if percent is None:
        return NONE
    return "100 %" if percent >= 100 else f"{min(math.floor(round(percent * 100, 6)), 9999) / 100:.2f} %"


def duration(seconds: float | None) -> str:
    """A response time."""
    if seconds is None:
        return NONE
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:,.1f} s"


def span(seconds: float | None) -> str:
    """How long something lasted; nothing for no time at all."""
    return NONE if not seconds else lasted(round(seconds * SECOND))


def _down(down: Sequence[Report], known: int, services: int) -> str:
    if not known:
        return "nothing is known of the day."
    unknown = f", nothing is known of {services - known}" if known < services else ""
    if not down:
        return f"no downtime{unknown}."
    worst = down[0]
    return (
        f"{len(down)} down at times, {known - len(down)} not{unknown}. "
        f"Worst: {worst.get('name')} with {uptime(worst['uptime_percent'])} ({span(worst['downtime_s'])} down)."
    )


def _services(report: Report, most: int | None) -> Section:
    """The services, the worst first and otherwise in the order of the page."""
    services = sorted(report.get("services") or [], key=_badness)
    shown = services if most is None else services[:most]
    is_old = int(report.get("version", 1)) < 2
    times = ("Mean",) if is_old else ("p95", "Week", "Change")
    columns = (Column("Service", is_figure=False, is_wide=True), *map(Column, ("Uptime", "Down", "Errors", *times)))
    rows = tuple((*_service(service), *_times(service, is_old)) for service in shown)
    alarming = frozenset(number for number, service in enumerate(shown) if service.get("downtime_s"))
    hidden = services[len(shown) :]
    more = ""
    if hidden:
        clean = not any(service.get("downtime_s") for service in hidden)
        more = f"and {count(len(hidden), 'service')} more{', none of which was down' if clean else ''}"
    lines = () if is_old or not rows else ("p95 is the response time, beside that of the seven days before.",)
    return Section("Services", lines, columns, rows, more, alarming)


def _badness(service: Report) -> tuple[float, float]:
    percent = service.get("uptime_percent")
    if service.get("downtime_s"):
        return (float(percent or 0.0), 0.0)
    return (101.0 if percent is None else 100.5 if percent < 100 else 102.0, 0.0)


def _service(service: Report) -> tuple[str, ...]:
    checks, failures = service.get("checks") or 0, service.get("failures") or 0
    errors = share(100.0 * failures / checks) if checks else NONE
    return (
        str(service.get("name", "")), uptime(service.get("uptime_percent")), span(service.get("downtime_s")), errors,
    )  # fmt: skip


def _times(service: Report, is_old: bool) -> tuple[str, ...]:
    if is_old:
        return (duration(service.get("mean_response_s")),)
    now, before = service.get("p95_s"), service.get("week_p95_s")
    change = f"{100 * (now - before) / before:+.0f} %" if now is not None and before else NONE
    return duration(now), duration(before), change


def _incidents(incidents: Sequence[Report]) -> Section:
    columns = (
        Column("Incident", is_figure=False, is_wide=True), Column("Impact", is_figure=False),
        Column("Status", is_figure=False), Column("Lasted"),
    )  # fmt: skip
    rows = tuple(
        (
            f"{found['title']}{'' if found.get('is_public') else ' (draft)'}{_of(found.get('services') or [])}",
            str(found["impact"]),
            str(found["status"]).replace("_", " "),
            span(found.get("lasted_s")),
        )
        for found in incidents[:ROWS_SHOWN]
    )
    return Section("Incidents", () if rows else ("None.",), columns, rows, _more(incidents))


def _of(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f" ({', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''})"


def _requests(requests: Report) -> Iterable[Section]:
    if not requests.get("count"):
        return [Section("Requests", ("None were logged.",))]
    line = (
        f"{requests['count']:,} requests, {share(requests.get('error_percent'))} errors "
        f"({requests['failures']:,}), p50 {duration(requests.get('p50_s'))}, p95 {duration(requests.get('p95_s'))}."
    )
    applications = requests.get("services") or []
    return [
        Section("Requests", (line,), *_traffic("Application", applications, lambda found: str(found["name"]))),
        Section("Slowest routes", (), *_traffic("Route", requests.get("slowest") or [], _route)),
        Section("Routes with errors", (), *_traffic("Route", requests.get("failing") or [], _route)),
    ]


def _traffic(
    what: str, rows: Sequence[Report], name_of: Any
) -> tuple[tuple[Column, ...], tuple[tuple[str, ...], ...], str]:
    columns = (Column(what, is_figure=False, is_wide=True), *map(Column, ("Requests", "Errors", "p50", "p95")))
    cells = tuple(
        (
            name_of(row), f"{row['count']:,}", share(row.get("error_percent")), duration(row.get("p50_s")),
            duration(row.get("p95_s")),
        )
        for row in rows[:ROWS_SHOWN]
    )  # fmt: skip
    return columns, cells, _more(rows)


def _route(row: Report) -> str:
    return f"{row['method']} {row['route']} ({row['service']})"


def _hosts(hosts: Sequence[Report], zone: ZoneInfo) -> Section:
    columns = (
        Column("Host", is_figure=False, is_wide=True), *map(Column, ("CPU %", "Memory %", "Disk %", "Load", "Busiest")),
    )  # fmt: skip
    rows = tuple(
        (
            str(host["name"]),
            *(_figure(host.get(name) or {}) for name in ("cpu_percent", "memory_percent", "disk_percent", "load")),
            moment((host.get("cpu_percent") or {}).get("peak_hour"), zone),
        )
        for host in hosts[:ROWS_SHOWN]
    )
    lines = ("Mean and peak; the busiest hour is that of the CPU's peak.",)
    return Section("Hosts", lines, columns, rows, _more(hosts))


def _figure(found: Report) -> str:
    peak = found.get("peak")
    return NONE if peak is None else f"{found.get('mean') or 0:.1f} / {peak:.1f}"


def _certificates(certificates: Sequence[Report], zone: ZoneInfo) -> Section:
    columns = (Column("Service", is_figure=False, is_wide=True), Column("Ends"), Column("Days left"))
    rows = tuple(
        (str(found["name"]), moment(found["expires_at"], zone, "%Y-%m-%d %H:%M"), _days(int(found["days_left"])))
        for found in certificates[:ROWS_SHOWN]
    )
    alarming = frozenset(number for number, found in enumerate(certificates) if int(found["days_left"]) < 8)
    none = ("None end within 30 days.",)
    return Section("Certificates due", () if rows else none, columns, rows, _more(certificates), alarming)


def _days(left: int) -> str:
    return "expired" if left < 0 else str(left)


def _alerts(alerts: Report, zone: ZoneInfo) -> Section:
    fired: Mapping[str, int] = alerts.get("fired") or {}
    total = sum(fired.values())
    if not total:
        return Section("Alerts", ("None fired.",))
    kinds = ", ".join(f"{fired[word]:,} {word}" for word in ("critical", "warning", "info") if fired.get(word))
    unseen = alerts.get("unacknowledged") or 0
    line = f"{count(total, 'alert')} fired: {kinds}. "
    line += f"Nobody acknowledged {'any' if unseen == total else unseen} of them:" if unseen else "All acknowledged."
    columns = (
        Column("Fired", is_figure=False), Column("Alert", is_figure=False, is_wide=True), Column("Lasted"),
    )  # fmt: skip
    shown = (alerts.get("shown") or [])[:ROWS_SHOWN]
    rows = tuple(
        (
            moment(found["fired_at"], zone),
            f"{found['name']}: {found['found']}" if found.get("found") else str(found["name"]),
            span(found.get("lasted_s")) if found.get("resolved_at") else "goes on",
        )
        for found in shown
    )
    alarming = frozenset(number for number, found in enumerate(shown) if found.get("severity") == "critical")
    more = f"and {unseen - len(rows):,} more" if unseen > len(rows) else ""
    return Section("Alerts", (line,), columns, rows, more, alarming)


def _monitor(monitor: Report, zone: ZoneInfo) -> Section:
    """The monitor's own health: every line is a figure, so that a missing one is seen."""
    sent = monitor.get("deliveries") or {}
    worst, lost = monitor.get("worst_late_s"), monitor.get("requests_lost")
    unknown = span(monitor.get("unknown_s"))
    facts = [
        f"Checks made: {monitor.get('checks') or 0:,}.",
        f"Checks that began more than 5 s late: {_known(monitor.get('late_checks'))}"
        + (f" (worst {worst:.1f} s)." if worst is not None and monitor.get("late_checks") else "."),
        f"Checks that failed for reasons of our own: {_known(monitor.get('own_errors'))}.",
        "Time that nothing is known of: "
        + ("none." if unknown == NONE else f"{unknown} in {count(monitor.get('unknown_services') or 0, 'service')}."),
        f"Messages: {sent.get('sent', 0):,} sent, {sent.get('waiting', 0):,} waiting, "
        f"{sent.get('failed', 0):,} failing, {sent.get('gave_up', 0):,} given up.",
        f"Requests lost since the report before: {_known(lost)}.",
    ]
    errors = monitor.get("task_errors") or []
    columns = (
        Column("Failed", is_figure=False), Column("Task", is_figure=False),
        Column("Error", is_figure=False, is_wide=True),
    )  # fmt: skip
    rows = tuple(
        (moment(found["at"], zone), str(found["name"]).removesuffix("_task"), str(found["error"]))
        for found in errors[:ROWS_SHOWN]
    )
    return Section("The monitor itself", tuple(facts), columns, rows, _more(errors), frozenset(range(len(rows))))


def _known(number: int | None) -> str:
    return "not known" if number is None else f"{number:,}"


def _more(rows: Sequence[Any]) -> str:
    return f"and {len(rows) - ROWS_SHOWN:,} more" if len(rows) > ROWS_SHOWN else ""
