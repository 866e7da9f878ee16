"""What an operator says about a rule, and the check that it can be saved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from statusapp.domain.actors import Actor
from statusapp.domain.alert_rules import SERVICE_KINDS
from statusapp.domain.enums import AlertKind, Severity
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.extensions import db
from statusapp.models import AlertRule
from statusapp.services.rules import mute_rule, reset_rule, set_rule

LONGEST_S = 30 * 86_400
MOST_RESULTS = 100_000

_PERCENT, _LOAD, _MILLISECONDS = (0.0, 100.0), (0.0, 1000.0), (1.0, 600_000.0)
# Which figures a rule of a kind has. A threshold has a least and a greatest value.
THRESHOLDS: dict[AlertKind, tuple[float, float]] = {
    AlertKind.SLOW: _MILLISECONDS,
    AlertKind.CHECK_ERRORS: _PERCENT,
    AlertKind.REQUEST_ERRORS: _PERCENT,
    AlertKind.REQUESTS_SLOW: _MILLISECONDS,
    AlertKind.CPU: _PERCENT,
    AlertKind.MEMORY: _PERCENT,
    AlertKind.DISK: _PERCENT,
    AlertKind.LOAD: _LOAD,
}
# Without one these take another: that of the service or of the setting.
MAY_LACK_THRESHOLD = frozenset({AlertKind.SLOW, AlertKind.REQUESTS_SLOW})
WITH_FOR = frozenset(
    {AlertKind.DOWN, AlertKind.HEARTBEAT_LATE, AlertKind.CPU, AlertKind.MEMORY, AlertKind.DISK, AlertKind.LOAD}
)
WITH_WINDOW = frozenset(
    {AlertKind.SLOW, AlertKind.CHECK_ERRORS, AlertKind.REQUEST_ERRORS, AlertKind.REQUESTS_SLOW, AlertKind.NEW_ERROR}
)
WITH_LEAST = WITH_WINDOW - {AlertKind.NEW_ERROR}


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule as an operator describes it; what its kind does not have is not looked at. As `RuleValues`."""

    severity: Severity
    threshold: float | None = None
    for_s: int = 0
    window_s: int = 0
    least: int = 0
    repeat_s: int = 0
    is_enabled: bool = True

    def checked(self, kind: AlertKind) -> dict[str, object]:
        """What of it a rule of a kind has, by the names of the columns.

        Raises:
            InvalidInput: when a value cannot be used.
        """
        values: dict[str, object] = {"severity": self.severity, "is_enabled": self.is_enabled}
        _check("repeat_s", self.repeat_s, 0, LONGEST_S, "The pause between reminders may be up to 30 days.")
        values["repeat_s"] = self.repeat_s
        if kind in THRESHOLDS:
            low, high = THRESHOLDS[kind]
            if self.threshold is not None:
                _check("threshold", self.threshold, low, high, f"The threshold must be from {low:g} to {high:g}.")
            elif kind not in MAY_LACK_THRESHOLD:
                raise InvalidInput("threshold", f"Enter a threshold from {low:g} to {high:g}.")
            values["threshold"] = self.threshold
        if kind in WITH_FOR:
            _check("for_s", self.for_s, 0, LONGEST_S, "It can be waited for up to 30 days.")
            values["for_s"] = self.for_s
        if kind in WITH_WINDOW:
            _check("window_s", self.window_s, 60, LONGEST_S, "The span that is looked at must be 1 minute to 30 days.")
            values["window_s"] = self.window_s
        if kind in WITH_LEAST:
            _check("least", self.least, 1, MOST_RESULTS, f"The number of results must be 1 to {MOST_RESULTS}.")
            values["least"] = self.least
        return values


@dataclass(frozen=True, slots=True)
class RulePlace:
    """Which rule is meant: of a kind, for everything, for a group or for a service."""

    kind: AlertKind
    group_id: int | None = None
    endpoint_id: int | None = None


def save_rule(place: RulePlace, draft: RuleDraft, actor: Actor) -> None:
    """Change a rule.

    Raises:
        InvalidInput: when a value cannot be used.
    """
    _set(place, draft.checked(place.kind), actor)


def begin_exception(place: RulePlace, actor: Actor) -> None:
    """Make the rule of a group or a service, as the one for everything is now.

    Raises:
        InvalidInput: when the kind cannot be set for a group or a service, or that is not there any more.
    """
    if place.kind not in SERVICE_KINDS:
        raise InvalidInput("kind", "This rule is not about services, so there is one for everything.")
    _set(place, {}, actor)


def place_of(rule_id: int) -> RulePlace:
    """Which rule a number stands for.

    Raises:
        NotFound: when there is none of it.
    """
    row = db.session.get(AlertRule, rule_id)
    if row is None:
        raise NotFound("There is no such rule, or not any more.")
    return RulePlace(row.kind, row.group_id, row.endpoint_id)


def mute(place: RulePlace, actor: Actor, *, muted: bool, until: int | None = None) -> None:
    """Have a rule raise nothing, for good or until an instant, or raise alerts again."""
    where = {"group_id": place.group_id, "endpoint_id": place.endpoint_id}
    mute_rule(place.kind, muted=muted, until=until, **where, actor=actor)


def take_back(place: RulePlace, actor: Actor) -> None:
    """Delete the rule of a group or a service, or give the one for everything its defaults again."""
    reset_rule(place.kind, group_id=place.group_id, endpoint_id=place.endpoint_id, actor=actor)


def _set(place: RulePlace, values: dict[str, object], actor: Actor) -> None:
    try:
        set_rule(place.kind, values, group_id=place.group_id, endpoint_id=place.endpoint_id, actor=actor)
    except IntegrityError as error:
        raise InvalidInput("scope", "The group or the service is not there any more.") from error


def _check(field: str, value: float, low: float, high: float, message: str) -> None:
    if not low <= value <= high:
        raise InvalidInput(field, message)
