"""Planned maintenance: the list, planning it, and how an occurrence goes."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import from_us
from statusapp.domain.recurrence import Occurrence, check_plan
from statusapp.queries.admin_maintenance import ORDERS, WindowFile, WindowItem, get_window, page_of_windows, preview
from statusapp.queries.maintenance import list_occurrences
from statusapp.services import maintenance_plans as service
from statusapp.services.page import page_zone
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.fields import as_choices
from statusapp.web.admin.listing import Column, Empty, Filter, Listing, flag_choices, show_list
from statusapp.web.admin.maintenance_forms import (
    NAMES,
    MaintenanceForm,
    WordForm,
    draft_of,
    plan_of,
    values_of,
    with_targets,
)
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.saving import is_saved, status_of, tell
from statusapp.web.signed_in import actor
from statusapp.web.times import Times


def _state(row: WindowItem) -> str:
    if row.window.is_cancelled:
        return "Called off"
    if row.running_until is not None:
        return "Going on"
    return "Planned" if row.window.next_at is not None else "Over"


COLUMNS: tuple[Column[WindowItem], ...] = (
    Column("State", _state),
    Column("Maintenance", lambda row: row.window.title),
    Column("Next", lambda row: row.window.next_at, is_number=True),
    Column("Takes", lambda row: row.window.plan.duration_s, is_number=True, is_extra=True),
    Column("Repeats", lambda row: row.window.plan.rule, is_extra=True),
    Column("For", lambda row: ", ".join(row.window.affects), is_extra=True),
)


@blueprint.get("/health/maintenance/")
def list_maintenance() -> ResponseReturnValue:
    """All planned windows, the newest first."""
    add = url_for("admin.add_maintenance")
    return show_list(
        Listing(
            title="Maintenance",
            name="maintenance",
            template="admin/maintenances.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_windows,
            sort="-made",
            search="title",
            filters=(
                Filter("cancelled", "State", flag_choices("Called off", "Not called off")),
                Filter("recurs", "Repeats", flag_choices("Again and again", "Once")),
                Filter("public", "Shown", flag_choices("On the page", "Private")),
            ),
            empty=Empty(
                "Planned work is announced here, and nobody is alerted while it lasts.", "Plan maintenance", add
            ),
            add=("Plan maintenance", add),
            extra={"state_of": _state},
        )
    )


@blueprint.route("/health/maintenance/add/", methods=["GET", "POST"])
def add_maintenance() -> ResponseReturnValue:
    """Plan maintenance."""
    zone, now = page_zone(), utcnow()
    # The next full hour from tomorrow on is as good a guess as any.
    guess = (now + timedelta(days=1)).astimezone(zone).replace(minute=0)
    form = with_targets(MaintenanceForm(data={"starts": f"{guess:%Y-%m-%dT%H:%M}", "zone": zone.key}))
    planned: list[int] = []
    if not _is_preview() and is_saved(
        form, lambda: planned.append(service.plan_maintenance(draft_of(form), now, actor=actor())), NAMES
    ):
        flash("The maintenance was planned.")
        return redirect(url_for("admin.show_maintenance", window_id=planned[0]))
    return _form_page(form, None, now), status_of(form)


@blueprint.route("/health/maintenance/<int(max=2147483647):window_id>/edit/", methods=["GET", "POST"])
def edit_maintenance(window_id: int) -> ResponseReturnValue:
    """Change planned maintenance."""
    window, now = get_window(window_id), utcnow()
    form = with_targets(MaintenanceForm(data=values_of(window)))
    if not _is_preview() and is_saved(
        form, lambda: service.change_maintenance(window_id, draft_of(form), now, actor=actor()), NAMES
    ):
        flash("The maintenance was saved.")
        return redirect(url_for("admin.show_maintenance", window_id=window_id))
    return _form_page(form, window, now), status_of(form)


@blueprint.route("/health/maintenance/<int(max=2147483647):window_id>/", methods=["GET", "POST"])
def show_maintenance(window_id: int) -> ResponseReturnValue:
    """One window: what is ahead, what was, and a form for a word on it."""
    window, now, times = get_window(window_id), utcnow(), Times(page_zone())
    ahead = [] if window.is_cancelled else preview(window.plan, now)
    open_ones = [one for one in ahead if one.starts_at not in window.cancelled_starts]
    form = WordForm()
    form.occurrence.choices = as_choices(
        (str(one.starts_at), times.span(from_us(one.starts_at), from_us(one.ends_at))) for one in open_ones
    )

    def save() -> None:
        starts_at, body = int(form.occurrence.data), form.body.data or ""
        service.add_maintenance_update(window_id, starts_at, body, actor().name, now, actor=actor())

    if is_saved(form, save):
        flash("The update was added.")
        return redirect(url_for("admin.show_maintenance", window_id=window_id))
    page = render_admin(
        "admin/maintenance.html",
        now=now,
        times=times,
        window=window,
        targets=_targets(window),
        ahead=ahead,
        open_ones=open_ones,
        occurrences=list_occurrences(window_id),
        form=form,
    )
    return page, status_of(form)


@blueprint.post("/health/maintenance/<int(max=2147483647):window_id>/cancel")
def cancel_maintenance(window_id: int) -> ResponseReturnValue:
    """Call off a window, or one occurrence of it."""
    starts_at = request.form.get("starts_at", "")
    if starts_at:
        if not starts_at.isdecimal() or len(starts_at) > 18:
            raise InvalidInput("starts_at", "An occurrence is named by the instant at which it begins.")
        service.cancel_occurrence(window_id, int(starts_at), utcnow(), actor().name, actor=actor())
        flash("This occurrence was called off.")
    elif "confirmed" not in request.form:
        return render_admin(
            "admin/confirm.html",
            question=f"Call off {get_window(window_id).title}?",
            sentences=["What is going on ends now, and there will be no more of it. What took place stays on record."],
            button="Call it off",
            back=url_for("admin.show_maintenance", window_id=window_id),
        )
    else:
        service.cancel_maintenance(window_id, utcnow(), actor().name, actor=actor())
        flash("The maintenance was called off.")
    return redirect(url_for("admin.show_maintenance", window_id=window_id))


def _is_preview() -> bool:
    """Whether somebody only wants to see when it would take place."""
    return "preview" in request.form


def _form_page(form: MaintenanceForm, window: WindowFile | None, now: datetime) -> str:
    return render_admin(
        "admin/maintenance_form.html", now=now, form=form, window=window, ahead=_preview(form, window, now)
    )


def _preview(form: MaintenanceForm, window: WindowFile | None, now: datetime) -> list[Occurrence] | None:
    """The next occurrences of what the form says; None when it was not asked for or cannot be read, which is told."""
    if not _is_preview():
        return None if window is None or form.errors else preview(window.plan, now)
    if not form.validate():
        return None
    plan = plan_of(draft_of(form), page_zone().key)
    try:
        check_plan(plan)
        return preview(plan, now)
    except InvalidInput as error:
        tell(form, NAMES.get(error.field, error.field), error)
        return None


def _targets(window: WindowFile) -> list[str]:
    form = with_targets(MaintenanceForm(formdata=None))
    groups, services = dict(form.groups.choices), dict(form.services.choices)
    return [groups[str(key)] for key in window.group_ids] + [services[str(key)] for key in window.endpoint_ids]
