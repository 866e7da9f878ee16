"""The forms about planned maintenance."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.widgets import DateTimeLocalInput

from statusapp.domain.recurrence import Plan
from statusapp.queries.admin_endpoints import endpoint_choices, group_choices
from statusapp.queries.admin_maintenance import WindowFile
from statusapp.services.maintenance_plans import MaintenanceDraft
from statusapp.web.admin.fields import ChoiceField, DurationField, LongTextField, Storable, TicksField

ONCE, OWN_RULE = "once", "rule"
REPEATS = (
    (ONCE, "Once"),
    ("FREQ=DAILY", "Every day"),
    ("FREQ=WEEKLY", "Every week"),
    ("FREQ=WEEKLY;INTERVAL=2", "Every two weeks"),
    ("FREQ=MONTHLY", "Every month, on this day of it"),
    (OWN_RULE, "By a rule of your own"),
)
# What the services call the fields of this form.
NAMES = {
    "duration_s": "duration",
    "announce_s": "announce",
    "endpoint_ids": "services",
    "group_ids": "groups",
}


class MaintenanceForm(FlaskForm):  # type: ignore[misc]
    """Planned work."""

    title = StringField("Title", [Storable()], description="What people read, as in “Database updates”.")
    body = LongTextField("What will happen", [Storable()], description="Markdown; may be left empty.")
    starts = StringField("Begins", [Storable()], widget=DateTimeLocalInput(), description="In the time zone below.")
    duration = DurationField("Takes", [Storable()], default=3600, description="As in 30 min or 2 h; up to 31 d.")
    zone = StringField("Time zone", [Storable()], description="An IANA name such as Europe/Berlin.")
    repeats = ChoiceField("Repeats", choices=REPEATS, default=ONCE)
    rule = StringField(
        "Rule", [Storable()],
        description="For “by a rule of your own”: an RRULE, as in FREQ=MONTHLY;BYDAY=1SU for each first Sunday.",
    )  # fmt: skip
    announce = DurationField(
        "Announced ahead by",
        [Storable()],
        default=86_400,
        description="When it appears on the status page; up to 90 d.",
    )
    covers_all = BooleanField("For all services", description="Those that are added later included.")
    groups = TicksField("Groups", description="All services of a group, whichever those are by then.")
    services = TicksField("Services")
    is_public = BooleanField("On the status page", default=True)


class WordForm(FlaskForm):  # type: ignore[misc]
    """A word on maintenance that goes on or is ahead."""

    body = LongTextField("Update", [Storable()], description="Markdown.")
    occurrence = ChoiceField("About")


def with_targets(form: MaintenanceForm) -> MaintenanceForm:
    """The form with what there is to choose from."""
    form.services.choices = tuple((str(key), name) for key, name in endpoint_choices())
    form.groups.choices = tuple((str(key), name) for key, name in group_choices())
    return form


def values_of(window: WindowFile) -> dict[str, Any]:
    """What the form shows of a window."""
    known = {value for value, _ in REPEATS}
    rule = window.plan.rule
    return {
        "title": window.title,
        "body": window.body,
        "starts": window.plan.starts,
        "duration": window.plan.duration_s,
        "zone": window.plan.zone,
        "repeats": ONCE if rule is None else rule if rule in known else OWN_RULE,
        "rule": rule or "",
        "announce": window.announce_s,
        "covers_all": window.covers_all,
        "services": tuple(map(str, window.endpoint_ids)),
        "groups": tuple(map(str, window.group_ids)),
        "is_public": window.is_public,
    }


def draft_of(form: MaintenanceForm) -> MaintenanceDraft:
    """What the form says. A length that was left empty is none at all, which is too short."""
    return MaintenanceDraft(
        title=form.title.data or "",
        starts=(form.starts.data or "")[:16],
        duration_s=round(form.duration.data or 0),
        zone=(form.zone.data or "").strip() or None,
        rule=_rule(form),
        body=form.body.data or "",
        announce_s=round(form.announce.data or 0),
        endpoint_ids=tuple(map(int, form.services.data or ())),
        group_ids=tuple(map(int, form.groups.data or ())),
        covers_all=form.covers_all.data,
        is_public=form.is_public.data,
    )


def plan_of(draft: MaintenanceDraft, zone: str) -> Plan:
    """When a draft takes place."""
    return Plan(draft.starts, draft.zone or zone, draft.duration_s, draft.rule)


def _rule(form: MaintenanceForm) -> str | None:
    if form.repeats.data == ONCE:
        return None
    # An empty rule of one's own is one that cannot be read, and told so.
    return str(form.repeats.data) if form.repeats.data != OWN_RULE else (form.rule.data or "").strip() or "?"
