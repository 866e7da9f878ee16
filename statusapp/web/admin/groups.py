"""Groups of services."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from statusapp.clock import utcnow
from statusapp.queries.admin_groups import (
    ORDERS,
    GroupItem,
    get_group,
    load_group_use,
    page_of_groups,
)
from statusapp.services import groups as service
from statusapp.web.admin.blueprint import blueprint, owner_blueprint
from statusapp.web.admin.fields import Storable, WholeNumberField
from statusapp.web.admin.listing import Column, Empty, Listing, show_list
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.roles import is_owner
from statusapp.web.admin.saving import is_saved, status_of
from statusapp.web.signed_in import actor

COLUMNS: tuple[Column[GroupItem], ...] = (
    Column("Name", lambda row: row.name, "name"),
    Column("Services", lambda row: row.services, is_number=True),
    Column("Position", lambda row: row.position, "position", is_number=True),
)


class GroupForm(FlaskForm):  # type: ignore[misc]
    """A group."""

    name = StringField("Name", [Storable()], description="The heading on the status page.")
    position = WholeNumberField(
        "Position", [Storable()], description="A smaller number stands further up. Left empty, it comes last."
    )
    is_collapsed = BooleanField(
        "Folded", description="Its services are shown when somebody opens it, or when one of them is not well."
    )


@blueprint.get("/health/servicegroup/")
def list_groups() -> ResponseReturnValue:
    """All groups."""
    add = url_for("admin.add_group")
    return show_list(
        Listing(
            title="Groups",
            name="groups",
            template="admin/groups.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_groups,
            sort="position",
            search="name",
            empty=Empty("A group is a heading on the status page, with services under it.", "Add a group", add),
            add=("Add a group", add),
        )
    )


@blueprint.route("/health/servicegroup/add/", methods=["GET", "POST"])
def add_group() -> ResponseReturnValue:
    """Make a group."""
    form = GroupForm()
    if is_saved(form, lambda: service.add_group(_draft(form), actor(), utcnow())):
        flash(f"{form.name.data.strip()} was added.")
        return redirect(url_for("admin.list_groups"))
    return render_admin("admin/group.html", form=form, group=None), status_of(form)


@blueprint.route("/health/servicegroup/<int(max=2147483647):group_id>/", methods=["GET", "POST"])
def edit_group(group_id: int) -> ResponseReturnValue:
    """Change a group."""
    group = get_group(group_id)
    form = GroupForm(obj=group)
    if is_saved(form, lambda: service.change_group(group_id, _draft(form), actor(), utcnow())):
        flash(f"{form.name.data.strip()} was saved.")
        return redirect(url_for("admin.list_groups"))
    return render_admin("admin/group.html", form=form, group=group, is_owner=is_owner()), status_of(form)


@owner_blueprint.route("/health/servicegroup/<int(max=2147483647):group_id>/delete/", methods=["GET", "POST"])
def delete_group(group_id: int) -> ResponseReturnValue:
    """Say what goes with a group, and delete it."""
    group = get_group(group_id)
    if request.method == "POST":
        service.delete_group(group_id, actor(), utcnow())
        flash(f"{group.name} was deleted.")
        return redirect(url_for("admin.list_groups"))
    return render_admin("admin/group_delete.html", group=group, use=load_group_use(group_id))


def _draft(form: GroupForm) -> service.GroupDraft:
    return service.GroupDraft(form.name.data or "", form.position.data, form.is_collapsed.data)
