"""What is done with many services at once: asked for once more, with the names of those that it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from statusapp.clock import utcnow
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import to_us
from statusapp.queries.admin_endpoints import group_choices, load_consequences, names_of
from statusapp.services import endpoint_bulk as service
from statusapp.services.endpoint_edits import delete_endpoints as delete_for_good
from statusapp.services.endpoints import pause_endpoints, request_checks, resume_endpoints
from statusapp.web.admin.blueprint import blueprint, owner_blueprint
from statusapp.web.admin.fields import ChoiceField, DurationField, Storable
from statusapp.web.admin.rendering import render_admin
from statusapp.web.signed_in import actor

MOST_AT_ONCE = 1000
FOR_GOOD, UNMUTE, FOR_A_TIME = "for-good", "unmute", "for-a-time"


class PlainForm(FlaskForm):  # type: ignore[misc]
    """An action that needs nothing else."""


class MuteForm(FlaskForm):  # type: ignore[misc]
    """How long nobody shall be alerted."""

    how = ChoiceField(
        "Alerts",
        choices=[(FOR_A_TIME, "Mute for a time"), (FOR_GOOD, "Mute for good"), (UNMUTE, "Alert people again")],
        default=FOR_A_TIME,
    )
    span = DurationField("For", [Storable()], default=3600, description="As in 30 min, 8 h or 2 d.")


class IntervalForm(FlaskForm):  # type: ignore[misc]
    """How often to check."""

    interval = DurationField("Check every", [Storable()], default=300, description="From 5 s to 1 day.")


class GroupForm(FlaskForm):  # type: ignore[misc]
    """Under which heading to stand."""

    group = StringField("Group", [Storable()], description="A new name makes a new group; empty is no group.")


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action. `do` returns how many services it has changed and raises InvalidInput for what cannot be used."""

    question: str
    button: str
    done: str
    do: Callable[[list[int], Any], int]
    form: type[FlaskForm] = PlainForm


def _mute(ids: list[int], form: MuteForm) -> int:
    if form.how.data != FOR_A_TIME:
        return service.mute_endpoints(ids, actor(), utcnow(), muted=form.how.data == FOR_GOOD)
    if not form.span.data or form.span.data > 366 * 86_400:
        raise InvalidInput("span", "Enter how long, up to a year.")
    now = utcnow()
    return service.mute_endpoints(ids, actor(), now, muted=True, until=to_us(now + timedelta(seconds=form.span.data)))


ACTIONS = {
    "run": Bulk(
        "Check these services now?",
        "Check now",
        "being checked",
        lambda ids, _: request_checks(ids, utcnow(), actor=actor()),
    ),
    "disable": Bulk(
        "Pause these services? They are not checked until they are resumed, and leave the count of services.",
        "Pause",
        "paused",
        lambda ids, _: len(pause_endpoints(ids, utcnow(), actor=actor())),
    ),
    "enable": Bulk(
        "Resume these services? They are checked at once.",
        "Resume",
        "checked again",
        lambda ids, _: len(resume_endpoints(ids, utcnow(), actor=actor())),
    ),
    "mute": Bulk("Alert nobody about these services?", "Save", "changed", _mute, MuteForm),
    "interval": Bulk(
        "How often shall these services be checked?",
        "Change the interval",
        "changed",
        lambda ids, form: service.set_interval(ids, round(form.interval.data or 0), actor(), utcnow()),
        IntervalForm,
    ),
    "group": Bulk(
        "Which heading shall these services stand under?",
        "Change the group",
        "changed",
        lambda ids, form: service.set_group(ids, form.group.data, actor(), utcnow()),
        GroupForm,
    ),
}


@blueprint.post("/health/serviceendpoint/bulk/")
def bulk_endpoints() -> ResponseReturnValue:
    """Ask whether something shall be done with the ticked services, and do it."""
    name = request.form.get("action", "")
    if name not in ACTIONS:
        raise InvalidInput("action", f"There is no action {name[:40]!r}; there are {', '.join(ACTIONS)}.")
    action, chosen = ACTIONS[name], names_of(_ids())
    form = action.form(request.form if "confirmed" in request.form else None)
    if "confirmed" not in request.form or not chosen or not form.validate():
        return _confirm(name, form, chosen), 200 if chosen and not form.errors else 400
    try:
        count = action.do(list(chosen), form)
    except InvalidInput as error:
        form[error.field].errors = [error.message]
        return _confirm(name, form, chosen), 400
    flash(f"{_services(count)} {action.done}.")
    return redirect(url_for("admin.list_endpoints"))


@owner_blueprint.post("/health/serviceendpoint/delete/")
def delete_endpoints() -> ResponseReturnValue:
    """Say what goes with the ticked services, and delete them."""
    chosen = names_of(_ids())
    if "confirmed" in request.form and chosen:
        count = delete_for_good(list(chosen), actor(), utcnow())
        noun = "service was" if count == 1 else "services were"
        flash(f"{count} {noun} deleted.")
        return redirect(url_for("admin.list_endpoints"))
    page = render_admin(
        "admin/endpoint_delete.html",
        form=PlainForm(),
        chosen=chosen,
        consequences=load_consequences(list(chosen), utcnow()),
    )
    return page, 200 if chosen else 400


def _ids() -> list[int]:
    """The ticked services. What is no number was not ticked by anybody."""
    given = request.form.getlist("ids")
    if len(given) > MOST_AT_ONCE or any(not one.isdecimal() or len(one) > 9 for one in given):
        raise InvalidInput("ids", f"Services are chosen by their numbers, {MOST_AT_ONCE} at most at once.")
    return [int(one) for one in given]


def _confirm(name: str, form: FlaskForm, chosen: dict[int, str]) -> str:
    return render_admin(
        "admin/endpoint_bulk.html",
        name=name,
        action=ACTIONS[name],
        form=form,
        chosen=chosen,
        groups=[group for _, group in group_choices()] if name == "group" else [],
    )


def _services(count: int) -> str:
    return "1 service is" if count == 1 else f"{count} services are"
