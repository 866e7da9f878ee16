"""Alerts and their rules, and what was sent."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from statusapp.clock import utcnow
from statusapp.domain.alert_rules import SERVICE_KINDS
from statusapp.domain.enums import AlertKind, AuditKind, DeliveryState, Severity
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.queries import api_alerts
from statusapp.services import alerts, rules
from statusapp.web.api.access import caller
from statusapp.web.api.answers import answer, nothing, unchanged
from statusapp.web.api.blueprints import members
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.problems import invalid
from statusapp.web.api.schemas_alerts import Alert, Delivery, Note, Rule, Rules, RuleScope
from statusapp.web.api.schemas_fields import Instant, Whole, Word

ALERT = "/alerts/<int(max=9223372036854775807):alert_id>/"
KINDS = {kind.word: kind for kind in AlertKind}
RULE = "/rules/<kind>/"
KIND = {"in": "path", "name": "kind", "schema": {"type": "string", "enum": list(KINDS)}}
_TIMES: dict[str, Any] = {"since": Instant(), "until": Instant()}
ALERTS = listing(
    "Alert",
    api_alerts.ALERT_ORDERS,
    "-fired",
    Alert,
    {
        "open": fields.Boolean(),
        "kind": Word(AlertKind),
        "severity": Word(Severity),
        "endpoint": Whole(1, metadata={"description": "The id of a service."}),
        **_TIMES,
    },
)
DELIVERIES = listing(
    "Delivery",
    api_alerts.DELIVERY_ORDERS,
    "-created",
    Delivery,
    {"state": Word(DeliveryState), "channel": Whole(1), "alert": Whole(1, 2**63 - 1), **_TIMES},
)


@members.route("/alerts/")
@members.arguments(ALERTS.query, location="query")
@members.response(200, ALERTS.answer)
def list_alerts(given: dict[str, Any]) -> Response:
    """Alerts."""
    return answer_page(ALERTS, api_alerts.page_of_alerts(wanted_of(ALERTS, given)))


@members.route(ALERT)
@members.response(200, Alert)
def show_alert(alert_id: int) -> Response:
    """One alert."""
    return answer(Alert().dump(api_alerts.get_alert(alert_id)))


@members.route(f"{ALERT}acknowledgement/", methods=["PUT"])
@members.arguments(Note)
@members.response(200, Alert)
def acknowledge(given: dict[str, Any], alert_id: int) -> Response:
    """Say that somebody is at it: until it is over there are no reminders."""
    alerts.acknowledge(alert_id, given["note"], to_us(utcnow()), caller().actor)
    return show_alert(alert_id)


@members.route(f"{ALERT}acknowledgement/", methods=["DELETE"])
@members.response(204)
def unacknowledge(alert_id: int) -> Response:
    """Nobody is at it any more: reminders go on."""
    alerts.unacknowledge(alert_id, to_us(utcnow()), caller().actor)
    return nothing()


@members.route("/deliveries/")
@members.arguments(DELIVERIES.query, location="query")
@members.response(200, DELIVERIES.answer)
def list_deliveries(given: dict[str, Any]) -> Response:
    """Messages to channels, and what became of them."""
    return answer_page(DELIVERIES, api_alerts.page_of_deliveries(wanted_of(DELIVERIES, given)))


@members.route("/rules/")
@members.response(200, Rules)
def list_rules() -> Response:
    """All rules: those for everything, and those of groups and of services."""
    return answer(Rules().dump({"items": api_alerts.list_rule_items()}))


@members.route(RULE, methods=["PUT"], parameters=[KIND])
@members.arguments(RuleScope, location="query")
@members.arguments(Rule)
@members.response(200, Rule)
def put_rule(scope: dict[str, Any], given: dict[str, Any], kind: str) -> Response:
    """Change the rule for everything, or make or change that of a group or of a service."""
    which, places = _which(kind), _places(kind, scope)
    if given.get("muted_until") is not None:
        given["muted_until"] = to_us(given["muted_until"])
    with unchanged(AuditKind.RULE, None, lambda: _rule(which, places)):
        rules.set_rule(which, given, **places, actor=caller().actor)
    return answer(_rule(which, places))


@members.route(RULE, methods=["DELETE"], parameters=[KIND])
@members.arguments(RuleScope, location="query")
@members.response(204)
def reset_rule(scope: dict[str, Any], kind: str) -> Response:
    """Take back the rule of a group or of a service, or give the one for everything its defaults again."""
    which, places = _which(kind), _places(kind, scope)
    with unchanged(AuditKind.RULE, None, lambda: _rule(which, places)):
        rules.reset_rule(which, **places, actor=caller().actor)
    return nothing()


def _which(kind: str) -> AlertKind:
    if kind not in KINDS:
        raise NotFound(f"There is no rule of this kind; there are {', '.join(KINDS)}.")
    return KINDS[kind]


def _places(kind: str, scope: dict[str, Any]) -> dict[str, Any]:
    """What a rule is for."""
    if len(scope) > 1:
        raise invalid("endpoint", "A rule is for one group or for one service, not for both.")
    if scope and _which(kind) not in SERVICE_KINDS:
        raise invalid(next(iter(scope)), f"A rule about {kind} is of no service or group.")
    places = {"group_id": scope.get("group"), "endpoint_id": scope.get("endpoint")}
    api_alerts.check_scope(**places)
    return places


def _rule(which: AlertKind, places: dict[str, Any]) -> Any:
    found = api_alerts.find_rule(which, **places)
    return None if found is None else Rule().dump(found)
