"""The forms of a rule, and what rules are called."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field

from statusapp.domain.alert_rules import SERVICE_KINDS
from statusapp.domain.enums import AlertKind, Severity
from statusapp.queries.admin_rules import RuleItem
from statusapp.services.rule_drafts import THRESHOLDS, WITH_FOR, WITH_LEAST, WITH_WINDOW, RuleDraft
from statusapp.web.admin.durations import duration_words
from statusapp.web.admin.fields import ChoiceField, DurationField, NumberField, Storable, WholeNumberField

_K = AlertKind
LABELS = {
    _K.DOWN: "Down",
    _K.SLOW: "Slow",
    _K.CHECK_ERRORS: "Failing checks",
    _K.REQUEST_ERRORS: "Failing requests",
    _K.REQUESTS_SLOW: "Slow requests",
    _K.NEW_ERROR: "New error",
    _K.CPU: "CPU",
    _K.MEMORY: "Memory",
    _K.DISK: "Disk",
    _K.LOAD: "Load",
    _K.CERTIFICATE: "Certificate",
    _K.HEARTBEAT_LATE: "Late heartbeat",
    _K.MONITOR: "The monitor itself",
}
WATCHES = {
    _K.DOWN: "A service is confirmed down.",
    _K.SLOW: "More than one answer in twenty takes longer than the threshold.",
    _K.CHECK_ERRORS: "A share of a service's checks fails, while it is not down.",
    _K.REQUEST_ERRORS: "A share of the requests to your applications fails, of one route or of all.",
    _K.REQUESTS_SLOW: "The slowest twentieth of the requests to a route takes longer than the threshold.",
    _K.NEW_ERROR: "An application has an error that was never met before.",
    _K.CPU: "A host is busy.",
    _K.MEMORY: "A host is short of memory.",
    _K.DISK: "The fullest disk of a host is filling up.",
    _K.LOAD: "More wants to run on a host than its cores can.",
    _K.CERTIFICATE: "A certificate comes to its end: 30, 14, 7 days and 1 day before.",
    _K.HEARTBEAT_LATE: "A job has not called in.",
    _K.MONITOR: "Checks that nobody makes, tasks that fail, messages that are not delivered.",
}
UNITS = {
    _K.SLOW: "ms",
    _K.REQUESTS_SLOW: "ms",
    _K.LOAD: "per core",
}
_TEXT = [Storable()]
_SEVERITIES = [(one.word, one.word.capitalize()) for one in reversed(Severity)]
FOR_EVERYTHING = "everything"


class RuleForm(FlaskForm):  # type: ignore[misc]
    """What every rule has."""

    is_enabled = BooleanField("Switched on")
    severity = ChoiceField("Severity", choices=_SEVERITIES, description="Channels choose by it what they are told of.")
    repeat_s = DurationField("Again every", _TEXT, description="Until somebody acknowledges it. 0 for never.")


class ScopeForm(FlaskForm):  # type: ignore[misc]
    """Which rule of its own a group or a service gets."""

    kind = ChoiceField("Rule", choices=[(kind.word, LABELS[kind]) for kind in SERVICE_KINDS])
    scope = ChoiceField("For", description="The narrowest rule counts: a service's own, else its group's.")


@lru_cache(maxsize=32)
def rule_form_class(kind: AlertKind) -> type[RuleForm]:
    """The form of a rule with the figures that its kind has."""
    fields: dict[str, Field] = {}
    if kind in THRESHOLDS:
        unit = UNITS.get(kind, "%")
        text = "Left empty, it is the service's own." if kind is _K.SLOW else ""
        text = "Left empty, it is that of the installation." if kind is _K.REQUESTS_SLOW else text
        fields["threshold"] = NumberField(f"Above ({unit})", _TEXT, description=text)
    if kind in WITH_FOR:
        fields["for_s"] = DurationField("For at least", _TEXT, description="As in 10 min; 0 is at once.")
    if kind in WITH_WINDOW:
        fields["window_s"] = DurationField("Looked at are the last", _TEXT, description="As in 15 min.")
    if kind in WITH_LEAST:
        fields["least"] = WholeNumberField(
            "Of at least so many", _TEXT, description="With fewer results nothing is said."
        )
    return type(f"{kind.name.capitalize()}RuleForm", (RuleForm,), fields)


def values_of(rule: RuleItem) -> dict[str, Any]:
    """What the form shows of a rule."""
    values = {name: getattr(rule, name) for name in ("threshold", "for_s", "window_s", "least", "repeat_s")}
    return values | {"severity": rule.severity.word, "is_enabled": rule.is_enabled}


def draft_of(form: RuleForm) -> RuleDraft:
    """What the form says."""

    def number(name: str) -> int:
        value = form[name].data if name in form else None
        return 0 if value is None else round(value)

    return RuleDraft(
        severity=Severity[form.severity.data.upper()],
        threshold=form["threshold"].data if "threshold" in form else None,
        for_s=number("for_s"),
        window_s=number("window_s"),
        least=number("least"),
        repeat_s=number("repeat_s"),
        is_enabled=form.is_enabled.data,
    )


def summary_of(rule: RuleItem) -> str:
    """When a rule raises an alert, in a few words."""
    parts = []
    if rule.kind in THRESHOLDS and rule.threshold is not None:
        parts.append(f"above {rule.threshold:g} {UNITS.get(rule.kind, '%')}")
    if rule.kind in WITH_FOR:
        parts.append(f"for {duration_words(rule.for_s)}" if rule.for_s else "at once")
    if rule.kind in WITH_WINDOW:
        parts.append(f"over {duration_words(rule.window_s)}")
    if rule.kind in WITH_LEAST:
        parts.append(f"of at least {rule.least}")
    return ", ".join(parts)
