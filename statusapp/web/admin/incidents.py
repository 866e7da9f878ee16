"""Incidents: the list, one of them with its story and evidence, and what people do about it."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.enums import Impact, IncidentStatus
from statusapp.domain.errors import InvalidMove, NotFound
from statusapp.domain.incidents import IMPACT_WORDS, MOVES, STATUS_WORDS
from statusapp.queries.admin_endpoints import endpoint_choices
from statusapp.queries.admin_incidents import ORDERS, IncidentItem, find_set_impact, page_of_incidents
from statusapp.queries.incidents import IncidentFile, IncidentView, find_incident
from statusapp.services import incident_updates as service
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.fields import as_choices
from statusapp.web.admin.incident_forms import (
    DERIVED,
    EditForm,
    OpenForm,
    TextForm,
    UpdateForm,
    impact_of,
    status_of_move,
)
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, enum_choices, flag_choices, show_list
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.saving import is_saved, status_of, tell
from statusapp.web.signed_in import actor

COLUMNS: tuple[Column[IncidentItem], ...] = (
    Column("Impact", lambda row: IMPACT_WORDS[row.impact], "impact"),
    Column("Incident", lambda row: row.title),
    Column("Status", lambda row: STATUS_WORDS[row.status]),
    Column("Shown", lambda row: "public" if row.is_public else "draft", is_extra=True),
    Column("Affects", lambda row: ", ".join(row.affected), is_extra=True),
    Column("Began", lambda row: row.started_at, "started", is_number=True, is_extra=True),
    Column("Updated", lambda row: row.updated_at, "updated", is_number=True, is_extra=True),
)


@blueprint.get("/health/serviceincident/")
def list_incidents() -> ResponseReturnValue:
    """All incidents, the newest first."""
    add = url_for("admin.add_incident")
    return show_list(
        Listing(
            title="Incidents",
            name="incidents",
            template="admin/incidents.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_incidents,
            sort="-started",
            search="title",
            filters=(
                Filter("state", "State", (Choice("open", "Open", "open"), Choice("over", "Over", "over"))),
                Filter("status", "Status", enum_choices(IncidentStatus, STATUS_WORDS)),
                Filter("impact", "Impact", enum_choices(Impact, IMPACT_WORDS)),
                Filter("public", "Shown", flag_choices("Public", "Drafts")),
                Filter(
                    "origin", "Opened by", (Choice("rule", "A rule", "rule"), Choice("person", "A person", "person"))
                ),
                Filter("since", "From", is_time=True),
                Filter("until", "Until", is_time=True),
            ),
            empty=Empty("An incident tells people what is wrong and how it goes.", "Open an incident", add),
            add=("Open an incident", add),
            extra={"words": STATUS_WORDS, "impacts": IMPACT_WORDS},
        )
    )


@blueprint.route("/health/serviceincident/add/", methods=["GET", "POST"])
def add_incident() -> ResponseReturnValue:
    """Open an incident by hand."""
    form = OpenForm()
    form.services.choices = _services()
    opened: list[int] = []

    def save() -> None:
        draft = service.IncidentDraft(
            form.title.data or "",
            form.body.data or "",
            IncidentStatus[form.status.data.upper()],
            impact_of(form.impact.data),
            tuple(map(int, form.services.data)),
            form.is_public.data,
        )
        opened.append(service.open_incident(draft, actor().name, utcnow(), actor=actor()))

    if is_saved(form, save, {"endpoint_ids": "services"}):
        flash("The incident was opened." if form.is_public.data else "The incident was kept as a draft.")
        return redirect(url_for("admin.show_incident", incident_id=opened[0]))
    return render_admin("admin/incident_add.html", form=form), status_of(form)


@blueprint.get("/health/serviceincident/<int(max=2147483647):incident_id>/")
def show_incident(incident_id: int) -> ResponseReturnValue:
    """One incident with its story, its evidence and a form for the next word on it."""
    found = _find(incident_id)
    return _incident_page(found, _update_form(found.incident))


@blueprint.post("/health/serviceincident/<int(max=2147483647):incident_id>/update")
def tell_incident(incident_id: int) -> ResponseReturnValue:
    """Say how an incident goes, and move it on."""
    found = _find(incident_id)
    form = _update_form(found.incident)

    def save() -> None:
        status = status_of_move(form.status.data)
        service.add_update(incident_id, form.body.data or "", actor().name, utcnow(), status, actor=actor())

    try:
        saved = is_saved(form, save)
    except InvalidMove as error:
        # Somebody else has moved it meanwhile.
        tell(form, "status", error)
        saved = False
    if saved:
        flash("The update was published." if found.incident.is_public else "The update was added to the draft.")
        return redirect(url_for("admin.show_incident", incident_id=incident_id))
    return _incident_page(found, form), status_of(form)


@blueprint.route("/health/serviceincident/<int(max=2147483647):incident_id>/edit/", methods=["GET", "POST"])
def edit_incident(incident_id: int) -> ResponseReturnValue:
    """Change title, impact and affected services of an incident."""
    incident, impact = _find(incident_id).incident, find_set_impact(incident_id)
    values = {
        "title": incident.title,
        "impact": DERIVED if impact is None else impact.word,
        "services": tuple(str(one.id) for one in incident.affected),
    }
    form = EditForm(data=values)
    form.services.choices = _services()

    def save() -> None:
        impact = impact_of(form.impact.data)
        change = service.IncidentChange(
            form.title.data or "", impact, impact is None, tuple(map(int, form.services.data))
        )
        service.change_incident(incident_id, change, utcnow(), actor=actor())

    if is_saved(form, save, {"endpoint_ids": "services"}):
        flash("The incident was saved.")
        return redirect(url_for("admin.show_incident", incident_id=incident_id))
    return render_admin("admin/incident_edit.html", form=form, incident=incident), status_of(form)


@blueprint.post("/health/serviceincident/<int(max=2147483647):incident_id>/publish")
def publish_incident(incident_id: int) -> ResponseReturnValue:
    """Show a draft to the public, or take an incident back from it."""
    is_public = request.form.get("public") == "yes"
    service.publish_incident(incident_id, utcnow(), is_public=is_public, actor=actor())
    flash("The incident is on the status page." if is_public else "The incident is a draft, which only operators see.")
    return redirect(url_for("admin.show_incident", incident_id=incident_id))


@blueprint.route(
    "/health/serviceincident/<int(max=2147483647):incident_id>/updates/<int(max=2147483647):update_id>/",
    methods=["GET", "POST"],
)
def edit_incident_update(incident_id: int, update_id: int) -> ResponseReturnValue:
    """Put another text in the place of an update's."""
    incident = _find(incident_id).incident
    entry = next((entry for entry in incident.updates if entry.id == update_id), None)
    if entry is None:
        raise NotFound("There is no such update.")
    form = TextForm(data={"body": entry.body})
    if is_saved(form, lambda: service.change_update(update_id, form.body.data or "", utcnow(), actor=actor())):
        flash("The update was saved.")
        return redirect(url_for("admin.show_incident", incident_id=incident_id))
    return render_admin("admin/incident_text.html", form=form, incident=incident), status_of(form)


def _find(incident_id: int) -> IncidentFile:
    found = find_incident(incident_id)
    if found is None:
        raise NotFound("There is no such incident.")
    return found


def _services() -> tuple[tuple[str, str], ...]:
    return tuple((str(key), name) for key, name in endpoint_choices())


def _update_form(incident: IncidentView) -> UpdateForm:
    form = UpdateForm()
    moves = sorted(MOVES[incident.status])
    form.status.choices = as_choices(
        [("", f"Stays {STATUS_WORDS[incident.status].lower()}"), *((one.word, STATUS_WORDS[one]) for one in moves)]
    )
    return form


def _incident_page(found: IncidentFile, form: UpdateForm) -> str:
    return render_admin(
        "admin/incident.html",
        incident=found.incident,
        evidence=found.evidence,
        form=form,
        words=STATUS_WORDS,
        impacts=IMPACT_WORDS,
    )
