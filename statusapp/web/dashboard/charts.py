"""The dashboard's charts with their tables, and its small lines, which are drawn here and need no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from statusapp.queries.dashboard_series import ChecksSeries, Cut, HostPoint, RequestsSeries
from statusapp.web import wording
from statusapp.web.status.chart_data import Chart, line_of

WIDTH, HEIGHT = 120, 28
_MARGIN = 2.0
MICROSECOND = 1e-6


@dataclass(frozen=True, slots=True)
class Spark:
    """A line without axes in a box of `WIDTH` by `HEIGHT`: its path, and where something failed."""

    path: str
    marks: tuple[float, ...]
    words: str


def check_charts(found: ChecksSeries) -> list[Chart]:
    """How all services together answer."""
    times = line_of("Mean", "primary", found.response_us, wording.duration, MICROSECOND)
    errors = line_of("Failed checks", "major_outage", found.error_percent, wording.error_rate)
    return [
        Chart("Response time of all services", "s", found.cut.starts, [times]),
        Chart("Error rate of all checks", "%", found.cut.starts, [errors]),
    ]


def request_charts(found: RequestsSeries) -> list[Chart]:
    """How the host applications answer."""
    errors = [sums.error_percent for sums in found.points]
    starts = found.cut.starts
    lines = [
        line_of("Median", "primary", [sums.percentile(0.5) for sums in found.points], wording.duration, MICROSECOND),
        line_of(
            "95th percentile",
            "degraded",
            [sums.percentile(0.95) for sums in found.points],
            wording.duration,
            MICROSECOND,
        ),
    ]
    return [
        Chart("Requests a minute", "", starts, [line_of("Requests a minute", "primary", found.rates, per_minute)]),
        Chart("Request errors", "%", starts, [line_of("Failed requests", "major_outage", errors, wording.error_rate)]),
        Chart("Request times", "s", starts, lines),
    ]


def host_chart(cut: Cut, hosts: Mapping[str, Sequence[HostPoint | None]]) -> Chart:
    """How busy all hosts together are: means over those that were read."""
    columns = list(zip(*hosts.values(), strict=True)) or [() for _ in cut.starts]
    lines = [
        line_of(name, color, [_mean(point, measure) for point in columns], wording.load)
        for name, color, measure in (
            ("CPU", "primary", "cpu"),
            ("Memory", "partial_outage", "memory"),
            ("Disk", "muted", "disk"),
        )
    ]
    return Chart("CPU, memory and disk", "%", cut.starts, lines)


def host_sparks(points: Sequence[HostPoint | None]) -> dict[str, Spark]:
    """The small lines of one host, by the names in `HostPoint`. Percentages fill the box from 0 to 100."""
    found = {}
    for measure, words, top in (
        ("cpu", wording.load, 100.0),
        ("memory", wording.load, 100.0),
        ("disk", wording.load, 100.0),
        ("database_us", wording.duration, None),
    ):
        values = [None if point is None else getattr(point, measure) for point in points]
        found[measure] = spark(values, words, top=top)
    return found


def spark(
    values: Sequence[float | None],
    words: Callable[[float | None], str],
    *,
    failures: Sequence[int] = (),
    top: float | None = None,
) -> Spark:
    """A small line from 0 to `top`, or to the largest value. Gaps stay gaps."""
    known = [value for value in values if value is not None]
    highest = max(top or 0.0, *known, 1e-9) if known else 1.0
    step = WIDTH / max(len(values) - 1, 1)
    parts, is_drawing = [], False
    for place, value in enumerate(values):
        if value is None:
            is_drawing = False
            continue
        y = HEIGHT - _MARGIN - value / highest * (HEIGHT - 2 * _MARGIN)
        # A point between two gaps is a line to itself, which its round ends make a dot.
        parts.append(f"{'L' if is_drawing else 'M'}{place * step:.1f} {y:.1f}" + ("" if is_drawing else "h0"))
        is_drawing = True
    marks = tuple(round(place * step, 1) for place, count in enumerate(failures) if count)
    return Spark("".join(parts), marks, _words(known, words, sum(failures)))


def per_minute(value: float | None) -> str:
    """A rate, with a digit after the point while it is small."""
    if value is None:
        return wording.UNKNOWN
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _words(known: Sequence[float], words: Callable[[float | None], str], failures: int) -> str:
    if not known and not failures:
        return "Nothing was measured"
    parts = [f"{words(min(known))} to {words(max(known))}"] if known else []
    if failures:
        parts.append(f"{failures} failed check{'' if failures == 1 else 's'}")
    return ", ".join(parts)


def _mean(points: Iterable[HostPoint | None], measure: str) -> float | None:
    values = [getattr(point, measure) for point in points if point is not None]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
