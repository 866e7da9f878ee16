"""The form of a channel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from statusapp.domain.enums import Severity
from statusapp.queries.deliveries import ChannelRow
from statusapp.services.channel_kinds import ChannelKindView
from statusapp.services.channels import ChannelDraft
from statusapp.web.admin.fields import SecretField, Storable, TicksField, WordsField

_TEXT = [Storable()]
_SEVERITIES = tuple((one.word, one.word.capitalize()) for one in reversed(Severity))


class ChannelForm(FlaskForm):  # type: ignore[misc]
    """What every channel has, named as in `ChannelDraft`."""

    name = StringField("Name", _TEXT, description="What operators call it, as in “Night shift”.")
    severities = TicksField("Of which alerts it is told", choices=_SEVERITIES)
    sends_alerts = BooleanField("Alerts", description="Untick it for a channel that is told of reports alone.")
    sends_reports = BooleanField("Daily reports", description="Every morning, of the day before.")
    groups = TicksField(
        "Only of these groups", description="With nothing ticked here and no tags below, of everything."
    )
    tags = WordsField("Only of services with these tags", _TEXT, description="Words with commas between them.")
    quiet = StringField(
        "Quiet hours", _TEXT,
        description="As in 22:00-07:00, in the page's time zone: only what is critical is sent at once.",
    )  # fmt: skip
    is_enabled = BooleanField("Switched on")


@lru_cache(maxsize=8)
def channel_form_class(kind: ChannelKindView) -> type[ChannelForm]:
    """The form for one kind of channel, with where it leads."""
    fields = {
        f"to_{part.name}": SecretField(part.label, _TEXT, is_seen=not part.is_typed_blind, description=part.help)
        for part in kind.fields
    }
    return type(f"{kind.name.capitalize()}ChannelForm", (ChannelForm,), fields)


def new_values() -> dict[str, Any]:
    """The defaults of a new channel."""
    return {
        "severities": tuple(one.word for one in Severity),
        "sends_alerts": True,
        "is_enabled": True,
        "groups": (),
        "tags": (),
    }


def values_of(channel: ChannelRow) -> dict[str, Any]:
    """What the form shows of a channel."""
    return {
        "name": channel.name,
        "severities": tuple(one.word for one in channel.severities),
        "sends_alerts": channel.sends_alerts,
        "sends_reports": channel.sends_reports,
        "groups": channel.groups,
        "tags": channel.tags,
        "quiet": channel.quiet or "",
        "is_enabled": channel.is_enabled,
    }


def draft_of(form: ChannelForm, kind: ChannelKindView, *, with_destination: bool) -> ChannelDraft:
    """What the form says. Of the destination only what was typed or cleared; all of it stays when nothing was."""
    destination = {part.name: form[f"to_{part.name}"].data for part in kind.fields}
    for part in kind.fields:
        if form[f"to_{part.name}"].clears:
            destination[part.name] = ""
    is_new = any(value is not None for value in destination.values())
    return ChannelDraft(
        name=form.name.data or "",
        kind=kind.name,
        destination=destination if with_destination and is_new else None,
        severities=tuple(Severity[word.upper()] for word in form.severities.data),
        groups=tuple(form.groups.data or ()),
        tags=form.tags.data or (),
        quiet=(form.quiet.data or "").strip() or None,
        sends_alerts=form.sends_alerts.data,
        sends_reports=form.sends_reports.data,
        is_enabled=form.is_enabled.data,
    )


def names_of(kind: ChannelKindView) -> dict[str, str]:
    """What the services call the fields of the form, where they differ."""
    return {"destination": f"to_{kind.fields[0].name}", "kind": "name"}
