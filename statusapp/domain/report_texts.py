"""A daily report in words: a title, a text of at most 78 columns, HTML for mail.

Nothing that a name or an error holds is looked at as a placeholder, as markup or as a control character.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from html import escape

from statusapp.domain.report_sections import Column, Report, Section, moment, sections_of, summary_of, zone_of

WIDTH = 78
GAP = 2
NARROWEST = 12
WIDEST_FIGURE = 24
SERVICES_SHOWN = 100
# Controls, line separators, and what turns the direction of writing round.
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
# Short, because they stand in every cell, and mail programs cut off what is longer than 100 kB.
_CELL = "padding:3px 8px"
_ROW = "border-bottom:1px solid #e5e7eb;vertical-align:top"
_ALARM = ";color:#b91c1c;font-weight:600"


def title(report: Report) -> str:
    """The line that must do alone: which day, and whether anything was down."""
    services = report.get("services") or []
    down = sum(bool(service.get("downtime_s")) for service in services)
    day = clean(str(report.get("day", "")))
    if not services:
        return f"Daily report of {day}: nothing was monitored"
    known = sum(service.get("uptime_percent") is not None for service in services)
    told = f"{down} of {len(services)} services down at times" if down else "no downtime" if known else "nothing known"
    if report.get("is_whole", True):
        return f"Daily report of {day}: {told}"
    return f"Report of {day} until {moment(report.get('end'), zone_of(report))}: {told}"


def brief(report: Report) -> str:
    """Title and summary, for where there is little room."""
    return "\n".join([title(report), "", *map(clean, summary_of(report))])


def text(report: Report, most_services: int | None = SERVICES_SHOWN) -> str:
    """The report as plain text, title first.

    Args:
        most_services: how many services are told one by one, the worst first; None for all.
    """
    lines = [*_wrapped(title(report)), ""]
    for line in summary_of(report):
        lines += _wrapped(line)
    for section in sections_of(report, most_services):
        heading = section.heading.upper()
        lines += ["", heading, "-" * len(heading)]
        for line in section.lines:
            lines += _wrapped(line, "  ")
        if section.rows:
            lines += _table(section.columns, section.rows)
        if section.more:
            lines += _wrapped(section.more)
    lines += ["", *_wrapped(_footer(report))]
    return "\n".join(lines)


def html(report: Report, most_services: int | None = SERVICES_SHOWN) -> str:
    """The report as a piece of HTML, without its title; styles stand in the elements, for mail."""
    parts = [f'<p style="margin:8px 0">{"<br>".join(_shown(line) for line in summary_of(report))}</p>']
    for section in sections_of(report, most_services):
        parts.append(f'<h2 style="font-size:15px;margin:20px 0 4px">{_shown(section.heading)}</h2>')
        if section.lines:
            parts.append(f'<p style="margin:4px 0">{"<br>".join(map(_shown, section.lines))}</p>')
        if section.rows:
            parts.append(_html_table(section))
        if section.more:
            parts.append(f'<p style="margin:4px 0;color:#6b7280">{_shown(section.more)}</p>')
    parts.append(f'<p style="margin:20px 0 4px;color:#6b7280">{_shown(_footer(report))}</p>')
    return "".join(parts)


def clean(value: str) -> str:
    """`value` on one line, without characters that do something instead of being seen."""
    return " ".join(_NOT_SHOWN.sub(" ", value).split())


def width_of(value: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_width(character) for character in value)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(value: str, width: int) -> str:
    if width_of(value) <= width:
        return value
    kept, used = [], 0
    for character in value:
        used += _width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def _padded(value: str, width: int, is_figure: bool) -> str:
    room = " " * max(width - width_of(value), 0)
    return room + value if is_figure else value + room


def _wrapped(line: str, indent: str = "") -> list[str]:
    cleaned = clean(line)
    if width_of(cleaned) == len(cleaned):
        return textwrap.wrap(cleaned, WIDTH, subsequent_indent=indent) or [""]
    # Of wide characters half as many fit.
    return textwrap.wrap(cleaned, WIDTH // 2, subsequent_indent=indent)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[clean(cell) for cell in row] for row in ([column.name for column in columns], *rows)]
    widths = [max(width_of(row[number]) for row in cells) for number in range(len(columns))]
    widths = [
        width if column.is_wide else min(width, WIDEST_FIGURE) for column, width in zip(columns, widths, strict=True)
    ]
    rest = sum(width for column, width in zip(columns, widths, strict=True) if not column.is_wide)
    room = max(WIDTH - rest - GAP * (len(columns) - 1), NARROWEST)
    widths = [min(width, room) if column.is_wide else width for column, width in zip(columns, widths, strict=True)]
    return [
        (" " * GAP)
        .join(
            _padded(_cut(cell, width), width, column.is_figure)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        .rstrip()
        for row in cells
    ]


def _html_table(section: Section) -> str:
    head = "".join(f'<th style="{_CELL};{_side(column)}">{_shown(column.name)}</th>' for column in section.columns)
    rows = "".join(
        f'<tr style="{_ROW}">'
        + "".join(
            f'<td style="{_CELL};{_side(column)}{_ALARM if number in section.alarming else ""}">{_shown(cell)}</td>'
            for column, cell in zip(section.columns, row, strict=True)
        )
        + "</tr>"
        for number, row in enumerate(section.rows)
    )
    return (
        '<table style="border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums">'
        f'<tr style="{_ROW}">{head}</tr>{rows}</table>'
    )


def _side(column: Column) -> str:
    return "text-align:right" if column.is_figure else "text-align:left"


def _shown(value: str) -> str:
    return escape(clean(value))


def _footer(report: Report) -> str:
    zone = zone_of(report)
    if not report.get("start"):
        return f"Times are those of {zone.key}."
    shape = "%Y-%m-%d %H:%M %Z"
    begin, end = (moment(report[name], zone, shape) for name in ("start", "end"))
    return f"This is {begin} to {end}, with times of {zone.key}."
