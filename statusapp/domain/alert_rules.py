"""The rules of alerts: values in, findings out. The same functions judge when results arrive and in the sweep.

A judgement is *wrong* (an alert fires or goes on), *fine* (it resolves) or *held*: nothing is said either way, while
a service is under maintenance, not checked, muted, or below another one that is down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from statusapp.domain.enums import AlertKind, Severity, Status
from statusapp.domain.instants import SECOND

# Those that may be set for a group or a service.
SERVICE_KINDS = (
    AlertKind.DOWN,
    AlertKind.SLOW,
    AlertKind.CHECK_ERRORS,
    AlertKind.CERTIFICATE,
    AlertKind.HEARTBEAT_LATE,
)
DAY_US = 86_400 * SECOND
# Days before its end at which an expiring certificate is told of, again at each step; it is critical from the third on.
CERTIFICATE_DAYS = (30, 14, 7, 1)
CRITICAL_STEP = 3
DEFAULT_SLOW_MS = 3000.0


@dataclass(frozen=True, slots=True)
class RuleValues:
    """A rule in effect. `threshold` is in the unit of its kind: percent, load per core, milliseconds for what is slow;
    None is the kind's own. `is_on` is whether it is enabled and not muted."""

    kind: AlertKind
    severity: Severity
    threshold: float | None = None
    for_s: int = 0
    window_s: int = 0
    least: int = 0
    repeat_s: int = 3600
    is_on: bool = True


DEFAULTS: tuple[RuleValues, ...] = (
    RuleValues(AlertKind.DOWN, Severity.CRITICAL, for_s=600),
    RuleValues(AlertKind.SLOW, Severity.WARNING, window_s=900, least=3, repeat_s=0),
    RuleValues(AlertKind.CHECK_ERRORS, Severity.WARNING, threshold=50, window_s=3600, least=5, repeat_s=0),
    RuleValues(AlertKind.REQUEST_ERRORS, Severity.WARNING, threshold=5, window_s=300, least=20, repeat_s=0),
    RuleValues(AlertKind.REQUESTS_SLOW, Severity.WARNING, window_s=900, least=20, repeat_s=0, is_on=False),
    RuleValues(AlertKind.NEW_ERROR, Severity.INFO, window_s=900, repeat_s=0, is_on=False),
    RuleValues(AlertKind.CPU, Severity.WARNING, threshold=90, for_s=600),
    RuleValues(AlertKind.MEMORY, Severity.WARNING, threshold=90, for_s=600),
    RuleValues(AlertKind.DISK, Severity.CRITICAL, threshold=90),
    RuleValues(AlertKind.LOAD, Severity.WARNING, threshold=2, for_s=900),
    RuleValues(AlertKind.CERTIFICATE, Severity.WARNING, repeat_s=0),
    RuleValues(AlertKind.HEARTBEAT_LATE, Severity.CRITICAL),
    RuleValues(AlertKind.MONITOR, Severity.CRITICAL),
)


class Judgement(Enum):
    """What a rule says of a subject."""

    FINE = 0
    WRONG = 1
    HELD = 2


@dataclass(frozen=True, slots=True)
class Case:
    """A subject as one rule sees it.

    Attributes:
        since: when it began to be wrong, in microseconds.
        found: what was seen, in words; `status` the word of the service's status, if it is one.
        affected: services below it that are held back because of it.
        step: how far it has come; a higher one than was told is told again.
        flaps: whether its results come and go; None where that has no meaning.
    """

    rule: RuleValues
    subject: str
    name: str
    judgement: Judgement
    endpoint_id: int | None = None
    severity: Severity = Severity.WARNING
    since: int = 0
    found: str = ""
    status: str | None = None
    affected: tuple[str, ...] = ()
    step: int = 0
    flaps: bool | None = None

    @property
    def key(self) -> tuple[AlertKind, str]:
        """What there is at most one open alert of."""
        return self.rule.kind, self.subject


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What the rules ask of a service. `down_parents` are the names of those it depends on that are failing."""

    endpoint_id: int
    name: str
    is_heartbeat: bool
    status: Status
    status_since: int
    error: str | None = None
    is_muted: bool = False
    in_maintenance: bool = False
    down_parents: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    flaps: bool = False
    certificate_expires_at: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether nobody is to be alerted about it."""
        return self.is_muted or self.in_maintenance or bool(self.down_parents)


def subject_of(endpoint_id: int) -> str:
    """The key of a service as a subject."""
    return f"endpoint:{endpoint_id}"


def down_kind(*, is_heartbeat: bool) -> AlertKind:
    """Which rule a service that is down falls under."""
    return AlertKind.HEARTBEAT_LATE if is_heartbeat else AlertKind.DOWN


