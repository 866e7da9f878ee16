"""Incidents: which moves are allowed, how much one hurts, and what a machine calls it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statusapp.domain.enums import AlertKind, Impact, IncidentMode, IncidentStatus, Severity, Status
from statusapp.domain.overall import worst

# How long an automatic incident is joined by what goes wrong next, instead of a second one being opened.
JOIN_US = 600 * 1_000_000
NAMES_IN_TITLE = 2
MOST_TITLE = 200

_S = IncidentStatus
# A step may be left out: many a fault is mended before anybody could write that it was identified. From monitoring the
# way leads back, as a mend may turn out to be none. A resolved incident may be opened again for the same reason, so
# that the public reads one story instead of two; once its post-mortem is published the story is closed.
MOVES: dict[IncidentStatus, frozenset[IncidentStatus]] = {
    _S.INVESTIGATING: frozenset({_S.IDENTIFIED, _S.MONITORING, _S.RESOLVED}),
    _S.IDENTIFIED: frozenset({_S.INVESTIGATING, _S.MONITORING, _S.RESOLVED}),
    _S.MONITORING: frozenset({_S.INVESTIGATING, _S.IDENTIFIED, _S.RESOLVED}),
    _S.RESOLVED: frozenset({_S.INVESTIGATING, _S.POST_MORTEM}),
    _S.POST_MORTEM: frozenset(),
}
OVER = frozenset({_S.RESOLVED, _S.POST_MORTEM})

STATUS_WORDS = {
    _S.INVESTIGATING: "Investigating",
    _S.IDENTIFIED: "Identified",
    _S.MONITORING: "Monitoring",
    _S.RESOLVED: "Resolved",
    _S.POST_MORTEM: "Post-mortem",
}
IMPACT_WORDS = {
    Impact.NONE: "No impact",
    Impact.MINOR: "Minor impact",
    Impact.MAJOR: "Major impact",
    Impact.CRITICAL: "Critical impact",
}

_IMPACTS = {
    Status.DEGRADED: Impact.MINOR,
    Status.PARTIAL_OUTAGE: Impact.MAJOR,
    Status.MAJOR_OUTAGE: Impact.CRITICAL,
}
_STATUS_OF_KIND = {
    AlertKind.DOWN: Status.MAJOR_OUTAGE,
    AlertKind.HEARTBEAT_LATE: Status.MAJOR_OUTAGE,
    AlertKind.CHECK_ERRORS: Status.PARTIAL_OUTAGE,
    AlertKind.SLOW: Status.DEGRADED,
}
_ENDINGS = {
    Status.MAJOR_OUTAGE: ("is down", "are down"),
    Status.PARTIAL_OUTAGE: ("fails on and off", "fail on and off"),
    Status.DEGRADED: ("is slow", "are slow"),
}
_OTHER_ENDING = ("has a problem", "have a problem")


def may_move(before: IncidentStatus, after: IncidentStatus) -> bool:
    """Whether an incident may pass from one status to the other. To stay is no move, and always allowed."""
    return before is after or after in MOVES[before]


def derive_impact(statuses: Iterable[Status]) -> Impact:
    """How much it hurts, from the worst status that each affected service has had: the worst of them counts."""
    return max((_IMPACTS.get(status, Impact.NONE) for status in statuses), default=Impact.NONE)


def status_of(kind: AlertKind) -> Status:
    """The status that an alert of this kind says its service has."""
    return _STATUS_OF_KIND.get(kind, Status.DEGRADED)


def mode_for(severity: Severity, critical: IncidentMode, warning: IncidentMode) -> IncidentMode:
    """What an alert does about incidents, by its severity and the page's two settings."""
    if severity is Severity.CRITICAL:
        return critical
    return warning if severity is Severity.WARNING else IncidentMode.OFF


def has_recovered(status: Status, *, is_enabled: bool) -> bool:
    """Whether a service no longer keeps an incident open: it is operational, or nobody looks at it any more."""
    return status is Status.OPERATIONAL or not is_enabled


def automatic_title(affected: Sequence[tuple[str, Status]]) -> str:
    """What a machine calls an incident, from its services' names and the worst status each has had."""
    if not affected:
        return "Service disruption"
    one, many = _ENDINGS.get(worst([status for _, status in affected]), _OTHER_ENDING)
    names = sorted((name for name, _ in affected), key=str.casefold)
    if len(names) == 1:
        ending = f" {one}"
        return names[0][: MOST_TITLE - len(ending)] + ending
    if len(names) <= NAMES_IN_TITLE:
        title = f"{' and '.join(names)} {many}"
        if len(title) <= MOST_TITLE:
            return title
    ending = f" and {len(names) - 1} other {'service' if len(names) == 2 else 'services'} {many}"
    return names[0][: MOST_TITLE - len(ending)] + ending
