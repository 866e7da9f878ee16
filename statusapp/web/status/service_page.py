"""What the page of one service shows beside its charts: its uptime opened into the intervals behind it.

Nothing an operator has not made public is here: neither addresses nor the errors of checks.
"""

from __future__ import annotations

from typing import Any

from statusapp.domain.enums import Rule, Status
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.ledger import Explanation
from statusapp.queries.series import SPANS
from statusapp.queries.uptime import Uptime
from statusapp.web import wording

SPAN_NAMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "365d": "365 days"}
# A table of hundreds of intervals tells a reader nothing; the newest ones do.
MOST_INTERVALS = 100
RULES = {
    Rule.CREATED: "first seen",
    Rule.FIRST_RESULT: "first result",
    Rule.FAILED_IN_A_ROW: "checks failed in a row",
    Rule.RECOVERED: "checks succeeded in a row",
    Rule.ON_AND_OFF: "checks failed on and off",
    Rule.SETTLED: "failures became rare",
    Rule.SLOW_IN_A_ROW: "slow in a row",
    Rule.FAST_AGAIN: "fast again",
    Rule.NOT_CHECKED: "not checked for three intervals",
    Rule.MAINTENANCE_STARTED: "maintenance began",
    Rule.MAINTENANCE_ENDED: "maintenance ended",
    Rule.PAUSED: "monitoring paused",
    Rule.RESUMED: "monitoring resumed",
}


def spans_of(uptimes: dict[str, Uptime], *, with_uptime: bool) -> list[dict[str, Any]]:
    """Each span with its uptime in words, where that is shown, and whether there is a chart of it."""
    return [
        {
            "key": key,
            "name": SPAN_NAMES[key],
            "text": wording.uptime(found.percent) if with_uptime else "",
            "has_chart": key in SPANS,
        }
        for key, found in uptimes.items()
        if with_uptime or key in SPANS
    ]


def intervals_of(found: Explanation) -> list[dict[str, Any]]:
    """The newest intervals that count, the newest first, with the rule that began each."""
    counted = [entry for entry in reversed(found.entries) if not entry.is_superseded]
    return [
        {
            "status": entry.status.word,
            "status_text": STATUS_LABELS[entry.status],
            "started_at": max(entry.started_at, found.start),
            "ended_at": entry.ended_at,
            "length": wording.length(entry.counted_s),
            "rule": RULES[entry.rule],
        }
        for entry in counted[:MOST_INTERVALS]
    ]


def formula_of(found: Explanation) -> str:
    """How the uptime follows from the intervals, in a sentence."""
    if found.percent is None:
        return "Nothing is known of this time."
    seconds = found.seconds
    left_out = seconds.get(Status.UNKNOWN, 0) + seconds.get(Status.MAINTENANCE, 0)
    known = sum(seconds.values()) - left_out
    parts = []
    if seconds.get(Status.MAJOR_OUTAGE):
        parts.append(f"{wording.length(seconds[Status.MAJOR_OUTAGE])} of major outage")
    if seconds.get(Status.PARTIAL_OUTAGE):
        partial = wording.length(seconds[Status.PARTIAL_OUTAGE])
        parts.append(f"{found.partial_weight:g} times {partial} of partial outage")
    down = f"{' and '.join(parts)} count as down" if parts else "nothing counts as down"
    rest = f" {wording.length(left_out)} unknown or under maintenance are left out." if left_out else ""
    return f"Of {wording.length(known)} known, {down}: {wording.uptime(found.percent)} uptime.{rest}"
