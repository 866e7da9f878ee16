"""Channels: the list, adding and changing one, trying it."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us
from statusapp.queries.admin_endpoints import group_choices
from statusapp.queries.deliveries import ChannelRow, list_channels, list_deliveries
from statusapp.queries.paging import Order, Page, Wanted, page_of
from statusapp.services import channels as service
from statusapp.services.channel_kinds import ChannelKindView, list_channel_kinds
from statusapp.web.admin.blueprint import blueprint, owner_blueprint
from statusapp.web.admin.channel_forms import (
    ChannelForm,
    channel_form_class,
    draft_of,
    names_of,
    new_values,
    values_of,
)
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, show_list
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.roles import is_owner
from statusapp.web.admin.saving import is_saved, status_of
from statusapp.web.signed_in import actor

KINDS = {kind.name: kind for kind in list_channel_kinds()}
STATES = {"unused": "Not used yet", "works": "Works", "failing": "Failing", "broken": "Broken", "off": "Switched off"}
ORDERS = {"name": Order((), (str, int))}
DELIVERIES_SHOWN = 20


def state_of(channel: ChannelRow) -> str:
    """Which of `STATES` a channel is in."""
    if not channel.is_enabled:
        return "off"
    if channel.broken_since is not None:
        return "broken"
    if channel.failing_since is not None:
        return "failing"
    return "unused" if channel.last_sent_at is None else "works"


def _at(instant: int | None) -> datetime | None:
    return None if instant is None else from_us(instant)


COLUMNS: tuple[Column[ChannelRow], ...] = (
    Column("State", lambda row: STATES[state_of(row)]),
    Column("Channel", lambda row: row.name, "name"),
    Column("Leads to", lambda row: row.target, is_extra=True),
    Column("Told of", lambda row: ", ".join(one.word for one in row.severities), is_extra=True),
    Column("Waiting", lambda row: row.waiting, is_number=True, is_extra=True),
    Column("Last sent", lambda row: _at(row.last_sent_at), is_number=True, is_extra=True),
)


@blueprint.get("/health/channel/")
def list_all_channels() -> ResponseReturnValue:
    """All channels."""
    add = url_for("admin_owner.add_channel")
    return show_list(
        Listing(
            title="Channels",
            name="channels",
            template="admin/channels.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=_page,
            sort="name",
            search="name, destination",
            filters=(
                Filter("kind", "Kind", tuple(Choice(kind.name, kind.label, kind.name) for kind in KINDS.values())),
                Filter("state", "State", tuple(Choice(name, label, name) for name, label in STATES.items())),
            ),
            empty=Empty(
                "A channel tells people when something is wrong: by mail, chat, pager or webhook.",
                "Add a channel" if is_owner() else None,
                add,
            ),
            add=("Add a channel", add) if is_owner() else None,
            extra={"states": STATES, "state_of": state_of, "kinds": KINDS},
        )
    )


@owner_blueprint.route("/health/channel/add/", methods=["GET", "POST"])
def add_channel() -> ResponseReturnValue:
    """Add a channel; its kind is chosen first and can be changed while nothing is saved."""
    kind = _kind(request.form.get("to") or request.form.get("kind") or request.args.get("kind") or "email")
    form = _form(kind, new_values())
    added: list[int] = []
    if "to" not in request.form and is_saved(
        form,
        lambda: added.append(_add(form, kind)),
        names_of(kind),
    ):
        flash(f"{form.name.data.strip()} was added. Try it now: people rely on it.")
        return redirect(url_for("admin.edit_channel", channel_id=added[0]))
    return render_admin("admin/channel.html", form=form, kind=kind, kinds=KINDS, channel=None), status_of(form)


@blueprint.route("/health/channel/<int(max=2147483647):channel_id>/", methods=["GET", "POST"])
def edit_channel(channel_id: int) -> ResponseReturnValue:
    """Change a channel. Where it leads is the owners' business."""
    channel = _find(channel_id)
    kind = _kind(channel.kind)
    form = _form(kind, values_of(channel), channel)

    def save() -> None:
        draft = draft_of(form, kind, with_destination=is_owner())
        service.change_channel(channel_id, draft, utcnow(), actor=actor())

    if is_saved(form, save, names_of(kind)):
        flash(f"{form.name.data.strip()} was saved.")
        return redirect(url_for("admin.list_all_channels"))
    return _channel_page(channel, kind, form), status_of(form)


