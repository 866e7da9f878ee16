"""What is done about an alert in place: somebody is at it, or nobody wants to hear of it for a while."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.queries.alerts import AlertView, find_alert
from statusapp.services.alerts import acknowledge, unacknowledge
from statusapp.services.rules import mute_endpoint, mute_rule
from statusapp.web.auth.targets import way_back
from statusapp.web.dashboard.blueprint import actions_blueprint
from statusapp.web.dashboard.rendering import ALERT_WORDS, MUTE_HOURS
from statusapp.web.dashboard.views import NoteProblem, show_dashboard
from statusapp.web.signed_in import actor

LONGEST_NOTE = 500
GONE = "That alert is over already, so nothing was changed."


@actions_blueprint.post("/alerts/<int:alert_id>/acknowledge")
def acknowledge_alert(alert_id: int) -> ResponseReturnValue:
    """Say that somebody is at it: until it is over nobody is reminded."""
    note = request.form.get("note", "").strip()
    if len(note) > LONGEST_NOTE:
        message = f"Use at most {LONGEST_NOTE} characters; these are {len(note)}."
        return show_dashboard(NoteProblem(alert_id, note, message)), 400
    try:
        acknowledge(alert_id, note, to_us(utcnow()), actor())
    except NotFound:
        return _back(GONE)
    return _back("Acknowledged. Nobody is reminded until it is over.")


@actions_blueprint.post("/alerts/<int:alert_id>/unacknowledge")
def unacknowledge_alert(alert_id: int) -> ResponseReturnValue:
    """Nobody is at it any more."""
    try:
        unacknowledge(alert_id, to_us(utcnow()), actor())
    except NotFound:
        return _back(GONE)
    return _back("Nobody is at it any more. Reminders go on.")


@actions_blueprint.post("/alerts/<int:alert_id>/mute")
def mute(alert_id: int) -> ResponseReturnValue:
    """Alert nobody about the alert's service, or, where it has none, about all of its kind."""
    alert = find_alert(alert_id)
    typed = request.form.get("hours", "")
    if alert is None:
        return _back(GONE)
    if typed not in map(str, MUTE_HOURS):
        return _back("Nothing was muted: choose for how long.")
    hours = int(typed)
    until = to_us(utcnow() + timedelta(hours=hours)) if hours else None
    _mute(alert, muted=True, until=until)
    length = f"for {MUTE_HOURS[hours]}" if hours else MUTE_HOURS[hours]
    return _back(f"{_subject(alert)}: nobody is alerted {length}.")


@actions_blueprint.post("/alerts/<int:alert_id>/unmute")
def unmute(alert_id: int) -> ResponseReturnValue:
    """Alert people again."""
    alert = find_alert(alert_id)
    if alert is None:
        return _back(GONE)
    _mute(alert, muted=False, until=None)
    return _back(f"{_subject(alert)}: people are alerted again.")


def _mute(alert: AlertView, *, muted: bool, until: int | None) -> None:
    if alert.endpoint_id is None:
        mute_rule(alert.kind, muted=muted, until=until, actor=actor())
    else:
        mute_endpoint(alert.endpoint_id, muted=muted, until=until, actor=actor())


def _subject(alert: AlertView) -> str:
    return f"All alerts of the kind “{ALERT_WORDS[alert.kind]}”" if alert.endpoint_id is None else alert.name


def _back(message: str) -> ResponseReturnValue:
    """To the page that the form was on, at the range that it had."""
    flash(message)
    return redirect(way_back(url_for("dashboard.index")))
