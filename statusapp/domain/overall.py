"""The headline: what all services together amount to, in the words that Statuspage made familiar."""

from __future__ import annotations

from collections.abc import Sequence

from statusapp.domain.enums import Status

STATUS_LABELS = {
    Status.OPERATIONAL: "Operational",
    Status.DEGRADED: "Degraded Performance",
    Status.PARTIAL_OUTAGE: "Partial Outage",
    Status.MAJOR_OUTAGE: "Major Outage",
    Status.MAINTENANCE: "Under Maintenance",
    Status.UNKNOWN: "Unknown",
}

# From best to worst. Unknown stands above degraded: what is not known must not look like health.
_SEVERITY = (
    Status.OPERATIONAL,
    Status.MAINTENANCE,
    Status.DEGRADED,
    Status.UNKNOWN,
    Status.PARTIAL_OUTAGE,
    Status.MAJOR_OUTAGE,
)


def worst(statuses: Sequence[Status]) -> Status:
    """The worst of some statuses; unknown for none at all."""
    return max(statuses, key=_SEVERITY.index, default=Status.UNKNOWN)


def headline(statuses: Sequence[Status]) -> str:
    """One sentence for all services together."""
    if not statuses:
        return "No Services Monitored Yet"
    overall = worst(statuses)
    if overall is Status.MAJOR_OUTAGE:
        everything = all(status is Status.MAJOR_OUTAGE for status in statuses)
        return "Major System Outage" if everything else "Partial System Outage"
    return {
        Status.OPERATIONAL: "All Systems Operational",
        Status.MAINTENANCE: "Service Under Maintenance",
        Status.DEGRADED: "Partially Degraded Service",
        Status.UNKNOWN: "Status Unknown" if _all_unknown(statuses) else "Some Services Unknown",
        Status.PARTIAL_OUTAGE: "Minor Service Outage",
    }[overall]


def _all_unknown(statuses: Sequence[Status]) -> bool:
    return all(status is Status.UNKNOWN for status in statuses)