def judge_down(service: ServiceFacts, rule: RuleValues, now: int) -> Case:
    """Down for as long as the rule says; what fails on and off, or is not known, is neither down nor fine."""
    if service.status is Status.MAJOR_OUTAGE:
        is_long = now - service.status_since >= rule.for_s * SECOND
        judgement = Judgement.WRONG if is_long and rule.is_on and not service.is_held else Judgement.HELD
    elif service.status in (Status.OPERATIONAL, Status.DEGRADED):
        judgement = Judgement.FINE
    else:
        judgement = Judgement.HELD
    return replace(
        _of_service(service, rule, judgement),
        since=service.status_since,
        found=service.error or "",
        status=service.status.word,
        affected=service.affected,
        flaps=service.flaps,
    )


def judge_share(
    service: ServiceFacts, rule: RuleValues, bad: int, count: int, limit_percent: float, found: str, start: int
) -> Case:
    """More than a share of a window's results are bad; a service that is down is another rule's business.

    Args:
        start: the beginning of the window.
    """
    is_wrong = count >= max(rule.least, 1) and 100.0 * bad / count > limit_percent
    held = service.is_held or service.status in (Status.MAJOR_OUTAGE, Status.MAINTENANCE, Status.UNKNOWN)
    judgement = Judgement.WRONG if is_wrong else Judgement.FINE
    if held or (is_wrong and not rule.is_on):
        judgement = Judgement.HELD
    return replace(_of_service(service, rule, judgement), since=start, found=found, status=service.status.word)


def judge_certificate(service: ServiceFacts, rule: RuleValues, now: int) -> Case:
    """A certificate comes to its end: told at each step."""
    expires_at = service.certificate_expires_at
    if expires_at is None:
        return _of_service(service, rule, Judgement.FINE)
    left = expires_at - now
    step = sum(left <= days * DAY_US for days in CERTIFICATE_DAYS)
    if not step:
        return _of_service(service, rule, Judgement.FINE)
    held = service.is_held or not rule.is_on
    days = left / DAY_US
    found = f"the certificate expires in {_days(days)}" if days >= 0 else f"the certificate expired {_days(-days)} ago"
    return replace(
        _of_service(service, rule, Judgement.HELD if held else Judgement.WRONG),
        since=expires_at - CERTIFICATE_DAYS[0] * DAY_US,
        found=found,
        status=service.status.word,
        severity=max(rule.severity, Severity.CRITICAL) if step >= CRITICAL_STEP else rule.severity,
        step=step,
    )


def judge_readings(
    rule: RuleValues, host: str, readings: Sequence[tuple[int, float | None]], unit: str, label: str
) -> Case:
    """A host's figure above the threshold throughout the time that the rule says.

    Args:
        readings: instants and values, the newest first.
    """
    limit = rule.threshold if rule.threshold is not None else 0.0
    case = Case(rule, f"host:{host}", host, Judgement.HELD, severity=rule.severity)
    if not readings or readings[0][1] is None:
        return case
    newest_at, newest = readings[0]
    if newest is None or newest <= limit:
        return replace(case, judgement=Judgement.FINE)
    since = newest_at
    for taken_at, value in readings[1:]:
        if value is None or value <= limit:
            break
        since = taken_at
    is_long = newest_at - since >= rule.for_s * SECOND
    lasted = f" for {rule.for_s // 60} min" if rule.for_s else ""
    return replace(
        case,
        judgement=Judgement.WRONG if is_long and rule.is_on else Judgement.HELD,
        since=since,
        found=f"{label} is at {newest:.1f}{unit}, above {limit:g}{unit}{lasted}",
    )


def judge_found(
    rule: RuleValues, subject: str, name: str, found: str | None, since: int, severity: Severity | None = None
) -> Case:
    """Something that was found by other means, or not: `found` is None when nothing is wrong."""
    judgement = Judgement.FINE if found is None else Judgement.WRONG if rule.is_on else Judgement.HELD
    return Case(
        rule,
        subject[:300],
        name[:300],
        judgement,
        severity=rule.severity if severity is None else severity,
        since=since,
        found=found or "",
    )


def narrowest(
    rules: Iterable[tuple[RuleValues, int | None, int | None]], endpoint_id: int, group_id: int | None
) -> RuleValues:
    """The rule that counts for a service: its own, else its group's, else the one for everything.

    Args:
        rules: of one kind, each with the group and the service it is for.

    Raises:
        LookupError: when there is none for everything.
    """
    best: tuple[int, Any] | None = None
    for values, of_group, of_endpoint in rules:
        rank = 2 if of_endpoint == endpoint_id else 1 if of_group is not None and of_group == group_id else 0
        matches = rank or (of_endpoint is None and of_group is None)
        if matches and (best is None or rank > best[0]):
            best = rank, values
    if best is None:
        raise LookupError("there is no rule for everything")
    found: RuleValues = best[1]
    return found


def _of_service(service: ServiceFacts, rule: RuleValues, judgement: Judgement) -> Case:
    return Case(
        rule,
        subject_of(service.endpoint_id),
        service.name,
        judgement,
        endpoint_id=service.endpoint_id,
        severity=rule.severity,
    )


def _days(days: float) -> str:
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
