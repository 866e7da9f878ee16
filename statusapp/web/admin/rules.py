"""Rules: the list, the one for everything, those of groups and services, and muting."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.enums import AlertKind
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import to_us
from statusapp.queries.admin_endpoints import endpoint_choices, group_choices
from statusapp.queries.admin_rules import ORDERS, RuleItem, find_rule_id, get_rule, page_of_rules
from statusapp.services import rule_drafts as service
from statusapp.services.rule_drafts import RulePlace
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.endpoint_bulk import FOR_A_TIME, FOR_GOOD, MuteForm
from statusapp.web.admin.fields import as_choices
from statusapp.web.admin.listing import Column, Empty, Filter, Listing, enum_choices, show_list, word_choices
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.rule_forms import (
    LABELS,
    WATCHES,
    RuleForm,
    ScopeForm,
    draft_of,
    rule_form_class,
    summary_of,
    values_of,
)
from statusapp.web.admin.saving import is_saved, status_of
from statusapp.web.signed_in import actor

LONGEST_MUTE_S = 366 * 86_400


def state_of(rule: RuleItem) -> str:
    """Whether a rule raises alerts, in words."""
    if not rule.is_enabled:
        return "Off"
    return "Muted" if rule.is_muted else "On"


def scope_of(rule: RuleItem) -> str:
    """What a rule is for, in words."""
    if rule.scope is None:
        return "Everything"
    return f"Group {rule.scope}" if rule.is_of_group else rule.scope


COLUMNS: tuple[Column[RuleItem], ...] = (
    Column("State", state_of),
    Column("Rule", lambda row: LABELS[row.kind], "rule"),
    Column("For", scope_of),
    Column("Severity", lambda row: row.severity.word, "severity", is_extra=True),
    Column("When", summary_of, is_extra=True),
    Column("Again every", lambda row: row.repeat_s or None, is_number=True, is_extra=True),
)


@blueprint.get("/health/rule/")
def list_rules() -> ResponseReturnValue:
    """All rules by kind: the one for everything, then those of groups and of services."""
    add = url_for("admin.add_rule")
    return show_list(
        Listing(
            title="Rules",
            name="rules",
            template="admin/rules.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_rules,
            sort="rule",
            search="group or service",
            filters=(
                Filter("kind", "Rule", enum_choices(AlertKind, LABELS)),
                Filter("scope", "For", word_choices("everything", "group", "service")),
                Filter("state", "State", word_choices("on", "off", "muted")),
            ),
            empty=Empty("Rules say when somebody is alerted. The usual ones are made when the server starts."),
            add=("Make an exception", add),
            extra={"labels_of": LABELS, "state_of": state_of, "scope_of": scope_of, "summary_of": summary_of},
        )
    )


@blueprint.route("/health/rule/add/", methods=["GET", "POST"])
def add_rule() -> ResponseReturnValue:
    """Choose the rule that a group or a service gets for itself; its figures come after."""
    form = ScopeForm(data=request.args.to_dict())
    form.scope.choices = as_choices(
        [
            *((f"group-{key}", f"Group {name}") for key, name in group_choices()),
            *((f"service-{key}", name) for key, name in endpoint_choices()),
        ]
    )
    if form.is_submitted() and form.validate():
        kind = AlertKind[form.kind.data.upper()]
        which, _, key = form.scope.data.partition("-")
        place = RulePlace(kind, *((int(key), None) if which == "group" else (None, int(key))))
        rule_id = find_rule_id(kind, place.group_id, place.endpoint_id)
        if rule_id is None:
            service.begin_exception(place, actor())
            rule_id = find_rule_id(kind, place.group_id, place.endpoint_id)
        return redirect(url_for("admin.edit_rule", rule_id=rule_id))
    return render_admin("admin/rule_add.html", form=form), status_of(form)


@blueprint.route("/health/rule/<int(max=2147483647):rule_id>/", methods=["GET", "POST"])
def edit_rule(rule_id: int) -> ResponseReturnValue:
    """Change a rule."""
    rule = get_rule(rule_id, utcnow())
    form = rule_form_class(rule.kind)(data=values_of(rule))
    if is_saved(form, lambda: service.save_rule(service.place_of(rule_id), draft_of(form), actor())):
        flash("The rule was saved.")
        return redirect(url_for("admin.list_rules"))
    return _rule_page(rule, form, MuteForm(formdata=None)), status_of(form)


@blueprint.post("/health/rule/<int(max=2147483647):rule_id>/mute")
def mute_rule(rule_id: int) -> ResponseReturnValue:
    """Have a rule raise nothing for a time or for good, or raise alerts again."""
    rule, mute = get_rule(rule_id, utcnow()), MuteForm()

    def save() -> None:
        until = None
        if mute.how.data == FOR_A_TIME:
            if not mute.span.data or mute.span.data > LONGEST_MUTE_S:
                raise InvalidInput("span", "Enter how long, up to a year.")
            until = to_us(utcnow() + timedelta(seconds=mute.span.data))
        service.mute(service.place_of(rule_id), actor(), muted=mute.how.data in (FOR_GOOD, FOR_A_TIME), until=until)

    if is_saved(mute, save):
        flash("The rule was saved.")
        return redirect(url_for("admin.edit_rule", rule_id=rule_id))
    return _rule_page(rule, rule_form_class(rule.kind)(formdata=None, data=values_of(rule)), mute), status_of(mute)


@blueprint.post("/health/rule/<int(max=2147483647):rule_id>/reset")
def reset_rule(rule_id: int) -> ResponseReturnValue:
    """Take back the rule of a group or a service, or give the one for everything its defaults again."""
    rule = get_rule(rule_id, utcnow())
    if "confirmed" not in request.form:
        what = "back to the defaults" if rule.scope is None else "take the exception back"
        return render_admin(
            "admin/confirm.html",
            question=f"{LABELS[rule.kind]}: {what}?",
            sentences=["What was set here goes, and so does its muting."],
            button="Yes, take it back",
            back=url_for("admin.edit_rule", rule_id=rule_id),
        )
    service.take_back(service.place_of(rule_id), actor())
    flash("The rule has its defaults again." if rule.scope is None else "The exception was taken back.")
    return redirect(url_for("admin.list_rules"))


def _rule_page(rule: RuleItem, form: RuleForm, mute: MuteForm) -> str:
    return render_admin(
        "admin/rule.html",
        rule=rule,
        form=form,
        mute=mute,
        name=LABELS[rule.kind],
        watches=WATCHES[rule.kind],
        scope=scope_of(rule),
    )