@blueprint.post("/health/channel/<int(max=2147483647):channel_id>/test")
def test_channel(channel_id: int) -> ResponseReturnValue:
    """Send a message of trial, and show what the receiver said."""
    tested = service.try_channel(channel_id, utcnow(), actor=actor())
    channel = _find(channel_id)
    kind = _kind(channel.kind)
    form = channel_form_class(kind)(formdata=None, data=values_of(channel))
    return _channel_page(channel, kind, _prepared(form, kind, channel), tested)


@owner_blueprint.post("/health/channel/<int(max=2147483647):channel_id>/delete/")
def delete_channel(channel_id: int) -> ResponseReturnValue:
    """Ask, and delete a channel."""
    channel = _find(channel_id)
    if "confirmed" not in request.form:
        return render_admin(
            "admin/confirm.html",
            question=f"Delete {channel.name}?",
            sentences=[
                f"Nobody is told anything by it any more, and the list of what it was told goes with it. "
                f"{channel.waiting} messages wait for it and are not sent."
            ],
            button="Delete for good",
            back=url_for("admin.edit_channel", channel_id=channel_id),
        )
    service.delete_channel(channel_id, actor=actor())
    flash(f"{channel.name} was deleted.")
    return redirect(url_for("admin.list_all_channels"))


def _add(form: ChannelForm, kind: ChannelKindView) -> int:
    return service.add_channel(draft_of(form, kind, with_destination=True), utcnow(), actor=actor())


def _page(wanted: Wanted, _now: datetime) -> Page[ChannelRow]:
    text, given = wanted.search.lower(), wanted.filters
    found = (
        row
        for row in list_channels()
        if text in f"{row.name}\n{row.target}".lower()
        and given.get("kind", row.kind) == row.kind
        and given.get("state", state_of(row)) == state_of(row)
    )
    return page_of(found, lambda row: (row.name.lower(), row.id), wanted)


def _kind(name: str) -> ChannelKindView:
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound(f"There is no kind of channel {name[:40]!r}; there are {', '.join(KINDS)}.")
    return kind


def _find(channel_id: int) -> ChannelRow:
    found = next((row for row in list_channels() if row.id == channel_id), None)
    if found is None:
        raise NotFound("There is no such channel, or not any more.")
    return found


def _form(kind: ChannelKindView, values: dict[str, object], channel: ChannelRow | None = None) -> ChannelForm:
    return _prepared(channel_form_class(kind)(data=values), kind, channel)


def _prepared(form: ChannelForm, kind: ChannelKindView, channel: ChannelRow | None) -> ChannelForm:
    """The form with the groups to choose from, and the destination as it may be shown."""
    names = [name for _, name in group_choices()]
    form.groups.choices = tuple((name, name) for name in names)
    # A group that is gone cannot be kept.
    form.groups.data = tuple(name for name in form.groups.data or () if name in names or form.is_submitted())
    for part in kind.fields:
        field = form[f"to_{part.name}"]
        field.is_set = channel is not None
        field.can_clear = part.is_optional
        if not is_owner():
            field.render_kw = {"disabled": True}
    return form


def _channel_page(
    channel: ChannelRow, kind: ChannelKindView, form: ChannelForm, tested: service.Tested | None = None
) -> str:
    return render_admin(
        "admin/channel.html",
        form=form,
        kind=kind,
        kinds=KINDS,
        channel=channel,
        state=state_of(channel),
        states=STATES,
        tested=tested,
        deliveries=list_deliveries(channel_id=channel.id, limit=DELIVERIES_SHOWN),
        is_owner=is_owner(),
    )
