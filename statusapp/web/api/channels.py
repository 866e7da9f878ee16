"""Channels: the ways to reach people. What leads there is secret, so only owners write it."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from statusapp.clock import utcnow
from statusapp.domain.enums import AuditKind
from statusapp.queries.api_alerts import get_channel
from statusapp.queries.deliveries import list_channels
from statusapp.services import channels
from statusapp.web.api.access import caller
from statusapp.web.api.answers import answer, created, nothing, unchanged
from statusapp.web.api.blueprints import owners
from statusapp.web.api.schemas_alerts import Channel, Channels, Tested

CHANNEL = "/channels/<int(max=2147483647):channel_id>/"
_WRITTEN = [name for name, field in Channel().fields.items() if not (field.dump_only or field.load_only)]


@owners.route("/channels/")
@owners.response(200, Channels)
def list_all_channels() -> Response:
    """All channels and where they stand."""
    return answer(Channels().dump({"items": list_channels()}))


@owners.route("/channels/", methods=["POST"])
@owners.arguments(Channel)
@owners.response(201, Channel)
def add_channel(given: dict[str, Any]) -> Response:
    """Add a channel."""
    channel_id = channels.add_channel(_draft(given), utcnow(), actor=caller().actor)
    data, version = _load(channel_id)
    return created(data, url_for("api_owner.show_channel", channel_id=channel_id), version=version)


@owners.route(CHANNEL)
@owners.response(200, Channel)
def show_channel(channel_id: int) -> Response:
    """One channel and where it stands."""
    return _answer(channel_id)


@owners.route(CHANNEL, methods=["PUT"])
@owners.arguments(Channel)
@owners.response(200, Channel)
def put_channel(given: dict[str, Any], channel_id: int) -> Response:
    """Give a channel other values. Without a destination it leads where it did."""
    with unchanged(AuditKind.CHANNEL, channel_id, lambda: _load(channel_id)[1]):
        channels.change_channel(channel_id, _draft(given), utcnow(), actor=caller().actor)
    return _answer(channel_id)


@owners.route(CHANNEL, methods=["DELETE"])
@owners.response(204)
def delete_channel(channel_id: int) -> Response:
    """Delete a channel with all that was or would have been sent to it."""
    with unchanged(AuditKind.CHANNEL, channel_id, lambda: _load(channel_id)[1]):
        channels.delete_channel(channel_id, actor=caller().actor)
    return nothing()


@owners.route(f"{CHANNEL}test/", methods=["POST"])
@owners.response(200, Tested)
def test_channel(channel_id: int) -> Response:
    """Send a message of trial now, and say what the receiver really said."""
    return answer(Tested().dump(channels.try_channel(channel_id, utcnow(), actor=caller().actor)))


def _draft(given: dict[str, Any]) -> channels.ChannelDraft:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return channels.ChannelDraft(**values)


def _answer(channel_id: int) -> Response:
    data, version = _load(channel_id)
    return answer(data, version=version)


def _load(channel_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """All of it, and the part that owners write."""
    data: dict[str, Any] = Channel().dump(get_channel(channel_id))
    return data, {name: data[name] for name in (*_WRITTEN, "target")}
